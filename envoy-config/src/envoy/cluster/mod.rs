//! `envoy.config.cluster.v3.Cluster`

mod balancing;
mod endpoint;
mod health;
mod limits;
mod protocol;

use std::collections::BTreeMap;

use serde::Serialize;

use super::any::{Any, Extension};
use super::discovery::ConfigSource;
use super::scalars::{Seconds, is_default};

pub use self::balancing::*;
pub use self::endpoint::*;
pub use self::health::*;
pub use self::limits::*;
pub use self::protocol::*;

/// A service, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// Unique.
    pub name: String,
    /// How its endpoints are found.
    #[serde(flatten)]
    pub discovery: Discovery,
    /// Where its endpoints are, if they are in a file of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eds_cluster_config: Option<EdsClusterConfig>,
    /// How long a connection may take.
    pub connect_timeout: Seconds,
    /// How an endpoint is chosen.
    #[serde(flatten)]
    pub balancing: Balancing,
    /// More about one of Envoy's own ways.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub lb_config: Option<LbConfig>,
    /// Common to all ways of choosing.
    #[serde(skip_serializing_if = "is_default")]
    pub common_lb_config: CommonLbConfig,
    /// Limits.
    pub circuit_breakers: CircuitBreakers,
    /// When an endpoint is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    /// How endpoints are asked whether they work. At most one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<HealthCheck>,
    /// An endpoint that is taken away is taken away, also one that is asked and works.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_health_on_host_removal: bool,
    /// Keep-alive of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_connection_options: Option<ConnectionOptions>,
    /// How HTTP is spoken, by the name of the extension.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub typed_extension_protocol_options: BTreeMap<&'static str, Any>,
    /// What is below the protocol, TLS for example. `None`: plain text, or what `transport_socket_matches` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_socket: Option<Extension>,
    /// The same by what is known of an endpoint; the first that fits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transport_socket_matches: Vec<TransportSocketMatch>,
    /// What is known of it.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Metadata,
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
    /// They are given by address, in a file of their own.
    Eds,
}

/// `Cluster.EdsClusterConfig`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdsClusterConfig {
    /// The file.
    pub eds_config: ConfigSource,
}

/// `Cluster.TransportSocketMatch`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransportSocketMatch {
    /// In statistics.
    pub name: String,
    /// What must be known of an endpoint; nothing: it is for any.
    #[serde(rename = "match")]
    pub matches: BTreeMap<&'static str, &'static str>,
    /// What is below the protocol then.
    pub transport_socket: Extension,
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

/// The DNS answers that the dynamic forward proxy's filter and cluster share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DnsCache {
    /// Equal names need equal settings.
    pub name: &'static str,
    /// What addresses DNS is asked for.
    pub dns_lookup_family: &'static str,
}
