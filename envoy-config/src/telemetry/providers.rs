//! Extension providers by name.

use std::borrow::Cow;

use outrigger_api::types::telemetry_provider::{FileAccessLogProvider, TelemetryProviderKind};

use crate::mesh_config::MeshConfig;

/// Providers that a mesh has without anybody's saying so, as in Istio.
const BUILT_IN: [&str; 3] = [ENVOY, "prometheus", "stackdriver"];
/// The one that logs to standard output.
pub(crate) const ENVOY: &str = "envoy";

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provider<'m> {
    /// A place for logs, traces or metrics.
    Telemetry(Cow<'m, TelemetryProviderKind>),
    /// A server that authorizes requests.
    Authorizing,
}

/// The provider of that name, without regard to case.
pub(crate) fn find<'m>(mesh: &'m MeshConfig, name: &str) -> Option<Provider<'m>> {
    let is_named = |other: &str| other.eq_ignore_ascii_case(name);
    if let Some(found) = mesh.telemetry_providers.iter().find(|provider| is_named(&provider.name)) {
        return Some(Provider::Telemetry(Cow::Borrowed(&found.kind)));
    }
    if mesh.extension_providers.iter().any(|provider| is_named(&provider.name)) {
        return Some(Provider::Authorizing);
    }
    let built_in = match BUILT_IN.into_iter().find(|built_in| is_named(built_in))? {
        ENVOY => TelemetryProviderKind::FileAccessLog(FileAccessLogProvider {
            path: FileAccessLogProvider::STDOUT.to_owned(),
            format: None,
            omit_empty_values: false,
        }),
        "prometheus" => TelemetryProviderKind::Prometheus,
        other => TelemetryProviderKind::Other(other),
    };
    Some(Provider::Telemetry(Cow::Owned(built_in)))
}

/// The same, if it is a place for logs, traces or metrics.
pub(crate) fn telemetry<'m>(mesh: &'m MeshConfig, name: &str) -> Option<Cow<'m, TelemetryProviderKind>> {
    match find(mesh, name)? {
        Provider::Telemetry(kind) => Some(kind),
        Provider::Authorizing => None,
    }
}

/// Every name there is.
pub(crate) fn names(mesh: &MeshConfig) -> Vec<&str> {
    let telemetry = mesh.telemetry_providers.iter().map(|provider| provider.name.as_str());
    let authorizing = mesh.extension_providers.iter().map(|provider| provider.name.as_str());
    telemetry.chain(authorizing).chain(BUILT_IN).collect()
}
