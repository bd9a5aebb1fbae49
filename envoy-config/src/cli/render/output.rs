//! Where documents go.

use std::fs;
use std::io;
use std::path::Path;

use outrigger_api::Resource;

use crate::Exit;
use crate::cli::print_document;
use crate::manifests::Manifests;
use crate::modules::ModuleError;

/// What is written, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'o> {
    /// A file or a folder. `None`: standard output.
    pub(super) path: Option<&'o Path>,
    /// What `--to` says.
    pub(super) target: &'o str,
    /// Where it all comes from.
    pub(super) resources: &'o [Resource],
    /// The modules are written into the folder too.
    pub(super) modules: bool,
}

/// Something can't be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    #[error("can't write `{0}`: {1}")]
    File(String, io::Error),
    #[error(transparent)]
    Module(#[from] ModuleError),
}

/// Whether a path is that of a file to write, not of a folder.
pub(super) fn is_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ["yaml", "yml"].iter().any(|yaml| ending.eq_ignore_ascii_case(yaml)))
}

/// Writes all documents. Of standard output the exit tells how it went.
pub(super) fn write(manifests: &Manifests, output: Output<'_>) -> Result<Exit, OutputError> {
    let Output { path, target, resources, modules } = output;
    let Some(path) = path else {
        return Ok(print_document(&manifests.to_yaml(target, resources)).then(Exit::Success));
    };
    if is_file(path) {
        save(path, manifests.to_yaml(target, resources).as_bytes())?;
        return Ok(Exit::Success);
    }
    fs::create_dir_all(path).map_err(|error| OutputError::File(path.display().to_string(), error))?;
    for (name, text) in manifests.files(target, resources) {
        save(&path.join(name), text.as_bytes())?;
    }
    for module in manifests.modules.iter().filter(|_| modules) {
        save(&path.join(module.file_name()), &module.loadable()?)?;
    }
    Ok(Exit::Success)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    fs::write(path, bytes).map_err(|error| OutputError::File(path.display().to_string(), error))
}
