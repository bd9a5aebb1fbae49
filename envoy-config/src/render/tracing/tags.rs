//! Tags of spans.

use outrigger_api::Proxy;
use outrigger_api::types::telemetry::CustomTag as Custom;
use outrigger_core::telemetry::{UNKNOWN, Workload};

use crate::envoy::tracing::{CustomTag, NamedSource, TagSource};
use crate::mesh_config::MeshConfig;
use crate::render::access_log::decided;
use crate::telemetry::tracing::Traces;

/// Istio's tags, what the filters have decided, and those that were asked for, by name. What is asked for wins.
pub(super) fn tags(traces: &Traces<'_>, proxy: &Proxy, mesh: &MeshConfig) -> Vec<CustomTag> {
    let mut tags: Vec<_> =
        traces.tags.iter().map(|(name, tag)| CustomTag { tag: name.clone(), source: source(tag) }).collect();
    if traces.istio_tags {
        for tag in of_proxy(proxy, mesh).into_iter().chain(decided()) {
            if !traces.tags.contains_key(&tag.tag) {
                tags.push(tag);
            }
        }
    }
    tags.sort_by(|one, other| one.tag.cmp(&other.tag));
    tags
}

/// Istio's tags, which say whose span it is.
fn of_proxy(proxy: &Proxy, mesh: &MeshConfig) -> Vec<CustomTag> {
    let workload = Workload::local(proxy);
    let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    let mesh_id = mesh.mesh_id.clone().unwrap_or_else(|| proxy.trust_domain.clone());
    let tags = [
        ("canonical_revision", or(workload.canonical_revision, "latest")),
        ("canonical_service", or(workload.canonical_service, UNKNOWN)),
        ("cluster_id", or(workload.cluster, UNKNOWN)),
        ("mesh_id", or(mesh_id, UNKNOWN)),
        ("namespace", or(workload.namespace, "default")),
    ];
    let literal = |value| TagSource::Literal { value };
    tags.into_iter()
        .map(|(name, value)| CustomTag { tag: format!("istio.{name}"), source: literal(value) })
        .collect()
}

fn source(tag: &Custom) -> TagSource {
    let named = |name: &str, default_value: &str| NamedSource {
        name: name.to_owned(),
        default_value: default_value.to_owned(),
    };
    match tag {
        Custom::Literal(value) => TagSource::Literal { value: value.clone() },
        Custom::Environment { name, default_value } => TagSource::Environment(named(name, default_value)),
        Custom::Header { name, default_value } => TagSource::RequestHeader(named(name, default_value)),
        Custom::Formatter(format) => TagSource::Value(format.clone()),
    }
}
