//! What is read, and so what is watched.

use std::ffi::OsStr;
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

/// What certificates and keys that resources name are called: one that is missing may come.
const CERTIFICATES: [&str; 5] = ["pem", "crt", "cer", "key", "crl"];

/// Which files of a folder are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Those of resources and certificates, by their names. Others come and go, such as a log of our own.
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
        let is_certificate = || {
            let extension = file.extension().and_then(OsStr::to_str);
            extension.is_some_and(|extension| CERTIFICATES.contains(&extension))
        };
        self == Self::Anything || is_resource_file(file) || is_certificate()
    }
}
