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
    let mut servers = Vec::new();
    for (resource, gateway) in select::gateways(resources, proxy) {
        let (namespace, name) = (resource.meta.namespace.clone(), resource.meta.name.clone());
        let reference = GatewayRef::Named { namespace, name };
        for server in &gateway.servers {
            let number = server.port.number;
            if reads_requests(server) && proxy.port.is_none_or(|port| port == number) {
                servers.push((number, attachments(resources, proxy, &reference, server)));
            }
        }
    }
    servers
}

fn attachments<'r>(
    resources: &'r [Resource],
    proxy: &Proxy,
    gateway: &GatewayRef,
    server: &Server,
) -> Vec<Attachment<'r>> {
    let mut attachments = Vec::new();
    for (resource, spec) in select::virtual_services(resources, gateway, proxy) {
        let hosts = select::attached_hosts(server, spec, &resource.meta.namespace, &proxy.cluster_domain);
        if !hosts.is_empty() {
            attachments.push(Attachment { resource, spec, gateway: gateway.clone(), hosts });
        }
    }
    attachments
}

/// Whether the server sees requests: plain HTTP, or HTTPS that it terminates itself.
fn reads_requests(server: &Server) -> bool {
    let terminates = server
        .tls
        .as_ref()
        .is_some_and(|tls| !matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough));
    server.port.protocol.is_http() || (server.port.protocol == Protocol::Https && terminates)
}
