//! Where a service is: as a ServiceEntry says, or a Kubernetes Service with its EndpointSlices; else DNS knows.

use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::{ExportTo, Labels, Port, Protocol};
use outrigger_api::types::destination_rule::Subset;
use outrigger_api::types::service_entry::{Resolution, ServiceEntry};
use outrigger_api::types::workload_entry::{self, WorkloadEntry};
use outrigger_api::{Problem, Proxy};
use outrigger_core::route::Destination;

use super::kubernetes;
use super::written::Names;
use crate::envoy::cluster::{Endpoint, LbEndpoint};
use crate::envoy::scalars::Address;
use crate::render::problems;

/// Endpoints by the way they are found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Endpoints {
    /// By address.
    Addresses(Vec<LbEndpoint>),
    /// By name; every address of an answer counts.
    Names(Vec<LbEndpoint>),
    /// By name; each new connection takes the first address of the answer.
    RoundRobin(LbEndpoint),
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Where it is.
    pub(super) endpoints: Endpoints,
    /// Its port is said to speak HTTP/2.
    pub(super) http2: bool,
}

/// The endpoints of a destination. `None`: its service has no such port.
pub(super) fn find(
    resources: &[Resource],
    proxy: &Proxy,
    destination: &Destination,
    subset: Option<&Subset>,
    names: &Names,
) -> Result<Option<Found>, Box<Problem>> {
    let labels = subset.map(|subset| &subset.labels);
    let host = destination.host.as_str();
    if let Some((resource, entry)) = service_entry(resources, proxy, host) {
        let Some(port) = entry.ports.iter().find(|port| port.number == destination.port) else {
            return Ok(None);
        };
        let endpoints = of_entry(resources, resource, entry, port, (host, labels))?;
        let http2 = matches!(port.protocol, Protocol::Http2 | Protocol::Grpc);
        return Ok(Some(Found { endpoints, http2 }));
    }
    if let Some((resource, service)) = kubernetes::service(resources, proxy, host) {
        let Some(port) = service.ports.iter().find(|port| port.port == destination.port) else {
            return Ok(None);
        };
        let http2 = kubernetes::speaks_http2(port);
        if let Some(endpoints) = kubernetes::endpoints(resources, resource, service, port, labels) {
            return Ok(Some(Found { endpoints, http2 }));
        }
        let name = service.external_name.as_deref().unwrap_or_else(|| names.dns(host));
        let endpoints = by_name(destination, subset, name)?;
        return Ok(Some(Found { endpoints, http2 }));
    }
    Ok(Some(Found { endpoints: by_name(destination, subset, names.dns(host))?, http2: false }))
}

/// What DNS says. Nothing tells such endpoints apart, so a subset with labels can't be served: sending its share to
/// all of them would not be what was asked for.
fn by_name(
    destination: &Destination,
    subset: Option<&Subset>,
    name: &str,
) -> Result<Endpoints, Box<Problem>> {
    if let Some(subset) = subset.filter(|subset| !subset.labels.is_empty()) {
        let message = format!(
            "subset `{}` of `{}` chooses endpoints by label, and nothing says which endpoints that host has",
            subset.name, destination.host
        );
        let hint = format!(
            "add a ServiceEntry for `{}` with `endpoints` and their `labels` (DNS names will do with `resolution: DNS`)",
            destination.host
        );
        return Err(Box::new(problems::whole(problems::UNKNOWN_ENDPOINTS, message, &hint)));
    }
    let endpoint = endpoint(name, destination.port, None);
    Ok(match name.parse::<std::net::IpAddr>() {
        Ok(_) => Endpoints::Addresses(vec![endpoint]),
        Err(_) => Endpoints::Names(vec![endpoint]),
    })
}

/// The ServiceEntry that names `host` best; of equals the one of the proxy's namespace, then the first.
fn service_entry<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
    host: &str,
) -> Option<(&'r Resource, &'r ServiceEntry)> {
    let named = resources.iter().filter_map(|resource| match &resource.spec {
        Spec::ServiceEntry(entry) if visible(&entry.export_to, proxy) => {
            let hosts = entry.hosts.iter().filter(|pattern| pattern.covers(host));
            Some((hosts.min_by(|one, other| one.by_specificity(other))?, resource, entry))
        }
        _ => None,
    });
    let best = named.min_by(|(one, resource, _), (other, of, _)| {
        let foreign = |resource: &Resource| resource.meta.namespace != proxy.namespace;
        one.by_specificity(other).then(foreign(resource).cmp(&foreign(of)))
    });
    best.map(|(_, resource, entry)| (resource, entry))
}

/// Whether what is exported so reaches the proxy.
pub(super) fn visible(export_to: &ExportTo, proxy: &Proxy) -> bool {
    match export_to {
        ExportTo::Default | ExportTo::All => true,
        ExportTo::None => false,
        ExportTo::Namespaces(namespaces) => namespaces.contains(&proxy.namespace),
    }
}

fn of_entry(
    resources: &[Resource],
    resource: &Resource,
    entry: &ServiceEntry,
    port: &Port,
    (host, labels): (&str, Option<&Labels>),
) -> Result<Endpoints, Box<Problem>> {
    let selected = entry.workload_selector.as_ref().map(|selector| {
        workload_entries(resources, &resource.meta.namespace).filter(|(meta, entry)| {
            // A WorkloadEntry is selected by the labels of its spec, and by those of its metadata.
            let labels = meta.iter().chain(&entry.labels).map(|(k, v)| (k.clone(), v.clone())).collect();
            selector.matches(&labels)
        })
    });
    let all = entry.endpoints.iter().chain(selected.into_iter().flatten().map(|(_, entry)| entry));
    let number = |endpoint: &WorkloadEntry| {
        endpoint.ports.get(&port.name).copied().or(port.target_port).unwrap_or(port.number)
    };
    let chosen = all
        .clone()
        .filter(|endpoint| has(&endpoint.labels, labels))
        .filter_map(|endpoint| workload(endpoint, number(endpoint)))
        .collect::<Vec<_>>();
    let own_name = || endpoint(host, port.target_port.unwrap_or(port.number), None);
    let unnamed = all.count() == 0;
    Ok(match entry.resolution {
        Resolution::Static => Endpoints::Addresses(chosen),
        Resolution::Dns if unnamed => Endpoints::Names(vec![own_name()]),
        Resolution::Dns => Endpoints::Names(chosen),
        Resolution::DnsRoundRobin => match chosen.into_iter().next() {
            Some(endpoint) => Endpoints::RoundRobin(endpoint),
            None if unnamed => Endpoints::RoundRobin(own_name()),
            None => Endpoints::Names(Vec::new()),
        },
        // The address that was dialled: nothing is intercepted here, so it is what DNS says of the name.
        Resolution::None
            if entry.hosts.iter().any(|pattern| !pattern.is_wildcard() && pattern.covers(host)) =>
        {
            Endpoints::Names(vec![own_name()])
        }
        Resolution::None | Resolution::DynamicDns => {
            let what = format!("a wildcard host as a destination (`{host}`)");
            return Err(Box::new(problems::unsupported(resource, "spec.hosts", &what)));
        }
    })
}

/// The WorkloadEntries of a namespace, with the labels of their metadata.
pub(super) fn workload_entries<'r>(
    resources: &'r [Resource],
    namespace: &'r str,
) -> impl Iterator<Item = (&'r Labels, &'r WorkloadEntry)> + Clone {
    resources.iter().filter(move |resource| resource.meta.namespace == namespace).filter_map(|resource| {
        match &resource.spec {
            Spec::WorkloadEntry(entry) => Some((&resource.meta.labels, entry)),
            _ => None,
        }
    })
}

pub(super) fn has(labels: &Labels, wanted: Option<&Labels>) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// `None` for a workload that is reached through another network's gateway.
pub(super) fn workload(entry: &WorkloadEntry, port: u16) -> Option<LbEndpoint> {
    Some(match &entry.address {
        workload_entry::Address::Ip(ip) => endpoint(&ip.to_string(), port, entry.weight),
        workload_entry::Address::Dns(name) => endpoint(name, port, entry.weight),
        workload_entry::Address::Unix(path) => {
            let address = Address::Pipe { path: path.clone() };
            LbEndpoint { endpoint: Endpoint { address }, load_balancing_weight: share(entry.weight) }
        }
        workload_entry::Address::Network => return None,
    })
}

pub(super) fn endpoint(host: &str, port: u16, weight: Option<u32>) -> LbEndpoint {
    LbEndpoint {
        endpoint: Endpoint { address: Address::tcp(host, port) },
        load_balancing_weight: share(weight),
    }
}

/// Zero counts as not set.
fn share(weight: Option<u32>) -> Option<u32> {
    weight.filter(|weight| *weight > 0)
}
