//! Which resources are for a proxy.

mod destination_rules;
pub mod peer_authentication;
pub mod sidecar;
mod telemetry;

use std::cmp::Ordering;

use crate::{
    config::Proxy,
    host::HostPattern,
    ordered,
    resource::{Resource, Spec},
    types::{
        common::{ExportTo, GatewayRef, Target, TargetKind, TargetRef},
        gateway::{Gateway, NamespaceScope, Server},
        virtual_service::{HttpMatchRequest, VirtualService},
    },
};

pub use destination_rules::DestinationRules;
pub use telemetry::telemetries;

/// The label by which a proxy says which Gateway of the Kubernetes Gateway API it serves.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Whether a policy (AuthorizationPolicy, RequestAuthentication, Telemetry) of `namespace` is for a proxy: it is in
/// the proxy's namespace or in the root namespace, and selects it. A GatewayClass, a Service or a ServiceEntry as target
/// is for waypoints, which a proxy here is none.
pub fn applies(target: &Target, namespace: &str, proxy: &Proxy) -> bool {
    if namespace != proxy.namespace && namespace != proxy.root_namespace {
        return false;
    }
    match target {
        Target::All => true,
        Target::Selector(selector) => selector.matches(&proxy.labels),
        Target::Refs(refs) => refs.iter().any(|target| is_target(target, namespace, proxy)),
    }
}

/// Whether `resource` is a policy about who gets in, and for another proxy than this.
pub fn is_stray(resource: &Resource, proxy: &Proxy) -> bool {
    let target = match &resource.spec {
        Spec::AuthorizationPolicy(policy) => &policy.target,
        Spec::RequestAuthentication(policy) => &policy.target,
        _ => return false,
    };
    !applies(target, &resource.meta.namespace, proxy)
}

fn is_target(target: &TargetRef, namespace: &str, proxy: &Proxy) -> bool {
    match target.kind {
        TargetKind::Gateway => {
            namespace == proxy.namespace && proxy.labels.get(GATEWAY_NAME) == Some(&target.name)
        }
        TargetKind::GatewayClass | TargetKind::Service | TargetKind::ServiceEntry => false,
    }
}

/// The order in which Istio takes resources: the oldest first, then by name, then by namespace. One without a time
/// is the oldest.
pub fn by_age(one: &Resource, other: &Resource) -> Ordering {
    let rank = |resource: &Resource| resource.meta.creation_timestamp;
    rank(one)
        .cmp(&rank(other))
        .then_with(|| one.meta.name.cmp(&other.meta.name))
        .then_with(|| one.meta.namespace.cmp(&other.meta.namespace))
}

/// The Gateways which a proxy serves, in order: those of any namespace whose selector covers its labels.
pub fn gateways<'r>(resources: &'r [Resource], proxy: &Proxy) -> Vec<(&'r Resource, &'r Gateway)> {
    let mut gateways: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::Gateway(gateway) if gateway.selector.matches(&proxy.labels) => Some((resource, gateway)),
            _ => None,
        })
        .collect();
    ordered::sort_by(&mut gateways, |(one, _), (other, _)| by_age(one, other));
    gateways
}

/// The VirtualServices which count at `gateway` (or in the mesh) for a proxy, in order. Delegates are not among
/// them: find those by name.
pub fn virtual_services<'r>(
    resources: &'r [Resource],
    gateway: &GatewayRef,
    proxy: &Proxy,
) -> Vec<(&'r Resource, &'r VirtualService)> {
    let mut services: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::VirtualService(service)
                if !service.is_delegate()
                    && service.gateways.contains(gateway)
                    && is_visible(&service.export_to, &resource.meta.namespace, &proxy.namespace) =>
            {
                Some((resource, service))
            }
            _ => None,
        })
        .collect();
    // Istio keeps three lists, each by age: what is exported to its own namespace, what is exported to the proxy's by
    // name, and what is exported to all.
    let list = |(resource, service): &(&Resource, &VirtualService)| match &service.export_to {
        ExportTo::Namespaces(_) => u8::from(resource.meta.namespace != proxy.namespace),
        ExportTo::Default | ExportTo::All | ExportTo::None => 2,
    };
    ordered::sort_by(&mut services, |one, other| {
        list(one).cmp(&list(other)).then_with(|| by_age(one.0, other.0))
    });
    services
}

/// Whether a resource of namespace `own` can be seen from `namespace`.
pub fn is_visible(export_to: &ExportTo, own: &str, namespace: &str) -> bool {
    match export_to {
        ExportTo::Default | ExportTo::All => true,
        ExportTo::None => false,
        ExportTo::Namespaces(namespaces) => {
            namespaces.iter().any(|listed| listed == namespace || (listed == "." && own == namespace))
        }
    }
}

/// The hosts for which a VirtualService of `namespace` counts at a Gateway's server: where the two sides' patterns
/// meet, the narrower of each pair. Empty: it is not attached.
pub fn attached_hosts(
    server: &Server,
    service: &VirtualService,
    namespace: &str,
    cluster_domain: &str,
) -> Vec<HostPattern> {
    let mut attached = Vec::new();
    let allowed = server.hosts.iter().filter(|host| match &host.scope {
        NamespaceScope::Any => true,
        NamespaceScope::Namespace(scope) => scope == namespace,
    });
    for wide in allowed {
        for host in &service.hosts {
            let host = host.resolve(namespace, cluster_domain);
            let narrower = if host.is_subset_of(&wide.host) {
                host
            } else if wide.host.is_subset_of(&host) {
                wide.host.clone()
            } else {
                continue;
            };
            if !attached.contains(&narrower) {
                attached.push(narrower);
            }
        }
    }
    attached
}

/// Whether an entry of `match` counts for a proxy that stands for `gateways` (or for the mesh), whatever the request.
/// An entry's own `gateways` decide alone if there are any.
pub fn match_applies(entry: &HttpMatchRequest, gateways: &[GatewayRef], proxy: &Proxy) -> bool {
    if !entry.gateways.is_empty() {
        return entry.gateways.iter().any(|gateway| gateways.contains(gateway));
    }
    let labels = entry.source_labels.iter().all(|(key, value)| proxy.labels.get(key) == Some(value));
    labels && entry.source_namespace.as_ref().is_none_or(|namespace| *namespace == proxy.namespace)
}

#[cfg(test)]
mod tests;
