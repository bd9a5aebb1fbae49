//! Istio's MeshConfig: what holds for the whole mesh.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    extension_provider::ExtensionProvider,
    telemetry::CustomTag,
    telemetry_provider::{Collector, TelemetryProvider},
    virtual_service::HttpRetry,
};

/// The part of Istio's MeshConfig that is carried out.
#[derive(Debug, Clone, PartialEq, Default)]
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
    /// `extensionProviders`: those that Telemetries name.
    pub telemetry_providers: Vec<TelemetryProvider>,
    /// `defaultProviders`
    pub default_providers: DefaultProviders,
    /// `enableTracing: false`: no traces unless a Telemetry or `defaultProviders` asks for them.
    pub without_tracing: bool,
    /// `defaultConfig.tracing`
    pub tracing: ProxyTracing,
    /// `defaultConfig.drainDuration`: how long connections of a listener that has changed may go on. `None`: 45 s.
    pub drain_duration: Option<Duration>,
    /// `defaultConfig.meshId`; `None`: the trust domain.
    pub mesh_id: Option<String>,
    /// `defaultConfig.serviceCluster` or `defaultConfig.tracingServiceName`.
    pub service_name: ServiceName,
}

/// What a proxy calls itself in spans and to others (Envoy's `node.cluster`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceName {
    /// `APP_LABEL_AND_NAMESPACE`
    #[default]
    AppAndNamespace,
    /// `CANONICAL_NAME_ONLY`
    Canonical,
    /// `CANONICAL_NAME_AND_NAMESPACE`
    CanonicalAndNamespace,
    /// `serviceCluster`, which says it itself.
    Literal(String),
}

/// Names of providers that are taken where no Telemetry names any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultProviders {
    /// `tracing`; the first counts.
    pub tracing: Vec<String>,
    /// `metrics`
    pub metrics: Vec<String>,
    /// `accessLogging`
    pub access_logging: Vec<String>,
}

/// Tracing as ProxyConfig has it, for what no Telemetry says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProxyTracing {
    /// `sampling`, in percent. `None`: 1 %.
    pub sampling: Option<f64>,
    /// `zipkin.address`: where traces go if no provider is named.
    pub zipkin: Option<Collector>,
    /// `customTags`
    pub custom_tags: BTreeMap<String, CustomTag>,
    /// `maxPathTagLength`; 0: Envoy's default.
    pub max_path_tag_length: u32,
    /// `enableIstioTags`; `None`: true.
    pub enable_istio_tags: Option<bool>,
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
