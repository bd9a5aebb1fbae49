//! What is read, and so what is watched.

use std::path::{Path, PathBuf};

use crate::load::is_resource_file;

/// A file or folder that the outcome depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Which files of a folder are read.
    pub(super) holds: Holds,
}

/// Which files of a folder are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Those of resources, by their names. Others come and go, such as a log of our own.
    Resources,
    /// Any.
    Anything,
}

impl Origin {
    /// A file of resources, or a folder with such files.
    pub fn of_resources(path: PathBuf) -> Self {
        Self { path, holds: Holds::Resources }
    }

    /// Any other file or folder.
    pub fn anything(path: PathBuf) -> Self {
        Self { path, holds: Holds::Anything }
    }
}

impl Holds {
    /// Whether a file of such a folder is one that is read.
    pub(super) fn may_be(self, file: &Path) -> bool {
        self == Self::Anything || is_resource_file(file)
    }
}
