//! Which ports of Gateways filters have to tell apart.

use std::collections::BTreeSet;

use outrigger_api::{Proxy, Resource, select};

use crate::render::routed::reads_requests;

/// The ports on which the proxy's Gateways read requests.
pub(super) fn of_gateways(resources: &[Resource], proxy: &Proxy) -> BTreeSet<u16> {
    let gateways = select::gateways(resources, proxy);
    let servers = gateways.iter().flat_map(|(_, gateway)| &gateway.servers);
    servers.filter(|server| reads_requests(server)).map(|server| server.port.number).collect()
}
