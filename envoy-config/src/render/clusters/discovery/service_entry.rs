//! What a ServiceEntry says about where its hosts are.

use outrigger_api::Problem;
use outrigger_api::host::HostPattern;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::select::by_age;
use outrigger_api::types::common::{Labels, Port};
use outrigger_api::types::service_entry::{Location, Resolution, ServiceEntry};
use outrigger_api::types::workload_entry::WorkloadEntry;

use super::workload::{entries, labels};
use super::{Endpoints, Workload, World, kubernetes, visible};
use crate::render::problems;

/// An entry that names a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'r> {
    /// As it names it.
    pub(super) host: &'r HostPattern,
    pub(super) resource: &'r Resource,
    entry: &'r ServiceEntry,
}

/// The entries that name `host` and are exported to the proxy.
pub(super) fn naming<'r>(world: World<'r>, host: &str) -> Vec<Named<'r>> {
    let named = world.resources.iter().filter_map(|resource| match &resource.spec {
        Spec::ServiceEntry(entry) if visible(&entry.export_to, world.proxy) => {
            Some(Named { host: best_host(entry, host)?, resource, entry })
        }
        _ => None,
    });
    named.collect()
}

/// Of those the one that counts. The best name decides on the namespace, then whether it is the proxy's, then age; there one
/// that has the port comes first. `service`: the Service of Kubernetes with this host. It is not what an entry says of
/// many hosts, since its name is one; and no other namespace takes it over, but for the proxy's own, whose word comes first
/// in Istio too.
pub(super) fn choose<'r>(
    world: World<'r>,
    mut named: Vec<Named<'r>>,
    port: u16,
    service: Option<&Resource>,
) -> Option<(&'r Resource, &'r ServiceEntry)> {
    if let Some(service) = service {
        let may = [&service.meta.namespace, &world.proxy.namespace];
        named.retain(|one| !one.host.is_wildcard() && may.contains(&&one.resource.meta.namespace));
    }
    let foreign = |one: &Named<'_>| one.resource.meta.namespace != world.proxy.namespace;
    let first = *named.iter().min_by(|one, other| {
        one.host
            .by_specificity(other.host)
            .then(foreign(one).cmp(&foreign(other)))
            .then_with(|| by_age(one.resource, other.resource))
    })?;
    let same = named
        .into_iter()
        .filter(|one| one.host == first.host && one.resource.meta.namespace == first.resource.meta.namespace);
    let lacks = |one: &Named<'_>| one.entry.ports.iter().all(|known| known.number != port);
    let best = same.min_by(|one, other| {
        lacks(one).cmp(&lacks(other)).then_with(|| by_age(one.resource, other.resource))
    })?;
    Some((best.resource, best.entry))
}

/// The host of an entry that names `host` best.
fn best_host<'r>(entry: &'r ServiceEntry, host: &str) -> Option<&'r HostPattern> {
    let hosts = entry.hosts.iter().filter(|pattern| pattern.covers(host));
    hosts.min_by(|one, other| one.by_specificity(other))
}

/// Whether its workloads are part of the mesh.
pub(super) fn in_mesh(entry: &ServiceEntry) -> bool {
    entry.location == Location::MeshInternal
}

/// The endpoints of a port for `host`, of those with the given labels.
pub(super) fn endpoints(
    world: World<'_>,
    resource: &Resource,
    entry: &ServiceEntry,
    port: &Port,
    (host, wanted): (&str, Option<&Labels>),
) -> Result<Endpoints, Box<Problem>> {
    let mut all = vec![(resource, entry, port)];
    if matches!(entry.resolution, Resolution::Static | Resolution::Dns) {
        all.extend(more_of_it(world, (resource, entry), host, port));
    }
    let own_name = |(resource, _, port): (&Resource, &ServiceEntry, &Port)| Workload {
        namespace: resource.meta.namespace.clone(),
        ..Workload::at(host, port.target_port.unwrap_or(port.number))
    };
    let mut chosen = Vec::new();
    for of @ (_, one, _) in all {
        let unnamed = one.endpoints.is_empty() && one.workload_selector.is_none();
        if unnamed && matches!(entry.resolution, Resolution::Dns | Resolution::DnsRoundRobin) {
            chosen.push(own_name(of));
        } else {
            let found = workloads(world, of).into_iter().flatten();
            chosen.extend(found.filter(|endpoint| endpoint.has(wanted)));
        }
    }
    let plain_host = || entry.hosts.iter().any(|pattern| !pattern.is_wildcard() && pattern.covers(host));
    Ok(match entry.resolution {
        // An entry by name can be selected, too; then DNS has to be asked for all of them.
        Resolution::Static if chosen.iter().any(|one| one.address.is_name()) => Endpoints::Names(chosen),
        Resolution::Static => Endpoints::Addresses(chosen),
        Resolution::Dns => Endpoints::Names(chosen),
        Resolution::DnsRoundRobin => match chosen.into_iter().next() {
            Some(endpoint) => Endpoints::RoundRobin(Box::new(endpoint)),
            None => Endpoints::Names(Vec::new()),
        },
        // The address that was dialled: nothing is intercepted here, so it is what DNS says of the name.
        Resolution::None if plain_host() => Endpoints::Names(vec![own_name((resource, entry, port))]),
        Resolution::None | Resolution::DynamicDns if port.target_port.is_some_and(|to| to != port.number) => {
            let what = format!("`targetPort` for a wildcard host (`{host}`), whose requests say the port,");
            return Err(Box::new(problems::unsupported(resource, "spec.ports", &what)));
        }
        Resolution::None | Resolution::DynamicDns if port.protocol.may_be_http() => Endpoints::Requested,
        Resolution::None | Resolution::DynamicDns => {
            // No request there says which name to look up.
            let what = format!("a wildcard host (`{host}`) on port {}, which is not HTTP,", port.number);
            return Err(Box::new(problems::unsupported(resource, "spec.hosts", &what)));
        }
    })
}

/// Further entries of the namespace that say where the same service is. Istio joins the endpoints of all of them.
fn more_of_it<'r>(
    world: World<'r>,
    (resource, entry): (&'r Resource, &'r ServiceEntry),
    host: &str,
    port: &Port,
) -> impl Iterator<Item = (&'r Resource, &'r ServiceEntry, &'r Port)> {
    let name = best_host(entry, host);
    world.resources.iter().filter_map(move |other| {
        let Spec::ServiceEntry(more) = &other.spec else { return None };
        let same = !std::ptr::eq(more, entry)
            && other.meta.namespace == resource.meta.namespace
            && more.resolution == entry.resolution
            && visible(&more.export_to, world.proxy)
            && name.is_some_and(|name| more.hosts.contains(name));
        let port = more.ports.iter().find(|one| same && one.name == port.name)?;
        Some((other, more, port))
    })
}

/// The endpoints of one entry's port; `None`: one that can't be reached.
fn workloads(
    world: World<'_>,
    (resource, entry, port): (&Resource, &ServiceEntry, &Port),
) -> Vec<Option<Workload>> {
    let namespace = &resource.meta.namespace;
    let target = port.target_port.unwrap_or(port.number);
    let workload = |endpoint: &WorkloadEntry, meta| {
        let number = endpoint.ports.get(&port.name).copied().unwrap_or(target);
        Workload::of_entry(endpoint, meta, namespace, number).map(|workload| workload.serving(target))
    };
    let mut all: Vec<_> = entry.endpoints.iter().map(|endpoint| workload(endpoint, None)).collect();
    if let Some(selector) = &entry.workload_selector {
        let selected = entries(world, namespace)
            .filter(|(resource, entry)| selector.matches(&labels(resource, entry)))
            .map(|(resource, entry)| workload(entry, Some(&resource.meta)));
        all.extend(selected);
        all.extend(kubernetes::pods(world, namespace, &selector.0, port).map(Some));
    }
    all
}
