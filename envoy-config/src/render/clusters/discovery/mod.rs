//! Where a service is: as a ServiceEntry says, or a Kubernetes Service with its EndpointSlices; else DNS knows.

mod kubernetes;
mod service_entry;
mod workload;
mod written;

use std::borrow::Cow;
use std::collections::BTreeSet;

use outrigger_api::host::HostPattern;
use outrigger_api::select::sidecar::sidecar;
use outrigger_api::types::common::{ExportTo, Labels, Protocol};
use outrigger_api::types::destination_rule::Subset;
use outrigger_api::types::kubernetes::Service;
use outrigger_api::types::service_entry::ServiceEntry;
use outrigger_api::{Problem, Proxy, Resource};
use outrigger_core::route::Destination;
use outrigger_core::telemetry;

pub(in crate::render) use self::kubernetes::protocol as protocol_of_service;
pub(super) use self::workload::Workload;
pub(crate) use self::workload::labels as labels_of_entry;
pub(super) use self::written::Names;
use crate::envoy::cluster::Locality;
use crate::render::problems;
use crate::scope::Scope;

/// Endpoints by the way they are found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Endpoints {
    /// By address.
    Addresses(Vec<Workload>),
    /// By name; every address of an answer counts.
    Names(Vec<Workload>),
    /// By name; each new connection takes the first address of the answer.
    RoundRobin(Box<Workload>),
    /// By the name that each request asks for.
    Requested,
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found<'r> {
    /// Where it is.
    pub(super) endpoints: Endpoints,
    /// What its port is said to speak.
    pub(super) protocol: Protocol,
    /// It is part of the mesh, so that its workloads may have a certificate of the mesh.
    pub(super) in_mesh: bool,
    /// Names one of which its certificate must have, as the service itself says.
    pub(super) alt_names: &'r [String],
    /// The resource that says where it is.
    pub(super) resource: Option<&'r Resource>,
}

/// What is looked at to find endpoints.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'r> {
    /// All resources.
    pub(super) resources: &'r [Resource],
    /// Who looks.
    pub(super) proxy: &'r Proxy,
    /// Where it is.
    pub(super) locality: &'r Locality,
    /// Hosts as they are written.
    pub(super) names: &'r Names,
    /// What services of the mesh are told of the workload that looks. `None`: nothing.
    pub(super) tells: Option<&'r telemetry::Workload>,
    /// What its Sidecar imports. `None`: everything.
    scope: Option<Scope<'r>>,
}

impl<'r> World<'r> {
    /// What `proxy` sees of `resources`.
    pub(super) fn new(
        resources: &'r [Resource],
        proxy: &'r Proxy,
        locality: &'r Locality,
        names: &'r Names,
    ) -> Self {
        let scope = sidecar(resources, proxy).and_then(|(_, sidecar)| Scope::new(sidecar, proxy));
        Self { resources, proxy, locality, names, tells: None, scope }
    }

    /// Which tells services of the mesh that.
    pub(super) fn telling(self, tells: Option<&'r telemetry::Workload>) -> Self {
        Self { tells, ..self }
    }
}

/// What declares a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'r> {
    /// Its ServiceEntry, which comes first.
    entry: Option<(&'r Resource, &'r ServiceEntry)>,
    /// The Service of Kubernetes.
    service: Option<(&'r Resource, &'r Service)>,
}

impl<'r> Declared<'r> {
    /// The namespace of the service.
    pub(super) fn namespace(self) -> Option<&'r str> {
        let entry = self.entry.map(|(resource, _)| resource);
        let resource = entry.or(self.service.map(|(resource, _)| resource))?;
        Some(&resource.meta.namespace)
    }
}

/// What declares `host`, of which `port` is wanted. If a Sidecar imports some of what does, the rest does not count; of a
/// host that is not imported, to which a VirtualService leads, all does.
pub(super) fn declared<'r>(world: World<'r>, host: &str, port: u16) -> Declared<'r> {
    let mut service = kubernetes::service(world, host);
    let mut entries = service_entry::naming(world, host);
    if let Some(scope) = world.scope {
        let exact = HostPattern::parse(host);
        let imported =
            |resource: &Resource, host: &HostPattern| scope.imports_service(&resource.meta.namespace, host);
        let of_service = service.filter(|(resource, _)| imported(resource, &exact));
        if of_service.is_some() || entries.iter().any(|named| imported(named.resource, named.host)) {
            service = of_service;
            entries.retain(|named| imported(named.resource, named.host));
        }
    }
    let service_resource = service.map(|(resource, _)| resource);
    Declared { entry: service_entry::choose(world, entries, port, service_resource), service }
}

/// What a destination means: of a Service that is no more than another name (`ExternalName`), the service of that name, if a
/// resource declares it, and so on.
pub(super) fn meant<'d>(world: World<'_>, destination: &'d Destination) -> Cow<'d, Destination> {
    let (mut meant, mut seen) = (Cow::Borrowed(destination), BTreeSet::new());
    while let Some(host) = named_by(world, &meant)
        && seen.insert(host.clone())
    {
        meant = Cow::Owned(Destination { host, ..meant.into_owned() });
    }
    meant
}

/// The declared service that a Service is another name for.
fn named_by(world: World<'_>, destination: &Destination) -> Option<String> {
    let (_, service) = kubernetes::service(world, &destination.host)?;
    let host = service.external_name.as_ref()?.trim_end_matches('.').to_ascii_lowercase();
    declared(world, &host, destination.port).namespace().is_some().then_some(host)
}

/// The endpoints of a destination. `None`: its service has no such port.
pub(super) fn find<'r>(
    world: World<'r>,
    destination: &Destination,
    subset: Option<&Subset>,
) -> Result<Option<Found<'r>>, Box<Problem>> {
    let labels = subset.map(|subset| &subset.labels);
    let host = destination.host.as_str();
    let Declared { entry, service } = declared(world, host, destination.port);
    if let Some((resource, entry)) = entry {
        let Some(port) = entry.ports.iter().find(|port| port.number == destination.port) else {
            return Ok(None);
        };
        return Ok(Some(Found {
            endpoints: service_entry::endpoints(world, resource, entry, port, (host, labels))?,
            protocol: port.protocol,
            in_mesh: service_entry::in_mesh(entry),
            alt_names: &entry.subject_alt_names,
            resource: Some(resource),
        }));
    }
    let found = |endpoints, protocol, resource: Option<&'r Resource>| Found {
        endpoints,
        protocol,
        in_mesh: resource.is_some(),
        alt_names: &[],
        resource,
    };
    if let Some((resource, service)) = service {
        if let (Some(name), []) = (&service.external_name, service.ports.as_slice()) {
            let endpoints = by_name(destination, subset, name)?;
            return Ok(Some(found(endpoints, Protocol::Unspecified, Some(resource))));
        }
        let Some(port) = kubernetes::port(service, destination.port) else { return Ok(None) };
        let protocol = kubernetes::protocol(port);
        if let Some(endpoints) = kubernetes::endpoints(world, resource, service, port, labels) {
            return Ok(Some(found(endpoints, protocol, Some(resource))));
        }
        let name = service.external_name.as_deref().unwrap_or_else(|| world.names.dns(host));
        return Ok(Some(found(by_name(destination, subset, name)?, protocol, Some(resource))));
    }
    Ok(Some(found(by_name(destination, subset, world.names.dns(host))?, Protocol::Unspecified, None)))
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
    let endpoint = Workload::at(name, destination.port);
    Ok(match name.parse::<std::net::IpAddr>() {
        Ok(_) => Endpoints::Addresses(vec![endpoint]),
        Err(_) => Endpoints::Names(vec![endpoint]),
    })
}

/// Whether what is exported so reaches the proxy.
fn visible(export_to: &ExportTo, proxy: &Proxy) -> bool {
    match export_to {
        ExportTo::Default | ExportTo::All => true,
        ExportTo::None => false,
        ExportTo::Namespaces(namespaces) => namespaces.contains(&proxy.namespace),
    }
}

/// Whether `labels` has all that is wanted.
fn has(labels: &Labels, wanted: Option<&Labels>) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}
