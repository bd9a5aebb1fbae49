//! Which ports of Gateways filters have to tell apart.

use std::collections::BTreeSet;

use outrigger_api::types::common::Protocol;
use outrigger_api::types::gateway::{Server, ServerTlsMode};
use outrigger_api::{Proxy, Resource, select};

/// The ports on which the proxy's Gateways read requests.
pub(super) fn of_gateways(resources: &[Resource], proxy: &Proxy) -> BTreeSet<u16> {
    let gateways = select::gateways(resources, proxy);
    let servers = gateways.iter().flat_map(|(_, gateway)| &gateway.servers);
    servers.filter(|server| reads_requests(server)).map(|server| server.port.number).collect()
}

fn reads_requests(server: &Server) -> bool {
    let passes = server
        .tls
        .as_ref()
        .is_some_and(|tls| matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough));
    server.port.protocol.is_http() || (server.port.protocol == Protocol::Https && !passes)
}
