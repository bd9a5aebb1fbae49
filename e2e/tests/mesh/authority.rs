//! An authority of its own for each test, and the certificates of workloads, as `--certs` takes them.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

/// Signs certificates; they are gone with this value.
pub(crate) struct Authority {
    root: String,
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        let root = params.self_signed(&key).unwrap().pem();
        Self { root, issuer: Issuer::new(params, key), folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with the certificate of a service account of a namespace.
    pub(crate) fn issue(&self, namespace: &str, account: &str) -> PathBuf {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        let id = format!("spiffe://cluster.local/ns/{namespace}/sa/{account}");
        params.subject_alt_names = vec![SanType::URI(id.as_str().try_into().unwrap())];
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let chain = params.signed_by(&key, &self.issuer).unwrap().pem();
        let folder = self.folder.path().join(format!("{namespace}-{account}"));
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in
            [("root-cert.pem", &self.root), ("cert-chain.pem", &chain), ("key.pem", &key.serialize_pem())]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    }
}
