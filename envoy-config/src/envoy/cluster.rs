//! `envoy.config.cluster.v3.Cluster`

use std::collections::BTreeMap;

use serde::Serialize;

use super::any::{Any, Extension};
use super::scalars::{Address, Empty, Percent, Seconds, is_default};

/// A service, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// Unique.
    pub name: String,
    /// How its endpoints are found.
    #[serde(flatten)]
    pub discovery: Discovery,
    /// How long a connection may take.
    pub connect_timeout: Seconds,
    /// How an endpoint is chosen.
    #[serde(flatten)]
    pub balancing: Balancing,
    /// Common to all ways of choosing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_lb_config: Option<CommonLbConfig>,
    /// Limits.
    pub circuit_breakers: CircuitBreakers,
    /// When an endpoint is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    /// Keep-alive of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_connection_options: Option<ConnectionOptions>,
    /// How HTTP is spoken, by the name of the extension.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub typed_extension_protocol_options: BTreeMap<&'static str, Any>,
    /// TLS with its endpoints. `None`: plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_socket: Option<Extension>,
    /// Its endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_assignment: Option<LoadAssignment>,
}

/// How endpoints are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discovery {
    /// One of Envoy's own ways.
    Type(DiscoveryType),
    /// An extension.
    ClusterType(Box<Extension>),
}

/// Envoy's own ways of finding endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DiscoveryType {
    /// They are given by address.
    Static,
}

/// `envoy.extensions.clusters.dns.v3.DnsCluster`: they are given by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DnsCluster {
    /// What addresses DNS is asked for.
    pub dns_lookup_family: &'static str,
    /// Each new connection takes the first address of the answer; otherwise every address is an endpoint.
    #[serde(skip_serializing_if = "is_default")]
    pub all_addresses_in_single_endpoint: bool,
}

/// How an endpoint is chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Balancing {
    /// By one of Envoy's own ways.
    LbPolicy(LbPolicy),
    /// By an extension.
    LoadBalancingPolicy(LoadBalancingPolicy),
}

/// `envoy.config.cluster.v3.LoadBalancingPolicy`: the first extension that Envoy has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadBalancingPolicy {
    /// One.
    pub policies: Vec<BalancingExtension>,
}

/// An extension that chooses endpoints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BalancingExtension {
    /// It.
    pub typed_extension_config: Extension,
}

/// `ConsistentHashingLbConfig`: what is hashed, whatever a route says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsistentHashing {
    /// One.
    pub hash_policy: Vec<HashPolicy>,
}

/// `RouteAction.HashPolicy`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HashPolicy {
    /// A header's value.
    Header {
        /// Its name.
        header_name: String,
    },
    /// A cookie's value.
    Cookie(HashCookie),
    /// The connection.
    ConnectionProperties {
        /// `true`: the client's address.
        source_ip: bool,
    },
    /// A query parameter's value.
    QueryParameter {
        /// Its name.
        name: String,
    },
}

/// A cookie that is hashed; made if a lifetime is given and the request has none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HashCookie {
    /// Its name.
    pub name: String,
    /// Its lifetime; zero: until the browser closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Seconds>,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What else it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<CookieAttribute>,
}

/// An attribute of a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CookieAttribute {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// One of Envoy's own ways of choosing an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LbPolicy {
    /// The one with fewer requests of two.
    LeastRequest,
    /// In turn.
    RoundRobin,
    /// Any.
    Random,
    /// The cluster's own way.
    ClusterProvided,
}

/// Common to all ways of choosing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommonLbConfig {
    /// Below this healthy share all are used again.
    pub healthy_panic_threshold: Percent,
}

/// Limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CircuitBreakers {
    /// One entry: for requests of default priority.
    pub thresholds: Vec<Thresholds>,
}

/// The limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// Connections.
    pub max_connections: u32,
    /// Requests that wait for one.
    pub max_pending_requests: u32,
    /// Requests at a time.
    pub max_requests: u32,
    /// Retries at a time.
    pub max_retries: u32,
    /// Shows in the statistics how much is left.
    pub track_remaining: bool,
}

/// `envoy.config.cluster.v3.OutlierDetection`; what is not set is Envoy's default, which is Istio's.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct OutlierDetection {
    /// Errors in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_5xx: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_5xx: Option<u32>,
    /// 502, 503 and 504 in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_gateway_failure: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_gateway_failure: Option<u32>,
    /// Time between looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Seconds>,
    /// First time out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ejection_time: Option<Seconds>,
    /// Percent that may be out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejection_percent: Option<u32>,
    /// 0: Istio has no such thing.
    pub enforcing_success_rate: u32,
    /// Counts failed connections apart.
    #[serde(skip_serializing_if = "is_default")]
    pub split_external_local_origin_errors: bool,
    /// Failed connections in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_local_origin_failure: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_local_origin_failure: Option<u32>,
}

/// Options of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionOptions {
    /// Probes.
    pub tcp_keepalive: TcpKeepalive,
}

/// Keep-alive probes, times in seconds; what is not set is the system's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TcpKeepalive {
    /// Unanswered ones until the connection is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_probes: Option<u32>,
    /// Idle time before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_time: Option<u64>,
    /// Between probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_interval: Option<u64>,
}

/// `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpProtocolOptions {
    /// For any version.
    #[serde(skip_serializing_if = "is_default")]
    pub common_http_protocol_options: CommonProtocolOptions,
    /// Which version.
    #[serde(flatten)]
    pub version: HttpVersion,
}

/// For any version of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CommonProtocolOptions {
    /// An idle connection is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Seconds>,
    /// A connection is not kept for longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connection_duration: Option<Seconds>,
    /// A connection is closed after so many requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_connection: Option<u32>,
}

/// Which version of HTTP is spoken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpVersion {
    /// Always this one.
    ExplicitHttpConfig(ExplicitVersion),
    /// The one that the client spoke.
    UseDownstreamProtocolConfig {
        /// Its options.
        http_protocol_options: Empty,
        /// Its options.
        http2_protocol_options: Http2Options,
    },
}

/// One version of HTTP.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplicitVersion {
    /// HTTP/1.1
    HttpProtocolOptions(Empty),
    /// HTTP/2
    Http2ProtocolOptions(Http2Options),
}

/// Options of HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Http2Options {
    /// Streams of one connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_streams: Option<u32>,
}

/// The DNS answers that the dynamic forward proxy's filter and cluster share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DnsCache {
    /// Equal names need equal settings.
    pub name: &'static str,
    /// What addresses DNS is asked for.
    pub dns_lookup_family: &'static str,
}

/// `envoy.config.endpoint.v3.ClusterLoadAssignment`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadAssignment {
    /// The cluster's name.
    pub cluster_name: String,
    /// By locality; we have one.
    pub endpoints: Vec<LocalityEndpoints>,
}

/// Endpoints of one locality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LocalityEndpoints {
    /// The endpoints.
    pub lb_endpoints: Vec<LbEndpoint>,
}

/// An endpoint and its share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LbEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its share; `None` counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_weight: Option<u32>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
}
