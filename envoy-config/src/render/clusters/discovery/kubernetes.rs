//! Kubernetes' own way of saying where a service is.

use outrigger_api::Kind;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::{Labels, Port, Protocol};
use outrigger_api::types::kubernetes::{self, EndpointSlice, PortRef, Service, ServicePort};
use outrigger_api::types::workload_entry::WorkloadEntry;

use super::workload::{entries, has_condition, labels};
use super::{Endpoints, Workload, World, has};
use crate::envoy::cluster::Locality;

/// Ports of Services where a server may be the first to speak: SMTP, DNS, MySQL, MongoDB.
const WELL_KNOWN: [u16; 4] = [25, 53, 3306, 27017];

/// Labels by which Kubernetes says where something runs.
const REGION: &str = "topology.kubernetes.io/region";
const SUB_ZONE: &str = "topology.istio.io/subzone";

/// The Service that `host` is the full name of.
pub(super) fn service<'r>(world: World<'r>, host: &str) -> Option<(&'r Resource, &'r Service)> {
    let name = host.strip_suffix(world.proxy.cluster_domain.as_str())?.strip_suffix(".svc.")?;
    world.resources.iter().find_map(|resource| match &resource.spec {
        Spec::Service(service) if name == format!("{}.{}", resource.meta.name, resource.meta.namespace) => {
            Some((resource, service))
        }
        _ => None,
    })
}

/// The port of this number; where UDP has the same, it is not meant.
pub(super) fn port(service: &Service, number: u16) -> Option<&ServicePort> {
    service.ports.iter().find(|port| port.port == number && port.protocol == "TCP")
}

/// The endpoints of a Service from its EndpointSlices and, by its selector, WorkloadEntries; `None` if there is neither.
pub(super) fn endpoints(
    world: World<'_>,
    resource: &Resource,
    service: &Service,
    port: &ServicePort,
    wanted: Option<&Labels>,
) -> Option<Endpoints> {
    let meta = &resource.meta;
    let slices: Vec<_> = world
        .resources
        .iter()
        .filter(|slice| slice.meta.namespace == meta.namespace)
        .filter_map(|resource| match &resource.spec {
            Spec::EndpointSlice(slice) if slice.service.as_deref() == Some(&meta.name) => Some(slice),
            _ => None,
        })
        .collect();
    let selected: Vec<_> = entries(world, &meta.namespace)
        .filter(|(resource, entry)| {
            !service.selector.is_empty() && has(&labels(resource, entry), Some(&service.selector))
        })
        .collect();
    if slices.is_empty() && selected.is_empty() {
        return None;
    }
    let mut endpoints = of_slices(world, &slices, &meta.namespace, &port.name);
    endpoints.extend(selected.into_iter().filter_map(|(resource, entry)| {
        let (number, target) = ports_of(entry, port)?;
        let workload = Workload::of_entry(entry, Some(&resource.meta), &meta.namespace, number)?;
        Some(workload.serving(target))
    }));
    endpoints.retain(|endpoint| endpoint.has(wanted));
    let by_name = endpoints.iter().any(|endpoint| endpoint.address.is_name());
    Some(if by_name { Endpoints::Names(endpoints) } else { Endpoints::Addresses(endpoints) })
}

/// The port of a WorkloadEntry that serves a Service's, and the application's own. `None`: it has none of the target's name.
fn ports_of(entry: &WorkloadEntry, port: &ServicePort) -> Option<(u16, u16)> {
    let named = |name: &str| entry.ports.get(name).copied();
    let target = match &port.target_port {
        Some(PortRef::Name(name)) => return named(name).map(|number| (number, number)),
        Some(PortRef::Number(number)) => *number,
        None => port.port,
    };
    Some((named(&port.name).unwrap_or(target), target))
}

/// Those that are ready; if there is none, those that still serve while they end, as Kubernetes itself has it.
fn of_slices(world: World<'_>, slices: &[&EndpointSlice], namespace: &str, port: &str) -> Vec<Workload> {
    let with_state = |wanted: fn(&kubernetes::Endpoint) -> bool| -> Vec<Workload> {
        let of_slice = |slice: &&EndpointSlice| {
            let number = slice.ports.iter().find(|one| one.name == port).and_then(|one| one.port);
            let endpoints = slice.endpoints.clone().into_iter().filter(wanted);
            number
                .into_iter()
                .flat_map(move |number| {
                    endpoints
                        .clone()
                        .filter_map(move |endpoint| of_slice_endpoint(world, &endpoint, namespace, number))
                })
                .collect::<Vec<_>>()
        };
        slices.iter().flat_map(of_slice).collect()
    };
    let ready = with_state(|endpoint| endpoint.ready != Some(false));
    if !ready.is_empty() {
        return ready;
    }
    with_state(|endpoint| endpoint.serving == Some(true) && endpoint.terminating == Some(true))
}

fn of_slice_endpoint(
    world: World<'_>,
    endpoint: &kubernetes::Endpoint,
    namespace: &str,
    port: u16,
) -> Option<Workload> {
    let address = endpoint.addresses.first()?;
    let pod = world.resources.iter().find(|resource| {
        resource.kind == Kind::Pod
            && resource.meta.namespace == namespace
            && endpoint.target.as_ref() == Some(&resource.meta.name)
    });
    let workload = pod.and_then(|pod| match &pod.spec {
        Spec::Workload(workload) => Some(workload),
        _ => None,
    });
    let labels = workload.map(|workload| workload.labels.clone()).unwrap_or_default();
    let account = workload.and_then(|workload| workload.service_account.clone());
    let zone = endpoint.zone.clone().unwrap_or_default();
    let locality = locality(world, &labels, zone);
    Some(Workload {
        locality,
        account: account.map(|account| (namespace.to_owned(), account)),
        namespace: namespace.to_owned(),
        labels,
        ..Workload::at(address, port)
    })
}

/// A slice says the zone alone. Its region is that of its pod's label, or this proxy's own if the zone is the same.
fn locality(world: World<'_>, labels: &Labels, zone: String) -> Locality {
    let label = |name| labels.get(name).cloned();
    let own = (!zone.is_empty() && zone == world.locality.zone).then(|| world.locality.region.clone());
    Locality {
        region: label(REGION).or(own).unwrap_or_default(),
        sub_zone: label(SUB_ZONE).unwrap_or_default(),
        zone,
    }
}

/// The pods of a namespace with these labels, as far as their status says where they are: at the container's port of the
/// `port`'s name, else at the target.
pub(super) fn pods<'r>(
    world: World<'r>,
    namespace: &'r str,
    wanted: &'r Labels,
    port: &'r Port,
) -> impl Iterator<Item = Workload> {
    world.resources.iter().filter_map(move |resource| {
        let Spec::Workload(pod) = &resource.spec else { return None };
        let chosen = resource.kind == Kind::Pod && resource.meta.namespace == namespace;
        if !chosen || !has(&pod.labels, Some(wanted)) || !is_ready(resource) {
            return None;
        }
        let address = resource.node.get("status")?.get("podIP")?.as_str()?;
        let port = pod.port(&port.name).or(port.target_port).unwrap_or(port.number);
        Some(Workload {
            account: pod.service_account.clone().map(|account| (namespace.to_owned(), account)),
            namespace: namespace.to_owned(),
            labels: pod.labels.clone(),
            ..Workload::at(address, port)
        })
    })
}

/// Whether a pod takes requests, as far as its status tells.
fn is_ready(pod: &Resource) -> bool {
    let phase = pod.node.get("status").and_then(|status| status.get("phase")?.as_str());
    !has_condition(pod, "Ready", "False") && !matches!(phase, Some("Failed" | "Succeeded"))
}

/// What a Service says of a port, as Istio reads it. Where it says nothing that Istio knows, some numbers do.
pub(in crate::render) fn protocol(port: &ServicePort) -> Protocol {
    let said = port.app_protocol.as_deref().unwrap_or(&port.name).to_ascii_lowercase();
    match said.split('-').next().unwrap_or_default() {
        "tcp" | "tls" | "https" | "mongo" | "mysql" | "redis" | "kubernetes.io/wss" => Protocol::Tcp,
        "http" | "http_proxy" | "kubernetes.io/ws" => Protocol::Http,
        "http2" | "kubernetes.io/h2c" => Protocol::Http2,
        "grpc" => Protocol::Grpc,
        _ if WELL_KNOWN.contains(&port.port) => Protocol::Tcp,
        _ => Protocol::Unspecified,
    }
}
