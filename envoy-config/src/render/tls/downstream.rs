//! TLS with those who connect to a listener.

use crate::envoy::tls::{
    CommonTlsContext, DownstreamTlsContext, SdsSecretConfig, TlsParameters, Validation, ValidationContext,
};
use crate::identity::Identity;
use crate::render::secrets::Secrets;

/// The protocols above TLS that a listener which reads HTTP offers, best first.
pub(in crate::render) const HTTP_PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

/// Istio's ciphers between proxies, for TLS 1.2.
const MESH_CIPHERS: [&str; 6] = [
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
];

/// What a listener shows and asks for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Server {
    /// Its own certificates: one for each kind of key.
    pub(in crate::render) certificates: Vec<SdsSecretConfig>,
    /// What becomes of the client's certificate.
    pub(in crate::render) clients: Clients,
    /// Versions and ciphers.
    pub(in crate::render) params: TlsParameters,
    /// Protocols above TLS, best first.
    pub(in crate::render) protocols: Vec<&'static str>,
}

/// What becomes of a client's certificate.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) enum Clients {
    /// None is asked for.
    Any,
    /// One is asked for, and refused unless it comes from these authorities and `asks` is content with it.
    Verified {
        /// Whether a client without one is refused.
        required: bool,
        /// The authorities.
        authorities: SdsSecretConfig,
        /// What else is asked of the certificate.
        asks: ValidationContext,
    },
}

impl Server {
    /// This proxy's workload.
    pub(in crate::render) fn of_mesh(identity: &Identity, secrets: &mut Secrets, clients: Clients) -> Self {
        Self {
            certificates: vec![secrets.workload(identity)],
            clients,
            params: TlsParameters {
                cipher_suites: MESH_CIPHERS.map(str::to_owned).to_vec(),
                ..TlsParameters::MODERN
            },
            protocols: HTTP_PROTOCOLS.to_vec(),
        }
    }
}

/// The context of `server`.
pub(in crate::render) fn context(server: Server) -> DownstreamTlsContext {
    let (require_client_certificate, validation) = match server.clients {
        Clients::Any => (false, None),
        Clients::Verified { required, authorities, asks } => {
            let validation = Validation::CombinedValidationContext {
                default_validation_context: asks,
                validation_context_sds_secret_config: authorities,
            };
            (required, Some(validation))
        }
    };
    DownstreamTlsContext {
        common_tls_context: CommonTlsContext {
            tls_params: server.params,
            tls_certificate_sds_secret_configs: server.certificates,
            validation,
            alpn_protocols: server.protocols,
        },
        require_client_certificate,
        // A ticket would let a client in that the authorities of today don't know any more.
        disable_stateless_session_resumption: false,
    }
}
