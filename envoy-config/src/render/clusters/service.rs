//! What a cluster says of the service behind it: Istio's metadata `istio.services`, by which metrics name the service.

use std::collections::BTreeMap;

use outrigger_api::types::kubernetes::PortRef;
use outrigger_api::{Proxy, Resource, Spec};
use outrigger_core::route::Destination;
use serde_json::{Value, json};

use super::discovery::Found;
use crate::envoy::cluster::Metadata;

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
    let services: Vec<_> =
        resources.iter().filter_map(|resource| selecting(resource, port, proxy)).flatten().collect();
    if services.is_empty() {
        return Metadata::default();
    }
    Metadata { filter_metadata: BTreeMap::from([(ISTIO, json!({ "services": services }))]) }
}

/// The services that a resource declares, if they select this workload and its port.
fn selecting(resource: &Resource, port: u16, proxy: &Proxy) -> Option<Vec<Value>> {
    let (meta, labels) = (&resource.meta, &proxy.labels);
    if meta.namespace != proxy.namespace {
        return None;
    }
    match &resource.spec {
        Spec::Service(service) => {
            let selects = !service.selector.is_empty()
                && service.selector.iter().all(|(key, value)| labels.get(key) == Some(value));
            let is_target = service.ports.iter().any(|of| match &of.target_port {
                Some(PortRef::Number(number)) => *number == port,
                Some(PortRef::Name(_)) => false,
                None => of.port == port,
            });
            let host = format!("{}.{}.svc.{}", meta.name, meta.namespace, proxy.cluster_domain);
            (selects && is_target).then(|| vec![self::service(resource, &host)])
        }
        Spec::ServiceEntry(entry) => {
            let selects = entry.workload_selector.as_ref().is_some_and(|selector| selector.matches(labels));
            let is_target = entry.ports.iter().any(|of| of.target_port.unwrap_or(of.number) == port);
            let hosts = entry.hosts.iter().map(|host| self::service(resource, &host.to_string()));
            (selects && is_target).then(|| hosts.collect())
        }
        _ => None,
    }
}

/// A ServiceEntry's service is called by its host.
fn service(resource: &Resource, host: &str) -> Value {
    let name = if matches!(resource.spec, Spec::Service(_)) { &*resource.meta.name } else { host };
    json!({ "host": host, "name": name, "namespace": resource.meta.namespace })
}
