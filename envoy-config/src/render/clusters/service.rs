//! What a cluster says of the service behind it: Istio's metadata `istio.services`, by which metrics name the service.

use std::collections::BTreeMap;

use outrigger_api::{Proxy, Resource, Spec};
use outrigger_core::route::Destination;
use serde_json::{Value, json};

use super::discovery::Found;
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
pub(super) fn of_application(port: u16, resources: &[Resource], proxy: &Proxy) -> Metadata {
    let selected = resources.iter().filter_map(|resource| selecting(resource, port, proxy)).flatten();
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
pub(in crate::render) fn application_operation(
    port: u16,
    resources: &[Resource],
    proxy: &Proxy,
) -> Option<String> {
    of_port(port, resources, proxy).map(|(host, number)| format!("{host}:{number}"))
}

/// The host of the first service of the sidecar's application at this port, and the service's own port.
pub(super) fn of_port(port: u16, resources: &[Resource], proxy: &Proxy) -> Option<(String, u16)> {
    let services = resources.iter().filter_map(|resource| selecting(resource, port, proxy)).flatten();
    let named =
        services.filter_map(|(service, number)| Some((service.get("host")?.as_str()?.to_owned(), number)));
    named.min()
}

/// The services that a resource declares, if they select this workload and its port; with their own port.
fn selecting(resource: &Resource, port: u16, proxy: &Proxy) -> Option<Vec<(Value, u16)>> {
    let (meta, labels) = (&resource.meta, &proxy.labels);
    if meta.namespace != proxy.namespace {
        return None;
    }
    match &resource.spec {
        Spec::Service(service) => {
            let of = service.ports.iter().find(|of| of.leads_to(port))?;
            let host = format!("{}.{}.svc.{}", meta.name, meta.namespace, proxy.cluster_domain);
            service.selects(labels).then(|| vec![(self::service(resource, &host), of.port)])
        }
        Spec::ServiceEntry(entry) => {
            let selects = entry.workload_selector.as_ref().is_some_and(|selector| selector.matches(labels));
            let of = entry.ports.iter().find(|of| of.target_port.unwrap_or(of.number) == port)?;
            let hosts = entry.hosts.iter();
            let services = hosts.map(|host| (self::service(resource, &host.to_string()), of.number));
            selects.then(|| services.collect())
        }
        _ => None,
    }
}

/// A ServiceEntry's service is called by its host.
fn service(resource: &Resource, host: &str) -> Value {
    let name = if matches!(resource.spec, Spec::Service(_)) { &*resource.meta.name } else { host };
    json!({ "host": host, "name": name, "namespace": resource.meta.namespace })
}
