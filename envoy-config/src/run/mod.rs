//! Runs Envoy with what the resources ask for, and lets it take over each change of them.

// `eprintln!` panics where nobody reads standard error.
#![deny(clippy::print_stderr)]

mod admin;
mod ask;
mod drain;
mod dynamic;
mod envoy;
mod events;
mod failure;
mod files;
mod fingerprint;
mod folder;
mod launcher;
mod origin;
mod places;
mod ports;
mod progress;
mod say;
mod session;
mod steps;
mod watched;
mod watches;
mod writers;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

pub use self::drain::DrainTimes;
pub(crate) use self::folder::PrivateFolder;
pub use self::launcher::VERSION as ENVOY_VERSION;
pub use self::origin::Origin;

use self::fingerprint::Fingerprint;
use self::launcher::Launcher;
use self::say::say;
use self::session::Session;
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
    /// `--min-drain-duration` and `--drain-timeout`.
    pub drain: DrainTimes,
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
    fn origins(&self) -> Vec<Origin>;

    /// What the user is to be warned of next if nothing changes, and how long from now.
    fn notice(&self) -> Option<(Duration, String)>;
}

/// Runs until the user stops it: [`Exit::Success`]. Otherwise [`Exit::Environment`], or what the source says.
pub fn run(source: &dyn Source, options: &RunOptions) -> Exit {
    match start(source, options) {
        Ok(mut session) => session.serve(source),
        Err(exit) => exit,
    }
}

fn start(source: &dyn Source, options: &RunOptions) -> Result<Session, Exit> {
    let (events, received) = mpsc::channel();
    // First of all: who stops us now leaves no folder behind.
    events::signals(events.clone())
        .map_err(|error| environment(&format!("can't listen to signals: {error}")))?;
    let folder = PrivateFolder::create()
        .map_err(|error| environment(&format!("can't make a temporary folder: {error}")))?;
    // From here on a change counts, also one that comes while Envoy starts.
    let before = Fingerprint::of(&source.origins());
    let rendered = source.render(folder.path())?;
    let launcher = Launcher::find(options).map_err(|error| environment(&error.to_string()))?;
    let mut watcher = watched::watch(source.origins(), before, &events);
    watcher.add(&rendered.files);
    Session::start(folder, launcher, options.clone(), rendered, (events, received), watcher)
}

/// Says what is wrong around us.
fn environment(message: &str) -> Exit {
    say!("error: {message}");
    Exit::Environment
}
