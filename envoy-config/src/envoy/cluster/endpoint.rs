//! `envoy.config.endpoint.v3`: the endpoints of a cluster.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::super::scalars::{Address, is_default};

/// `envoy.config.endpoint.v3.ClusterLoadAssignment`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadAssignment {
    /// The cluster's name.
    pub cluster_name: String,
    /// By locality and priority.
    pub endpoints: Vec<LocalityEndpoints>,
}

/// Endpoints of one locality and one priority.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LocalityEndpoints {
    /// Where they are.
    #[serde(skip_serializing_if = "is_default")]
    pub locality: Locality,
    /// The endpoints.
    pub lb_endpoints: Vec<LbEndpoint>,
    /// The share of the locality, where localities have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_weight: Option<u32>,
    /// 0 comes first, the next when too few of those before are healthy.
    #[serde(skip_serializing_if = "is_default")]
    pub priority: u32,
}

/// `envoy.config.core.v3.Locality`; what is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct Locality {
    /// The region.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The zone in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The part of the zone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub_zone: String,
}

/// An endpoint and its share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LbEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its share; `None` counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_weight: Option<u32>,
    /// What is known of it.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Metadata,
}

/// `envoy.config.core.v3.Metadata`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Metadata {
    /// By who reads it.
    pub filter_metadata: BTreeMap<&'static str, Value>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// Where it is asked whether it works, if that is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_config: Option<EndpointHealthCheck>,
}

/// `Endpoint.HealthCheckConfig`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EndpointHealthCheck {
    /// At this port.
    pub port_value: u16,
}

impl LbEndpoint {
    /// An endpoint of which only the address is known.
    pub fn at(address: Address) -> Self {
        Self {
            endpoint: Endpoint { address, health_check_config: None },
            load_balancing_weight: None,
            metadata: Metadata::default(),
        }
    }
}

impl LoadAssignment {
    /// Endpoints of which nothing is said but where they are.
    pub fn plain(cluster_name: String, lb_endpoints: Vec<LbEndpoint>) -> Self {
        Self { cluster_name, endpoints: vec![LocalityEndpoints { lb_endpoints, ..Default::default() }] }
    }
}
