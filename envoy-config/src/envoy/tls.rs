//! TLS on both sides of a proxy: `envoy.extensions.transport_sockets.tls.v3`. Certificates never stand here: each is a
//! [`super::secret::Secret`] in a file of its own, which Envoy takes changes of without closing a connection.

use serde::Serialize;

use super::Any;
use super::any::Extension;
use super::discovery::ConfigSource;
use super::scalars::{StringMatcher, is_default};
use super::wasm::LocalFile;

/// The name of the transport socket.
const SOCKET: &str = "envoy.transport_sockets.tls";

/// `DownstreamTlsContext`: TLS with a client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DownstreamTlsContext {
    /// What both sides have.
    pub common_tls_context: CommonTlsContext,
    /// A client without a certificate is refused.
    pub require_client_certificate: bool,
    /// Session tickets would outlive a change of the accepted peers.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_stateless_session_resumption: bool,
}

/// `UpstreamTlsContext`: TLS with a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpstreamTlsContext {
    /// What both sides have.
    pub common_tls_context: CommonTlsContext,
    /// The name asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sni: String,
    /// The name asked for is the request's host.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_host_sni: bool,
    /// The certificate must be for the name asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_sni_san_validation: bool,
}

/// `CommonTlsContext`
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CommonTlsContext {
    /// Versions and ciphers.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_params: TlsParameters,
    /// The own certificates: one for each kind of key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls_certificate_sds_secret_configs: Vec<SdsSecretConfig>,
    /// How the peer's certificate is judged. `None`: not at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// Protocols above TLS, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<&'static str>,
}

/// `TlsParameters`; what is not set is Envoy's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TlsParameters {
    /// `TLSv1_2`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_minimum_protocol_version: Option<&'static str>,
    /// `TLSv1_3`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_maximum_protocol_version: Option<&'static str>,
    /// For TLS up to 1.2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
}

impl CommonTlsContext {
    /// For TLS with a service. Where nothing is said of versions, an Envoy that connects knows none above TLS 1.2; Istio has it
    /// know 1.3 too.
    pub fn upstream() -> Self {
        Self { tls_params: TlsParameters::MODERN, ..Self::default() }
    }
}

impl TlsParameters {
    /// The versions that Istio uses itself: TLS 1.2 and 1.3.
    pub const MODERN: Self = Self {
        tls_minimum_protocol_version: Some("TLSv1_2"),
        tls_maximum_protocol_version: Some("TLSv1_3"),
        cipher_suites: Vec::new(),
    };
}

/// How the peer's certificate is judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    /// Without authorities from a file.
    ValidationContext(ValidationContext),
    /// Authorities from a file, with what else is asked of the certificate.
    CombinedValidationContext {
        /// What else is asked.
        default_validation_context: ValidationContext,
        /// The authorities.
        validation_context_sds_secret_config: SdsSecretConfig,
    },
}

/// `CertificateValidationContext`
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ValidationContext {
    /// A file with the authorities, where no secret has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_ca: Option<LocalFile>,
    /// One of these names is in the certificate; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_typed_subject_alt_names: Vec<SubjectAltName>,
    /// Base64 SHA-256 of the accepted public keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify_certificate_spki: Vec<String>,
    /// Hexadecimal SHA-256 of the accepted certificates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify_certificate_hash: Vec<String>,
    /// `ACCEPT_UNTRUSTED`: whoever has signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_chain_verification: Option<&'static str>,
}

/// `SubjectAltNameMatcher`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectAltName {
    /// `URI`, `DNS`, `EMAIL`, `IP_ADDRESS`
    pub san_type: &'static str,
    /// The name.
    pub matcher: StringMatcher,
}

/// `SdsSecretConfig`: a secret in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SdsSecretConfig {
    /// The secret's name.
    pub name: String,
    /// Its file.
    pub sds_config: ConfigSource,
}

impl DownstreamTlsContext {
    /// Whether a client may show a certificate that nobody has signed, and be taken for whom it names.
    pub fn believes_anyone(&self) -> bool {
        match &self.common_tls_context.validation {
            None => false,
            Some(
                Validation::ValidationContext(asks)
                | Validation::CombinedValidationContext { default_validation_context: asks, .. },
            ) => asks.trust_chain_verification.is_some(),
        }
    }

    /// Whether clients may show a certificate.
    pub fn sees_certificates(&self) -> bool {
        self.common_tls_context.validation.is_some()
    }

    /// The transport socket of a filter chain.
    pub fn socket(self) -> Extension {
        Extension::new(SOCKET, Any::DownstreamTls(Box::new(self)))
    }
}

impl UpstreamTlsContext {
    /// The transport socket of a cluster.
    pub fn socket(self) -> Extension {
        Extension::new(SOCKET, Any::UpstreamTls(Box::new(self)))
    }
}
