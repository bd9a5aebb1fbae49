//! `networking.istio.io` WorkloadEntry, also the endpoint of a ServiceEntry.

use std::{collections::BTreeMap, net::IpAddr};

use super::common::Labels;

/// A workload outside Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// Where it is.
    pub address: Address,
    /// Its port by the name of the service's port.
    pub ports: BTreeMap<String, u16>,
    /// Its labels.
    pub labels: Labels,
    /// Its network.
    pub network: Option<String>,
    /// `region/zone/subzone`.
    pub locality: Option<String>,
    /// Its share; `None` counts as 1.
    pub weight: Option<u32>,
    /// Whom it runs as.
    pub service_account: Option<String>,
}

/// Where a workload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An IP address.
    Ip(IpAddr),
    /// A name to look up.
    Dns(String),
    /// The absolute path of a unix socket (`@` in front: abstract).
    Unix(String),
    /// None: by its network's gateway.
    Network,
}
