//! Extension providers by name.

use std::borrow::Cow;

pub(crate) use outrigger_api::types::provider_name::ENVOY;
use outrigger_api::types::provider_name::{Provider, Providers};
use outrigger_api::types::telemetry_provider::TelemetryProviderKind;

use crate::mesh_config::MeshConfig;

/// All of them.
pub(crate) fn of(mesh: &MeshConfig) -> Providers<'_> {
    Providers { telemetry: &mesh.telemetry_providers, authorizing: &mesh.extension_providers }
}

/// The provider of that name, if it is a place for logs, traces or metrics.
pub(crate) fn telemetry<'m>(mesh: &'m MeshConfig, name: &str) -> Option<Cow<'m, TelemetryProviderKind>> {
    match of(mesh).find(name)? {
        Provider::Telemetry(kind) => Some(kind),
        Provider::Authorizing => None,
    }
}
