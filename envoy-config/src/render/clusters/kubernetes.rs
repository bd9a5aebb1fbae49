//! Kubernetes' own way of saying where a service is.

use outrigger_api::Proxy;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::Labels;
use outrigger_api::types::kubernetes::{PortRef, Service, ServicePort};

use super::endpoints::{Endpoints, endpoint, has, workload, workload_entries};
use crate::envoy::cluster::LbEndpoint;

/// The Service that `host` is the full name of.
pub(super) fn service<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
    host: &str,
) -> Option<(&'r Resource, &'r Service)> {
    let name = host.strip_suffix(proxy.cluster_domain.as_str())?.strip_suffix(".svc.")?;
    resources.iter().find_map(|resource| match &resource.spec {
        Spec::Service(service) if name == format!("{}.{}", resource.meta.name, resource.meta.namespace) => {
            Some((resource, service))
        }
        _ => None,
    })
}

/// The endpoints of a Service from its EndpointSlices and, by its selector, WorkloadEntries; `None` if there is neither.
pub(super) fn endpoints(
    resources: &[Resource],
    resource: &Resource,
    service: &Service,
    port: &ServicePort,
    labels: Option<&Labels>,
) -> Option<Endpoints> {
    let meta = &resource.meta;
    let slices: Vec<_> = resources
        .iter()
        .filter(|slice| slice.meta.namespace == meta.namespace)
        .filter_map(|resource| match &resource.spec {
            Spec::EndpointSlice(slice) if slice.service.as_deref() == Some(&meta.name) => Some(slice),
            _ => None,
        })
        .collect();
    let selected: Vec<_> = workload_entries(resources, &meta.namespace)
        .filter(|(_, entry)| !service.selector.is_empty() && has(&entry.labels, Some(&service.selector)))
        .collect();
    if slices.is_empty() && selected.is_empty() {
        return None;
    }
    let mut endpoints = Vec::new();
    for slice in slices {
        let Some(number) = slice.ports.iter().find(|one| one.name == port.name).and_then(|one| one.port)
        else {
            continue;
        };
        let ready = slice.endpoints.iter().filter(|endpoint| endpoint.ready != Some(false));
        let chosen = ready.filter(|endpoint| match labels.filter(|labels| !labels.is_empty()) {
            None => true,
            some => pod_labels(resources, &meta.namespace, endpoint.target.as_deref())
                .is_some_and(|pod| has(pod, some)),
        });
        endpoints.extend(
            chosen.filter_map(|one| one.addresses.first()).map(|address| endpoint(address, number, None)),
        );
    }
    for (_, entry) in selected.into_iter().filter(|(_, entry)| has(&entry.labels, labels)) {
        let target = match &port.target_port {
            Some(PortRef::Number(number)) => *number,
            Some(PortRef::Name(_)) | None => port.port,
        };
        endpoints.extend(workload(entry, entry.ports.get(&port.name).copied().unwrap_or(target)));
    }
    let by_address = |endpoint: &LbEndpoint| endpoint.endpoint.address.socket().is_some();
    Some(if endpoints.iter().all(by_address) {
        Endpoints::Addresses(endpoints)
    } else {
        Endpoints::Names(endpoints)
    })
}

fn pod_labels<'r>(resources: &'r [Resource], namespace: &str, name: Option<&str>) -> Option<&'r Labels> {
    resources.iter().find_map(|resource| match &resource.spec {
        Spec::Workload(workload)
            if resource.meta.namespace == namespace && Some(resource.meta.name.as_str()) == name =>
        {
            Some(&workload.labels)
        }
        _ => None,
    })
}

/// Istio's ways of saying that a Kubernetes port speaks HTTP/2.
pub(super) fn speaks_http2(port: &ServicePort) -> bool {
    match &port.app_protocol {
        Some(protocol) => matches!(protocol.as_str(), "http2" | "grpc" | "kubernetes.io/h2c"),
        None => matches!(port.name.split('-').next(), Some("http2" | "grpc")),
    }
}
