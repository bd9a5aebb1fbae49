//! Runs Envoy with what the resources ask for, and lets it take over each change of them.

use std::path::{Path, PathBuf};

use crate::Exit;
use crate::render::Rendered;

/// Flags of `run` besides those of `render`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// `--envoy`: this binary.
    pub envoy: Option<PathBuf>,
    /// `--image`: this container image, by `docker run`.
    pub image: Option<String>,
    /// `--envoy-log-level`; `None`: `warning`.
    pub log_level: Option<String>,
    /// `--concurrency`: worker threads; `None`: one a core.
    pub concurrency: Option<u32>,
}

/// What is run: read again whenever a file changes.
pub trait Source {
    /// Reads, checks and renders everything for modules in `module_dir`, and tells the user on standard error what it
    /// found.
    ///
    /// # Errors
    /// How the command has to end if this is not the first time that worked.
    fn render(&self, module_dir: &Path) -> Result<Rendered, Exit>;

    /// Files and folders that the outcome depends on.
    fn watched(&self) -> Vec<PathBuf>;
}
