//! `networking.istio.io` Sidecar.

use super::{
    common::{Destination, Port, WorkloadSelector},
    destination_rule::ConnectionPool,
    gateway::ServerTls,
};
use crate::host::HostPattern;

/// What a sidecar listens to and which services it knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sidecar {
    /// For these workloads; `None`: the namespace's default.
    pub workload_selector: Option<WorkloadSelector>,
    /// Inbound listeners.
    pub ingress: Vec<IngressListener>,
    /// Outbound listeners.
    pub egress: Vec<EgressListener>,
    /// Limits of inbound connections.
    pub inbound_connection_pool: Option<ConnectionPool>,
    /// What happens to unknown destinations. `None`: the mesh's.
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
}

/// An inbound listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressListener {
    /// Its port.
    pub port: Port,
    /// Its address.
    pub bind: Option<String>,
    /// How traffic comes to it.
    pub capture_mode: CaptureMode,
    /// Where the application listens, as `127.0.0.1:PORT` or `unix://PATH`.
    pub default_endpoint: Option<String>,
    /// Termination of TLS.
    pub tls: Option<ServerTls>,
    /// Limits of its connections.
    pub connection_pool: Option<ConnectionPool>,
}

/// An outbound listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressListener {
    /// `None`: all ports without one of their own.
    pub port: Option<Port>,
    /// Its address.
    pub bind: Option<String>,
    /// How traffic comes to it.
    pub capture_mode: CaptureMode,
    /// The services it knows; never empty.
    pub hosts: Vec<EgressHost>,
}

/// `ns/host` of an outbound listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressHost {
    /// Of which namespace.
    pub scope: EgressScope,
    /// Which services.
    pub host: HostPattern,
}

/// The part of an egress host before the slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EgressScope {
    /// Services of this namespace are known.
    Of(EgressNamespace),
    /// With `~` in front: services of this namespace are not known, whatever else is said.
    Except(EgressNamespace),
}

/// Whose services an egress host speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EgressNamespace {
    /// `*`, or nothing after `~`: those of every namespace.
    Any,
    /// `.`: those of the sidecar's own namespace, also where the resource is in the root namespace.
    Own,
    /// Those of this one.
    Named(String),
}

/// Istio's CaptureMode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "Istio's own names")]
pub enum CaptureMode {
    #[default]
    Default,
    Iptables,
    None,
}

/// What happens to a destination which is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundTrafficPolicy {
    /// It is refused.
    RegistryOnly,
    /// It is passed through, by this service if there is one.
    AllowAny {
        /// Deprecated `egressProxy`.
        egress_proxy: Option<Destination>,
    },
}
