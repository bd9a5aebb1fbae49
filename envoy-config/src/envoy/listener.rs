//! `envoy.config.listener.v3.Listener`

use serde::Serialize;

use super::any::Extension;
use super::scalars::Address;

/// A port that Envoy opens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listener {
    /// Unique.
    pub name: String,
    /// Where.
    pub address: Address,
    /// Which way its traffic goes.
    pub traffic_direction: TrafficDirection,
    /// What is done with a connection.
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
    /// Network filters.
    pub filters: Vec<Extension>,
}
