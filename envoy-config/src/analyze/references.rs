//! What VirtualServices and DestinationRules name but nobody defines.

mod claims;
mod destination_rules;
mod destinations;
mod gateways;

use std::collections::{BTreeSet, HashMap};

use outrigger_api::select::is_visible;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::virtual_service::{RouteAction, VirtualService};
use outrigger_api::{Proxy, Resource, Role, Spec};
use outrigger_core::route::Destination;

use super::finding::Finding;
use super::registry::Registry;

/// Looks up every reference. `unserved`: destinations of this proxy's rules that are nowhere.
pub(super) fn check(
    resources: &[Resource],
    registry: &Registry<'_>,
    (proxy, unserved): (&Proxy, &BTreeSet<Destination>),
    findings: &mut Vec<Finding>,
) {
    let mesh = subsets_of_the_mesh(resources, registry);
    let claims = claims::Verified::new(resources, registry, proxy);
    for resource in resources {
        match &resource.spec {
            Spec::VirtualService(service) => {
                gateways::check(resource, service, registry, findings);
                let here = is_for(service, &resource.meta.namespace, registry, proxy);
                let unserved = if here { unserved } else { &BTreeSet::new() };
                let world = (resources, proxy);
                let known = destinations::Known { registry, mesh: &mesh, here, unserved, world };
                destinations::check(resource, service, &known, findings);
                claims.check(resource, service, findings);
            }
            Spec::DestinationRule(rule) => destination_rules::check(resource, rule, registry, findings),
            _ => {}
        }
    }
}

/// Whether this proxy has the rules of a VirtualService, or may have them by delegation.
fn is_for(service: &VirtualService, namespace: &str, registry: &Registry<'_>, proxy: &Proxy) -> bool {
    let serves = |gateway: &GatewayRef| match (gateway, proxy.role) {
        (GatewayRef::Mesh, role) => role == Role::Sidecar,
        (GatewayRef::Named { namespace, name }, role) => {
            let known = registry.gateway(namespace, name);
            role == Role::Gateway && known.is_some_and(|known| known.selector.matches(&proxy.labels))
        }
    };
    service.is_delegate()
        || service.gateways.iter().any(serves) && is_visible(&service.export_to, namespace, &proxy.namespace)
}

/// Hosts whose requests a VirtualService of the mesh sends to subsets of that very host, each with that VirtualService.
fn subsets_of_the_mesh<'r>(
    resources: &'r [Resource],
    registry: &Registry<'_>,
) -> HashMap<String, &'r Resource> {
    let mut found = HashMap::new();
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        if !service.gateways.contains(&GatewayRef::Mesh) {
            continue;
        }
        let namespace = &resource.meta.namespace;
        let hosts: Vec<_> =
            service.hosts.iter().map(|host| registry.resolve(&host.to_string(), namespace)).collect();
        for rule in &service.http {
            let RouteAction::Route(routes) = &rule.action else { continue };
            for route in routes.iter().filter(|route| route.destination.subset.is_some()) {
                let host = registry.resolve(&route.destination.host, namespace);
                if hosts.contains(&host) {
                    found.entry(host).or_insert(resource);
                }
            }
        }
    }
    found
}
