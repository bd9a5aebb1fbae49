//! The certificates and keys that listeners and clusters ask for: each in a file of its own, which Envoy watches.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::WriteError;
use crate::envoy::Any;
use crate::envoy::discovery::{ConfigSource, DiscoveryResponse};
use crate::envoy::secret::{Content, Secret};
use crate::envoy::tls::SdsSecretConfig;
use crate::identity::Identity;

/// The workload's own certificate, as Istio names it.
pub(super) const WORKLOAD: &str = "default";
/// The authorities of the mesh, as Istio names them.
pub(super) const ROOTS: &str = "ROOTCA";

/// Secrets by name.
#[derive(Debug)]
pub(super) struct Secrets {
    folder: PathBuf,
    by_name: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Envoy will find their files in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), by_name: BTreeMap::new() }
    }

    /// Puts one there, and says how to ask for it.
    pub(super) fn ask_for(&mut self, name: &str, content: Content) -> SdsSecretConfig {
        self.by_name.insert(name.to_owned(), Secret { name: name.to_owned(), content });
        let sds_config = ConfigSource::file(&self.folder.join(file_name(name)));
        SdsSecretConfig { name: name.to_owned(), sds_config }
    }

    /// The workload's own certificate.
    pub(super) fn workload(&mut self, identity: &Identity) -> SdsSecretConfig {
        let content = Content::TlsCertificate {
            certificate_chain: identity.certificate_chain.clone(),
            private_key: identity.private_key.clone(),
        };
        self.ask_for(WORKLOAD, content)
    }

    /// The authorities of the mesh.
    pub(super) fn roots(&mut self, identity: &Identity) -> SdsSecretConfig {
        self.ask_for(ROOTS, Content::ValidationContext { trusted_ca: identity.roots.clone(), crl: None })
    }

    /// All of them.
    pub(super) fn into_inner(self) -> BTreeMap<String, Secret> {
        self.by_name
    }
}

/// The name of a secret's file.
pub(crate) fn file_name(secret: &str) -> String {
    format!("secret-{}.yaml", super::in_file_name(secret))
}

/// Writes a secret into its file in `folder`, for nobody's eyes but ours and Envoy's, in the place of the one there.
///
/// # Errors
/// The file can't be written.
pub(crate) fn write(folder: &Path, secret: &Secret, version: u64) -> Result<(), WriteError> {
    let response = DiscoveryResponse {
        version_info: version.to_string(),
        resources: vec![Any::Secret(Box::new(secret.clone()))],
    };
    let text = super::to_yaml(&response)?;
    let path = folder.join(file_name(&secret.name));
    let new = folder.join(format!("{}.new", file_name(&secret.name)));
    let written = || {
        // What a run that was killed has left behind may have other permissions.
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&new, &path)
    };
    written().map_err(|source| {
        let _ = fs::remove_file(&new);
        WriteError::File { path: path.clone(), source }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::envoy::secret::Inline;

    #[test]
    fn a_secret_is_for_its_owners_eyes() {
        let folder = tempfile::tempdir().unwrap();
        let content = Content::ValidationContext { trusted_ca: Inline::new("A\nB\n"), crl: None };
        let secret = Secret { name: "kubernetes://a/b".to_owned(), content };
        for version in [1, 2] {
            write(folder.path(), &secret, version).unwrap();
        }
        let path = folder.path().join("secret-kubernetes%3A%2F%2Fa%2Fb.yaml");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("version_info: \"2\"") && text.contains("kubernetes://a/b"), "{text}");
    }
}
