//! An authority of its own for each test, and clients with a SPIFFE ID.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::proxy::connect;

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A client that may have a certificate.
pub(crate) struct Client(Arc<ClientConfig>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A Secret with the certificate of a server, whose clients this authority vouches for too.
    pub(crate) fn secret(&self, name: &str, host: &str) -> String {
        let (chain, key) = self.issue(vec![SanType::DnsName(host.try_into().unwrap())]);
        let entry = |key: &str, pem: &str| {
            let lines: String = pem.lines().map(|line| format!("    {line}\n")).collect();
            format!("  {key}: |\n{lines}")
        };
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ntype: kubernetes.io/tls\nstringData:\n{}{}{}",
            entry("tls.crt", &chain),
            entry("tls.key", &key),
            entry("ca.crt", &self.0.pem())
        )
    }

    /// Puts the certificate of a workload into a folder, as `--certs` takes it. It is for `host` too, for clients that
    /// know no SPIFFE.
    pub(crate) fn workload(&self, id: &str, host: &str, folder: &Path) {
        let names = vec![SanType::URI(id.try_into().unwrap()), SanType::DnsName(host.try_into().unwrap())];
        let (chain, key) = self.issue(names);
        for (name, text) in [("root-cert.pem", &self.0.pem()), ("cert-chain.pem", &chain), ("key.pem", &key)]
        {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }

    /// A client with this SPIFFE ID, or with none.
    pub(crate) fn client(&self, id: Option<&str>) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match id {
            None => builder.with_no_client_auth(),
            Some(id) => {
                let (chain, key) = self.issue(vec![SanType::URI(id.try_into().unwrap())]);
                let chain = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        Client(Arc::new(config))
    }

    /// A certificate and its key, in PEM.
    fn issue(&self, names: Vec<SanType>) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

impl Client {
    /// A connection to a port of this machine that asks for `name`.
    pub(crate) fn connect(&self, port: u16, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let name = name.to_owned().try_into().unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.0), name).unwrap(), connect(port))
    }
}
