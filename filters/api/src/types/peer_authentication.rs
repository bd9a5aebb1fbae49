//! `security.istio.io` PeerAuthentication.

use std::collections::BTreeMap;

use super::common::WorkloadSelector;

/// Whether peers must show a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerAuthentication {
    /// For these workloads; `None`: the namespace, or from the root namespace the mesh.
    pub selector: Option<WorkloadSelector>,
    /// For all ports.
    pub mode: MtlsMode,
    /// For single ports of the workload.
    pub port_level: BTreeMap<u16, MtlsMode>,
}

/// Istio's MutualTLS mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MtlsMode {
    /// As the next wider policy says; at the top `Permissive`.
    #[default]
    Unset,
    /// Plain text only.
    Disable,
    /// Both.
    Permissive,
    /// Mutual TLS only.
    Strict,
}
