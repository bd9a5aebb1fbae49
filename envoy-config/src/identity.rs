//! The certificate of the proxy's own workload, by which other proxies of the mesh know it: what `outrigger certs issue`
//! leaves in a folder and `--certs` names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::envoy::secret::Inline;

/// The certificate with its key, first the workload's own.
pub const CHAIN: &str = "cert-chain.pem";
/// Its key.
pub const KEY: &str = "key.pem";
/// The authorities of the mesh.
pub const ROOTS: &str = "root-cert.pem";

/// A workload's certificate, and whose certificates it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate first, then those that lead to an authority.
    pub certificate_chain: Inline,
    /// The certificate's key.
    pub private_key: Inline,
    /// The authorities of the mesh.
    pub roots: Inline,
}

/// A file of an identity can't be used.
#[derive(Debug, thiserror::Error)]
#[error("can't use `{}`: {source}", path.display())]
pub struct IdentityError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Identity {
    /// Reads the three files of `folder`.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn read(folder: &Path) -> Result<Self, IdentityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map(Inline::new).map_err(|source| IdentityError { path, source })
        };
        Ok(Self { certificate_chain: read(CHAIN)?, private_key: read(KEY)?, roots: read(ROOTS)? })
    }
}
