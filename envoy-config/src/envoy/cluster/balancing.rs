//! How an endpoint of a cluster is chosen.

use serde::Serialize;

use super::super::any::Extension;
use super::super::scalars::{Empty, Percent, Seconds};

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

/// What one of Envoy's own ways is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LbConfig {
    /// Of `LEAST_REQUEST`.
    LeastRequestLbConfig {
        /// Young endpoints get less.
        slow_start_config: SlowStart,
    },
    /// Of `ROUND_ROBIN`.
    RoundRobinLbConfig {
        /// Young endpoints get less.
        slow_start_config: SlowStart,
    },
}

/// `Cluster.SlowStartConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowStart {
    /// How long an endpoint is young.
    pub slow_start_window: Seconds,
    /// How its share grows; 1 is linear.
    pub aggression: RuntimeDouble,
    /// Its share at the start.
    pub min_weight_percent: Percent,
}

/// `envoy.config.core.v3.RuntimeDouble`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuntimeDouble {
    /// The number.
    pub default_value: f64,
    /// Where a runtime layer could change it; it has to be named, and nobody sets it.
    pub runtime_key: &'static str,
}

/// Common to all ways of choosing.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CommonLbConfig {
    /// Below this healthy share all are used again. `None`: 50 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_panic_threshold: Option<Percent>,
    /// A locality is chosen first, by its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality_weighted_lb_config: Option<Empty>,
}
