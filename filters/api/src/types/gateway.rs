//! `networking.istio.io` Gateway.

use super::common::{Port, WorkloadSelector};
use crate::host::HostPattern;

/// Ports which a gateway proxy opens, and the hosts it serves there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Labels of the gateway proxies, in any namespace. Empty: all of them.
    pub selector: WorkloadSelector,
    /// At least one.
    pub servers: Vec<Server>,
}

/// One entry of `servers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The port.
    pub port: Port,
    /// An address, or `unix://` and a path.
    pub bind: Option<String>,
    /// At least one.
    pub hosts: Vec<ServerHost>,
    /// Termination of TLS.
    pub tls: Option<ServerTls>,
    /// For the user.
    pub name: Option<String>,
}

/// A host which a server accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHost {
    /// Whose VirtualServices may serve it.
    pub scope: NamespaceScope,
    /// The host.
    pub host: HostPattern,
}

/// The part of a Gateway host before the slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceScope {
    /// `*/`, or nothing.
    Any,
    /// `ns/`; `./` has become the Gateway's namespace.
    Namespace(String),
}

/// Istio's ServerTLSSettings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerTls {
    /// Answers plain HTTP with a redirect to HTTPS.
    pub https_redirect: bool,
    /// How TLS is handled.
    pub mode: ServerTlsMode,
    /// Where the certificates come from, by priority of the fields.
    pub certificates: Vec<CertificateSource>,
    /// A file with the CAs for client certificates.
    pub ca_certificates: Option<String>,
    /// A file with revoked certificates.
    pub ca_crl: Option<String>,
    /// A secret with the CAs.
    pub ca_cert_credential_name: Option<String>,
    /// Names which a client certificate must have one of.
    pub subject_alt_names: Vec<String>,
    /// Base64 SHA-256 hashes of accepted public keys.
    pub verify_certificate_spki: Vec<String>,
    /// Hex SHA-256 hashes of accepted certificates.
    pub verify_certificate_hash: Vec<String>,
    /// `None`: TLS 1.2.
    pub min_protocol_version: Option<TlsVersion>,
    /// `None`: TLS 1.3.
    pub max_protocol_version: Option<TlsVersion>,
    /// Ciphers for TLS up to 1.2; empty: Envoy's.
    pub cipher_suites: Vec<String>,
    /// Accepts client certificates without checking them.
    pub insecure_skip_verify: bool,
}

/// A certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Two files.
    Files {
        /// The chain.
        certificate: String,
        /// The key.
        private_key: String,
        /// CAs for client certificates (only within `tlsCertificates`).
        ca_certificates: Option<String>,
    },
    /// A secret.
    Credential(String),
}

/// Istio's TLSmode of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "Istio's own names")]
pub enum ServerTlsMode {
    #[default]
    Passthrough,
    Simple,
    Mutual,
    AutoPassthrough,
    IstioMutual,
    OptionalMutual,
}

/// A version of TLS; `TLS_AUTO` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TlsVersion {
    V1_0,
    V1_1,
    V1_2,
    V1_3,
}
