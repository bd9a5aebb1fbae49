//! Kubernetes' own kinds, as far as endpoints are found by them and `analyze` looks at them.

use std::net::IpAddr;

use super::common::Labels;

/// `v1` Service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Labels of its pods.
    pub selector: Labels,
    /// Its addresses; none if headless.
    pub cluster_ips: Vec<IpAddr>,
    /// It has the address `None`.
    pub headless: bool,
    /// The name it stands for (type `ExternalName`).
    pub external_name: Option<String>,
}

/// A port of a [`Service`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name, may be empty for a single one.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// The port of the pods; `None`: the same.
    pub target_port: Option<PortRef>,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// What is spoken there, such as `http2`; else the name's prefix says it.
    pub app_protocol: Option<String>,
}

impl Service {
    /// Whether it chooses a workload with `labels`. One without a selector chooses none.
    pub fn selects(&self, labels: &Labels) -> bool {
        !self.selector.is_empty() && self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// A port by number or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortRef {
    /// Its number.
    Number(u16),
    /// The name of a container port.
    Name(String),
}

/// `discovery.k8s.io/v1` EndpointSlice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointSlice {
    /// By label `kubernetes.io/service-name`.
    pub service: Option<String>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Ports of all of them.
    pub ports: Vec<EndpointPort>,
}

/// One endpoint of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// IP addresses, or host names in a slice of type FQDN; only the first counts.
    pub addresses: Vec<String>,
    /// Whether it takes traffic; `None` counts as yes.
    pub ready: Option<bool>,
    /// Whether it answers, whether it is about to end or not.
    pub serving: Option<bool>,
    /// Whether it is about to end.
    pub terminating: Option<bool>,
    /// The pod's name.
    pub target: Option<String>,
    /// The zone it is in.
    pub zone: Option<String>,
}

/// A port of an [`EndpointSlice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointPort {
    /// The name of the service's port.
    pub name: String,
    /// Its number.
    pub port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// What is spoken there.
    pub app_protocol: Option<String>,
}

/// Pods: a Pod, or the template of a Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Workload {
    /// Labels of the pods.
    pub labels: Labels,
    /// Ports of all containers.
    pub ports: Vec<ContainerPort>,
    /// Whom they run as.
    pub service_account: Option<String>,
}

impl Workload {
    /// The number of the container's port with this name.
    pub fn port(&self, name: &str) -> Option<u16> {
        let named = self.ports.iter().find(|port| port.name.as_deref() == Some(name));
        named.map(|port| port.port)
    }
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub port: u16,
}
