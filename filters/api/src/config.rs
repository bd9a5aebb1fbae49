//! A filter's configuration: who this proxy is, and the resources.

use crate::{resource::Resource, types::common::Labels};

/// `{ "proxy": {…}, "resources": […] }`
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Who this proxy is.
    pub proxy: Proxy,
    /// What it carries out.
    pub resources: Vec<Resource>,
}

/// Who a proxy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `role`: gateway or sidecar.
    pub role: Role,
    /// `workload`: its name, for metrics.
    pub workload: String,
    /// `namespace`
    pub namespace: String,
    /// `labels`: those of its workload.
    pub labels: Labels,
    /// `serviceAccount`
    pub service_account: Option<String>,
    /// `trustDomain`; default `cluster.local`.
    pub trust_domain: String,
    /// `rootNamespace`: where resources count for the whole mesh; default `istio-system`.
    pub root_namespace: String,
    /// `clusterDomain`: ending of the names of services; default `cluster.local`.
    pub cluster_domain: String,
    /// `direction`: of a sidecar, which of its listeners this filter is on.
    pub direction: Option<Direction>,
    /// `port`: of the Gateway server, or of the listener, that this filter serves. `None`: ask Envoy.
    pub port: Option<u16>,
}

/// The part a proxy plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Stands at the edge of the mesh.
    Gateway,
    /// Stands beside one workload.
    Sidecar,
}

/// Which way a request goes through a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the workload.
    Inbound,
    /// From the workload.
    Outbound,
}

impl Default for Proxy {
    /// A gateway of no particular name in namespace `default`.
    fn default() -> Self {
        Self {
            role: Role::Gateway,
            workload: String::new(),
            namespace: "default".into(),
            labels: Labels::new(),
            service_account: None,
            trust_domain: "cluster.local".into(),
            root_namespace: "istio-system".into(),
            cluster_domain: "cluster.local".into(),
            direction: None,
            port: None,
        }
    }
}

impl Proxy {
    /// Whether requests end here as far as Istio is concerned: at a gateway and on a sidecar's inbound listener. That
    /// is where it authenticates and authorizes them.
    pub fn receives(&self) -> bool {
        self.role == Role::Gateway || self.direction != Some(Direction::Outbound)
    }

    /// Whether VirtualServices apply: at a gateway and on a sidecar's outbound listener.
    pub fn routes(&self) -> bool {
        self.role == Role::Gateway || self.direction == Some(Direction::Outbound)
    }
}
