//! The file of Istio's MeshConfig.

use std::fs;
use std::path::Path;

use outrigger_api::{Problem, parse_mesh_config};

pub use outrigger_api::types::mesh_config::{
    AccessLogEncoding, MeshConfig, OutboundTraffic, PathNormalization,
};

use crate::load::{SourceFile, Unreadable};

/// What was read from a file.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The configuration, defaults in place of what is wrong.
    pub mesh: MeshConfig,
    /// What is wrong, and what is not carried out.
    pub problems: Vec<Problem>,
    /// The file, for messages.
    pub file: Option<SourceFile>,
}

/// Reads a file.
///
/// # Errors
/// It can't be read. What is wrong with the content is in [`Parsed::problems`].
pub fn read(path: &Path) -> Result<Parsed, Unreadable> {
    let text = fs::read(path).map_err(|error| Unreadable { path: path.to_owned(), error })?;
    let name = path.display().to_string();
    let (mesh, problems) = parse_mesh_config(&text, &name);
    Ok(Parsed { mesh, problems, file: Some(SourceFile::new(&name, &text)) })
}
