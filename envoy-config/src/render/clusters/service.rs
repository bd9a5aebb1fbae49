//! What a cluster says of the service behind it: Istio's metadata `istio.services`, by which metrics name the service.

use std::collections::BTreeMap;

use outrigger_api::{Resource, Spec};
use outrigger_core::route::Destination;
use serde_json::{Value, json};

use super::discovery::Found;
use super::own_port::OwnPort;
use crate::envoy::cluster::Metadata;
use crate::render::tracing::OPERATION;

/// Whose metadata it is.
const ISTIO: &str = "istio";

/// Of the cluster of a destination. Nothing if no resource declares its service.
pub(super) fn of_destination(destination: &Destination, found: &Found<'_>) -> Metadata {
    let Some(resource) = found.resource else { return Metadata::default() };
    let mut metadata = json!({ "services": [service(resource, &destination.host)] });
    if !found.in_mesh
        && let Some(fields) = metadata.as_object_mut()
    {
        fields.insert("external".to_owned(), Value::Bool(true));
    }
    Metadata { filter_metadata: BTreeMap::from([(ISTIO, metadata)]) }
}

/// Of the cluster of a sidecar's application: the services that select it and have this port.
pub(super) fn of_application(port: OwnPort<'_>) -> Metadata {
    let selected = port.resources.iter().filter_map(|resource| selecting(resource, port)).flatten();
    let services: Vec<_> = selected.map(|(service, _)| service).collect();
    if services.is_empty() {
        return Metadata::default();
    }
    Metadata { filter_metadata: BTreeMap::from([(ISTIO, json!({ "services": services }))]) }
}

/// What spans of requests to a destination are called.
pub(super) fn name_spans(metadata: &mut Metadata, destination: &Destination) {
    let (name, key) = OPERATION;
    let operation = format!("{}:{}", destination.host, destination.port);
    metadata.filter_metadata.insert(name, json!({ key: operation }));
}

/// The `host:port` of the first service of the sidecar's application at this port, what spans of its requests are called.
pub(in crate::render) fn application_operation(port: OwnPort<'_>) -> Option<String> {
    of_port(port).map(|(host, number)| format!("{host}:{number}"))
}

/// The host of the first service of the sidecar's application at this port, and the service's own port.
pub(super) fn of_port(port: OwnPort<'_>) -> Option<(String, u16)> {
    let services = port.resources.iter().filter_map(|resource| selecting(resource, port)).flatten();
    let named =
        services.filter_map(|(service, number)| Some((service.get("host")?.as_str()?.to_owned(), number)));
    named.min()
}

/// The services that a resource declares, if they select this workload and its port; with their own port.
fn selecting(resource: &Resource, port: OwnPort<'_>) -> Option<Vec<(Value, u16)>> {
    let (meta, proxy) = (&resource.meta, port.proxy);
    if meta.namespace != proxy.namespace {
        return None;
    }
    match &resource.spec {
        Spec::Service(service) => {
            let of = port.of_service(service)?;
            let host = format!("{}.{}.svc.{}", meta.name, meta.namespace, proxy.cluster_domain);
            Some(vec![(self::service(resource, &host), of.port)])
        }
        Spec::ServiceEntry(entry) => {
            let of = port.of_entry(entry)?;
            let hosts = entry.hosts.iter();
            Some(hosts.map(|host| (self::service(resource, &host.to_string()), of.number)).collect())
        }
        _ => None,
    }
}

/// A ServiceEntry's service is called by its host.
fn service(resource: &Resource, host: &str) -> Value {
    let name = if matches!(resource.spec, Spec::Service(_)) { &*resource.meta.name } else { host };
    json!({ "host": host, "name": name, "namespace": resource.meta.namespace })
}
