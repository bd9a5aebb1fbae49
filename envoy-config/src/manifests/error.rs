//! Why there are no manifests.

use outrigger_api::Problem;

use crate::Exit;
use crate::modules::ModuleError;

/// Why there are no manifests.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for can't be had.
    #[error("{0}")]
    Asked(String),
    /// The resources as a whole can't be carried out there.
    #[error("{0}")]
    Refused(String),
    /// Fields of resources are not carried out there.
    #[error("{} problem(s) in the resources", .0.len())]
    Resources(Vec<Problem>),
    /// The module whose checksum is wanted is not there.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// What was made can't be put into YAML.
    #[error("can't write YAML: {0}")]
    Yaml(String),
}

impl Error {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Asked(_) => Exit::Usage,
            Self::Refused(_) | Self::Resources(_) => Exit::Refused,
            Self::Module(_) | Self::Yaml(_) => Exit::Environment,
        }
    }
}

impl From<Vec<Problem>> for Error {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Resources(problems)
    }
}
