//! What Telemetries and the mesh configuration say of logs and traces, merged as istiod does.

pub(crate) mod logging;
pub(crate) mod providers;
#[cfg(test)]
mod tests;
pub(crate) mod tracing;

use outrigger_api::types::telemetry::{Telemetry, WorkloadMode};
use outrigger_api::{Direction, Proxy, Resource, Role, select};

use crate::mesh_config::MeshConfig;

/// For which listener of a proxy something is merged.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'s> {
    /// The Telemetries that hold, the most general first.
    pub(crate) telemetries: Vec<(&'s Resource, &'s Telemetry)>,
    /// What the mesh has in common.
    pub(crate) mesh: &'s MeshConfig,
    /// `CLIENT` or `SERVER`.
    side: WorkloadMode,
}

impl<'s> Scope<'s> {
    /// The listener of `proxy`. A gateway is a client, as in Istio.
    pub(crate) fn new(resources: &'s [Resource], proxy: &Proxy, mesh: &'s MeshConfig) -> Self {
        let serves = proxy.role == Role::Sidecar && proxy.direction != Some(Direction::Outbound);
        let side = if serves { WorkloadMode::Server } else { WorkloadMode::Client };
        Self { telemetries: select::telemetries(resources, proxy), mesh, side }
    }

    /// Whether an entry is about this side.
    fn is_meant(&self, mode: WorkloadMode) -> bool {
        mode == WorkloadMode::ClientAndServer || mode == self.side
    }
}
