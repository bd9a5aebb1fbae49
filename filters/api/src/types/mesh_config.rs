//! Istio's MeshConfig: what holds for the whole mesh.

use super::{extension_provider::ExtensionProvider, virtual_service::HttpRetry};

/// The part of Istio's MeshConfig that is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MeshConfig {
    /// `trustDomain`
    pub trust_domain: Option<String>,
    /// `trustDomainAliases`: other trust domains whose certificates are accepted.
    pub trust_domain_aliases: Vec<String>,
    /// `rootNamespace`
    pub root_namespace: Option<String>,
    /// `pathNormalization.normalization`
    pub path_normalization: PathNormalization,
    /// `outboundTrafficPolicy.mode`
    pub outbound_traffic: OutboundTraffic,
    /// `defaultHttpRetryPolicy`; `None`: Istio's own default.
    pub default_retries: Option<HttpRetry>,
    /// `accessLogFile`, such as `/dev/stdout`; `None`: no access log.
    pub access_log_file: Option<String>,
    /// `accessLogFormat`, for `JSON` an object as text; `None`: Istio's own default.
    pub access_log_format: Option<String>,
    /// `accessLogEncoding`
    pub access_log_encoding: AccessLogEncoding,
    /// `defaultConfig.gatewayTopology.numTrustedProxies`: proxies in front of a gateway whose `X-Forwarded-For` is
    /// believed.
    pub trusted_proxies: u32,
    /// `extensionProviders`: those that can authorize requests.
    pub extension_providers: Vec<ExtensionProvider>,
}

/// How paths are normalised before anything looks at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathNormalization {
    /// `NONE`: not at all.
    None,
    /// `BASE`, `DEFAULT`: RFC 3986 (dot segments, `\`).
    #[default]
    Base,
    /// `MERGE_SLASHES`: and `//` becomes `/`.
    MergeSlashes,
    /// `DECODE_AND_MERGE_SLASHES`: and `%2F`, `%5C` are decoded first.
    DecodeAndMergeSlashes,
}

/// Where a sidecar sends requests to hosts that nobody has named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboundTraffic {
    /// `ALLOW_ANY`: where they were headed.
    #[default]
    AllowAny,
    /// `REGISTRY_ONLY`: nowhere (502).
    RegistryOnly,
}

/// How the access log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum AccessLogEncoding {
    #[default]
    Text,
    Json,
}
