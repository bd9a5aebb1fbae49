//! `envoy.config.listener.v3.Listener`

use ipnet::IpNet;
use serde::Serialize;

use super::access_log::AccessLog;
use super::any::Extension;
use super::scalars::{Address, Empty, Seconds, is_default};

/// A port that Envoy opens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listener {
    /// Unique.
    pub name: String,
    /// Where.
    pub address: Address,
    /// Which way its traffic goes.
    pub traffic_direction: TrafficDirection,
    /// What looks at a connection before its chain is chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listener_filters: Vec<Extension>,
    /// What is done with a connection: by the chain whose match fits best.
    pub filter_chains: Vec<FilterChain>,
}

/// `envoy.config.core.v3.TrafficDirection`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TrafficDirection {
    /// To the workload.
    Inbound,
    /// From the workload, and through a gateway.
    Outbound,
}

/// What is done with a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterChain {
    /// Unique among those of a listener; what stays the same under its name keeps its connections. Empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// For which connections.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_chain_match: FilterChainMatch,
    /// Network filters.
    pub filters: Vec<Extension>,
    /// TLS with the client. `None`: plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_socket: Option<Extension>,
    /// How long a handshake may take. `None`: as long as the client likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_socket_connect_timeout: Option<Seconds>,
}

/// `FilterChainMatch`: every field that says something has to fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FilterChainMatch {
    /// Where the connection was headed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<u16>,
    /// Where the connection was headed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefix_ranges: Vec<CidrRange>,
    /// Names asked for by TLS, exact or `*.` and a suffix; needs the TLS inspector.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_names: Vec<String>,
    /// `tls` or `raw_buffer`; needs the TLS inspector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_protocol: Option<&'static str>,
    /// Protocols that TLS offers; needs the TLS inspector.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub application_protocols: Vec<&'static str>,
}

/// `envoy.config.core.v3.CidrRange`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CidrRange {
    /// The address.
    pub address_prefix: String,
    /// Its first bits count.
    pub prefix_len: u8,
}

impl From<IpNet> for CidrRange {
    fn from(block: IpNet) -> Self {
        Self { address_prefix: block.network().to_string(), prefix_len: block.prefix_len() }
    }
}

/// `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpProxy {
    /// In front of its statistics.
    pub stat_prefix: String,
    /// Where bytes go.
    #[serde(flatten)]
    pub cluster: TcpCluster,
    /// A connection on which nothing happens is closed. `None`: after an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Seconds>,
    /// A connection is closed after so long. `None`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_downstream_connection_duration: Option<Seconds>,
    /// By what a cluster chooses that hashes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hash_policy: Vec<TcpHashPolicy>,
    /// Access logs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_log: Vec<AccessLog>,
}

/// `envoy.type.v3.HashPolicy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TcpHashPolicy {
    /// The client's address.
    pub source_ip: Empty,
}

/// Where a connection's bytes go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TcpCluster {
    /// Always there.
    Cluster(String),
    /// To one of these, by weight.
    WeightedClusters {
        /// They.
        clusters: Vec<WeightedCluster>,
    },
}

/// A cluster and its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightedCluster {
    /// The cluster.
    pub name: String,
    /// Its share.
    pub weight: u32,
}
