//! `networking.istio.io` DestinationRule.

use std::time::Duration;

use super::common::{ExportTo, Labels, WorkloadSelector};
use crate::host::HostPattern;

/// How connections to a service are made, and its subsets.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationRule {
    /// The service, as written.
    pub host: HostPattern,
    /// For all of it.
    pub traffic_policy: Option<TrafficPolicy>,
    /// Parts of it; names are unique.
    pub subsets: Vec<Subset>,
    /// Which namespaces see it.
    pub export_to: ExportTo,
    /// Only for these clients.
    pub workload_selector: Option<WorkloadSelector>,
}

/// A part of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Subset {
    /// Its name.
    pub name: String,
    /// Labels of its endpoints.
    pub labels: Labels,
    /// Overrides the rule's policy, top-level field by top-level field.
    pub traffic_policy: Option<TrafficPolicy>,
}

/// Istio's TrafficPolicy; something in it is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrafficPolicy {
    /// What can be said of a port, too.
    pub settings: PolicySettings,
    /// For single ports; nothing is inherited from `settings`.
    pub port_level_settings: Vec<PortTrafficPolicy>,
    /// Tunnels TCP through HTTP.
    pub tunnel: Option<Tunnel>,
    /// Sends the PROXY protocol.
    pub proxy_protocol: Option<ProxyProtocolVersion>,
    /// Limits concurrent retries.
    pub retry_budget: Option<RetryBudget>,
}

/// The settings of a [`TrafficPolicy`] or of one port.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicySettings {
    /// How an endpoint is chosen.
    pub load_balancer: Option<LoadBalancer>,
    /// Limits of connections.
    pub connection_pool: Option<ConnectionPool>,
    /// When an endpoint is left out.
    pub outlier_detection: Option<OutlierDetection>,
    /// TLS towards the service.
    pub tls: Option<ClientTls>,
}

/// The settings of one port.
#[derive(Debug, Clone, PartialEq)]
pub struct PortTrafficPolicy {
    /// The service's port.
    pub port: u16,
    /// Its settings; something is set.
    pub settings: PolicySettings,
}

/// Istio's LoadBalancerSettings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadBalancer {
    /// The way of choosing.
    pub policy: LoadBalancerPolicy,
    /// Preference for near endpoints. `None`: the mesh's.
    pub locality: Option<LocalityLb>,
    /// Less traffic to young endpoints.
    pub warmup: Option<Warmup>,
}

/// How an endpoint is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LoadBalancerPolicy {
    /// Not said: least request.
    #[default]
    Unspecified,
    /// `LEAST_REQUEST`, also by its old name `LEAST_CONN`.
    LeastRequest,
    /// `ROUND_ROBIN`
    RoundRobin,
    /// `RANDOM`
    Random,
    /// `PASSTHROUGH`: the address that was dialled.
    Passthrough,
    /// The same endpoint for the same key.
    ConsistentHash {
        /// What is hashed.
        key: HashKey,
        /// How it leads to an endpoint.
        algorithm: HashAlgorithm,
    },
}

/// What a consistent hash is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// A request header, lower case.
    Header(String),
    /// A cookie, made by Envoy if a lifetime is given and the request has none.
    Cookie {
        /// Its name.
        name: String,
        /// Its path.
        path: Option<String>,
        /// Its lifetime; zero: until the browser closes.
        ttl: Option<Duration>,
        /// Further attributes, in order.
        attributes: Vec<(String, String)>,
    },
    /// The peer's address.
    SourceIp,
    /// A query parameter.
    QueryParameter(String),
}

/// How a consistent hash leads to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// A ring of at least this many points (Istio's default 1024).
    RingHash {
        /// The number of points.
        minimum_ring_size: u64,
    },
    /// A table of this size, a prime below 5,000,011.
    Maglev {
        /// The number of entries.
        table_size: u64,
    },
}

/// Istio's LocalityLoadBalancerSetting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalityLb {
    /// Off if `Some(false)`.
    pub enabled: Option<bool>,
    /// How traffic is spread; at most one of these three forms.
    pub mode: LocalityMode,
}

/// The ways of a [`LocalityLb`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LocalityMode {
    /// Nothing but the default, the nearest first.
    #[default]
    Default,
    /// From each locality to others, with weights of sum 100.
    Distribute(Vec<(String, Vec<(String, u32)>)>),
    /// From a region to another, when unhealthy.
    Failover(Vec<(String, String)>),
    /// By labels in common, in this order; where regions are given, among those equally near by place.
    FailoverPriority {
        /// The labels.
        labels: Vec<String>,
        /// From a region to another, as in [`Self::Failover`].
        regions: Vec<(String, String)>,
    },
}

/// Istio's WarmupConfiguration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warmup {
    /// How long an endpoint is young.
    pub duration: Duration,
    /// Its share at the start, in percent of a full one.
    pub minimum_percent: f64,
    /// How its share grows; 1 is linear.
    pub aggression: f64,
}

/// Istio's ConnectionPoolSettings. `None` everywhere means Istio's default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionPool {
    /// For every connection.
    pub tcp: Option<TcpPool>,
    /// For HTTP.
    pub http: Option<HttpPool>,
}

/// Istio's TCPSettings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TcpPool {
    /// Default 2^32-1; 0 counts as not set.
    pub max_connections: Option<u32>,
    /// Default 10 s.
    pub connect_timeout: Option<Duration>,
    /// Keep-alive probes.
    pub keepalive: Option<TcpKeepalive>,
    /// A connection is not kept for longer.
    pub max_connection_duration: Option<Duration>,
    /// Default 1 h; zero switches it off.
    pub idle_timeout: Option<Duration>,
}

/// Istio's TcpKeepalive; what is not set is the system's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpKeepalive {
    /// Unanswered probes until the connection is dead.
    pub probes: Option<u32>,
    /// Idle time before the first.
    pub time: Option<Duration>,
    /// Between probes.
    pub interval: Option<Duration>,
}

/// Istio's HTTPSettings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpPool {
    /// Default 2^32-1; 0 counts as not set.
    pub http1_max_pending_requests: Option<u32>,
    /// Default 2^32-1; 0 counts as not set.
    pub http2_max_requests: Option<u32>,
    /// 0 or not set: no limit.
    pub max_requests_per_connection: Option<u32>,
    /// Default 2^32-1; 0 counts as not set.
    pub max_retries: Option<u32>,
    /// Default 1 h.
    pub idle_timeout: Option<Duration>,
    /// Whether HTTP/1.1 becomes HTTP/2.
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Speaks what the client spoke.
    pub use_client_protocol: bool,
    /// Streams of one HTTP/2 connection.
    pub max_concurrent_streams: Option<u32>,
    /// HTTP/2 pings.
    pub http2_keepalive: Option<Http2Keepalive>,
}

/// Istio's H2UpgradePolicy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum H2UpgradePolicy {
    /// The mesh's.
    #[default]
    Default,
    /// Never.
    DoNotUpgrade,
    /// Always.
    Upgrade,
}

/// HTTP/2 pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2Keepalive {
    /// Between pings.
    pub interval: Duration,
    /// Until an answer must be there.
    pub timeout: Duration,
}

/// Istio's OutlierDetection. `None` means Istio's default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutlierDetection {
    /// Default 5; 0 is off.
    pub consecutive_5xx_errors: Option<u32>,
    /// Default 0, off.
    pub consecutive_gateway_errors: Option<u32>,
    /// Counts failures of our own making apart.
    pub split_external_local_origin_errors: bool,
    /// Default 5; needs the above.
    pub consecutive_local_origin_failures: Option<u32>,
    /// Between looks; default 10 s.
    pub interval: Option<Duration>,
    /// First time out; default 30 s.
    pub base_ejection_time: Option<Duration>,
    /// At most this share is out; default 10 %.
    pub max_ejection_percent: Option<u32>,
    /// Below this healthy share all are used again; default 0 %.
    pub min_health_percent: Option<u32>,
    /// Statuses which count as errors; empty: all of 5xx.
    pub http_error_codes: Vec<u16>,
}

/// Istio's ClientTLSSettings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientTls {
    /// How TLS is spoken.
    pub mode: ClientTlsMode,
    /// A file with the chain.
    pub client_certificate: Option<String>,
    /// A file with the key.
    pub private_key: Option<String>,
    /// A file with the CAs. `None`: the server is not checked.
    pub ca_certificates: Option<String>,
    /// A secret with all of them.
    pub credential_name: Option<String>,
    /// Names one of which the server's certificate must have.
    pub subject_alt_names: Vec<String>,
    /// The name asked for in the handshake.
    pub sni: Option<String>,
    /// Does not check the server's certificate.
    pub insecure_skip_verify: Option<bool>,
    /// A file with revoked certificates.
    pub ca_crl: Option<String>,
}

/// Istio's TLSmode of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "Istio's own names")]
pub enum ClientTlsMode {
    #[default]
    Disable,
    Simple,
    Mutual,
    IstioMutual,
}

/// Istio's TunnelSettings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// How it is opened.
    pub protocol: TunnelProtocol,
    /// The host at its end.
    pub target_host: String,
    /// The port at its end.
    pub target_port: u16,
}

/// How a tunnel is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the HTTP methods")]
pub enum TunnelProtocol {
    #[default]
    Connect,
    Post,
}

/// Version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ProxyProtocolVersion {
    #[default]
    V1,
    V2,
}

/// Istio's RetryBudget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    /// Share of active requests that may be retries; default 20.
    pub percent: f64,
    /// Always allowed; default 3.
    pub min_retry_concurrency: u32,
    /// The time looked back over.
    pub budget_interval: Option<Duration>,
}
