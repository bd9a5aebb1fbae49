//! Which VirtualServices stand on a proxy, where, and in which order.

use outrigger_api::host::HostPattern;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::common::Protocol;
use outrigger_api::types::gateway::{Gateway, NamespaceScope, Server, ServerTlsMode};
use outrigger_api::types::virtual_service::{HttpMatchRequest, VirtualService};
use outrigger_api::{Proxy, Resource, Spec};

use crate::services::visible;

/// A VirtualService with the resource it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service<'r> {
    /// The resource.
    pub(super) resource: &'r Resource,
    /// What it says.
    pub(super) spec: &'r VirtualService,
}

/// A VirtualService on one server of a Gateway.
#[derive(Debug)]
pub(super) struct Attachment<'r> {
    /// The VirtualService.
    pub(super) service: Service<'r>,
    /// The Gateway.
    pub(super) gateway: GatewayRef,
    /// The hosts that both sides have.
    pub(super) hosts: Vec<HostPattern>,
}

/// The VirtualServices with hosts that `proxy` may see, the oldest first: by creation, name and namespace.
pub(super) fn visible_services<'r>(resources: &'r [Resource], proxy: &Proxy) -> Vec<Service<'r>> {
    let services = resources.iter().filter_map(|resource| match &resource.spec {
        Spec::VirtualService(spec) => Some(Service { resource, spec }),
        _ => None,
    });
    let mut services: Vec<_> = services
        .filter(|service| !service.spec.is_delegate())
        .filter(|service| visible(&service.spec.export_to, &service.resource.meta.namespace, proxy))
        .collect();
    services.sort_by(|one, other| age(one.resource).cmp(&age(other.resource)));
    services
}

/// The HTTP servers of the Gateways for `proxy`, with the VirtualServices on each in order. Several servers may
/// have the same port.
pub(super) fn gateway_servers<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
    services: &[Service<'r>],
) -> Vec<(u16, Vec<Attachment<'r>>)> {
    let mut gateways: Vec<(&Resource, &Gateway)> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::Gateway(gateway) if gateway.selector.matches(&proxy.labels) => Some((resource, gateway)),
            _ => None,
        })
        .collect();
    gateways.sort_by(|(one, _), (other, _)| age(one).cmp(&age(other)));
    let servers = gateways.into_iter().flat_map(|(resource, gateway)| {
        let name = GatewayRef::Named {
            namespace: resource.meta.namespace.clone(),
            name: resource.meta.name.clone(),
        };
        gateway.servers.iter().map(move |server| (name.clone(), server))
    });
    servers
        .filter(|(_, server)| reads_requests(server))
        .filter(|(_, server)| proxy.port.is_none_or(|port| port == server.port.number))
        .map(|(name, server)| {
            let attached = services.iter().filter_map(|service| attach(*service, &name, server, proxy));
            (server.port.number, attached.collect())
        })
        .collect()
}

/// The hosts of a VirtualService, short names completed in its namespace.
pub(super) fn hosts(service: Service<'_>, proxy: &Proxy) -> Vec<HostPattern> {
    let namespace = &service.resource.meta.namespace;
    service.spec.hosts.iter().map(|host| host.resolve(namespace, &proxy.cluster_domain)).collect()
}

/// Whether a `match` entry counts at all on `gateway`, whoever sends the request. `gateways` of its own replace
/// the VirtualService's, and then the labels and the namespace of the source are not looked at.
pub(super) fn applies(matched: &HttpMatchRequest, gateway: &GatewayRef, proxy: &Proxy) -> bool {
    if !matched.gateways.is_empty() {
        return matched.gateways.contains(gateway);
    }
    let labels = matched.source_labels.iter().all(|(key, value)| proxy.labels.get(key) == Some(value));
    labels && matched.source_namespace.as_ref().is_none_or(|namespace| *namespace == proxy.namespace)
}

fn attach<'r>(
    service: Service<'r>,
    gateway: &GatewayRef,
    server: &Server,
    proxy: &Proxy,
) -> Option<Attachment<'r>> {
    // A `match` entry may name gateways that the VirtualService's own list lacks; Istio goes by the list.
    if !service.spec.gateways.contains(gateway) {
        return None;
    }
    let namespace = &service.resource.meta.namespace;
    let served = server.hosts.iter().filter(|host| match &host.scope {
        NamespaceScope::Any => true,
        NamespaceScope::Namespace(scope) => scope == namespace,
    });
    let mut common: Vec<HostPattern> = Vec::new();
    for server_host in served {
        for host in hosts(service, proxy) {
            let both = if host.is_subset_of(&server_host.host) {
                host
            } else if server_host.host.is_subset_of(&host) {
                server_host.host.clone()
            } else {
                continue;
            };
            if !common.contains(&both) {
                common.push(both);
            }
        }
    }
    (!common.is_empty()).then(|| Attachment { service, gateway: gateway.clone(), hosts: common })
}

/// Whether the server sees requests: plain HTTP, or HTTPS that it terminates itself.
fn reads_requests(server: &Server) -> bool {
    let terminates = server
        .tls
        .as_ref()
        .is_some_and(|tls| !matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough));
    server.port.protocol.is_http() || (server.port.protocol == Protocol::Https && terminates)
}

/// Istio's order of resources: the oldest first, one without a date before all others; then by name.
fn age(resource: &Resource) -> impl Ord + use<'_> {
    let meta = &resource.meta;
    (meta.creation_timestamp, &meta.name, &meta.namespace)
}
