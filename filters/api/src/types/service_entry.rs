//! `networking.istio.io` ServiceEntry.

use ipnet::IpNet;

use super::{
    common::{ExportTo, Port, WorkloadSelector},
    workload_entry::WorkloadEntry,
};
use crate::host::HostPattern;

/// A service which the mesh would not know otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceEntry {
    /// Its names, 1 to 256, none of them a bare `*`.
    pub hosts: Vec<HostPattern>,
    /// Its virtual addresses.
    pub addresses: Vec<IpNet>,
    /// Its ports; numbers and names are unique.
    pub ports: Vec<Port>,
    /// Whether it is part of the mesh.
    pub location: Location,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Its endpoints. Empty together with DNS resolution: the hosts themselves.
    pub endpoints: Vec<WorkloadEntry>,
    /// Chooses WorkloadEntries and pods as endpoints; excludes `endpoints`.
    pub workload_selector: Option<WorkloadSelector>,
    /// Which namespaces see it.
    pub export_to: ExportTo,
    /// Names one of which the server's certificate must have.
    pub subject_alt_names: Vec<String>,
}

/// Whether a service is part of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "Istio's own names")]
pub enum Location {
    #[default]
    MeshExternal,
    MeshInternal,
}

/// How the endpoints of a service are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolution {
    /// The address that was dialled.
    #[default]
    None,
    /// The endpoints' addresses.
    Static,
    /// DNS, all addresses of the answer.
    Dns,
    /// DNS, one address at a time.
    DnsRoundRobin,
    /// DNS by the name of each request (wildcard hosts).
    DynamicDns,
}
