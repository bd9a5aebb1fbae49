//! Which VirtualServices stand on the servers of a proxy's Gateways.

use outrigger_api::host::HostPattern;
use outrigger_api::select;
use outrigger_api::types::common::{GatewayRef, Protocol};
use outrigger_api::types::gateway::{Server, ServerTlsMode};
use outrigger_api::types::virtual_service::VirtualService;
use outrigger_api::{Proxy, Resource};

/// A VirtualService on one server of a Gateway.
#[derive(Debug)]
pub(super) struct Attachment<'r> {
    /// The VirtualService's resource.
    pub(super) resource: &'r Resource,
    /// What it says.
    pub(super) spec: &'r VirtualService,
    /// The Gateway.
    pub(super) gateway: GatewayRef,
    /// The hosts that both sides have.
    pub(super) hosts: Vec<HostPattern>,
}

/// The HTTP servers of the Gateways for `proxy`, by port, with the VirtualServices on each in order. Several servers
/// may have the same port.
pub(super) fn gateway_servers<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
) -> Vec<(u16, Vec<Attachment<'r>>)> {
    let gateways = select::gateways(resources, proxy).into_iter();
    let servers = gateways.flat_map(|(resource, gateway)| {
        let (namespace, name) = (resource.meta.namespace.clone(), resource.meta.name.clone());
        let reference = GatewayRef::Named { namespace, name };
        gateway.servers.iter().map(move |server| (reference.clone(), server))
    });
    servers
        .filter(|(_, server)| reads_requests(server))
        .filter(|(_, server)| proxy.port.is_none_or(|port| port == server.port.number))
        .map(|(gateway, server)| (server.port.number, attachments(resources, proxy, &gateway, server)))
        .collect()
}

fn attachments<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
    gateway: &GatewayRef,
    server: &Server,
) -> Vec<Attachment<'r>> {
    let services = select::virtual_services(resources, gateway, proxy).into_iter();
    services
        .map(|(resource, spec)| {
            let hosts = select::attached_hosts(server, spec, &resource.meta.namespace, &proxy.cluster_domain);
            Attachment { resource, spec, gateway: gateway.clone(), hosts }
        })
        .filter(|attachment| !attachment.hosts.is_empty())
        .collect()
}

/// Whether the server sees requests: plain HTTP, or HTTPS that it terminates itself.
fn reads_requests(server: &Server) -> bool {
    let terminates = server
        .tls
        .as_ref()
        .is_some_and(|tls| !matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough));
    server.port.protocol.is_http() || (server.port.protocol == Protocol::Https && terminates)
}
