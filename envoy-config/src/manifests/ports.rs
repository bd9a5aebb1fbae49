//! Which ports of Gateways filters have to tell apart, and by which of the proxy's listeners.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::{Proxy, Resource, Role, select};

use super::error::Error;
use crate::render::Options;
use crate::render::routed::reads_requests;

/// The ports on which the proxy's Gateways read requests.
pub(super) fn of_gateways(resources: &[Resource], proxy: &Proxy) -> BTreeSet<u16> {
    let gateways = select::gateways(resources, proxy);
    let servers = gateways.iter().flat_map(|(_, gateway)| &gateway.servers);
    servers.filter(|server| reads_requests(server)).map(|server| server.port.number).collect()
}

/// Holds `--port` against the ports of Gateways.
///
/// # Errors
/// Two of them are at one listener, where requests can't be told apart.
pub(super) fn mapped(resources: &[Resource], proxy: &Proxy, options: &Options) -> Result<Vec<String>, Error> {
    if proxy.role == Role::Sidecar {
        let unused = options.ports.iter().map(|(named, opened)| {
            format!("`--port {named}={opened}` has no effect: at a sidecar a plugin is for all ports")
        });
        return Ok(unused.collect());
    }
    let ports = of_gateways(resources, proxy);
    let mut taken = BTreeMap::new();
    for port in &ports {
        let opened = options.mapped(*port);
        if let Some(other) = taken.insert(opened, *port) {
            return Err(Error::Asked(format!(
                "ports {other} and {port} of Gateways are both at listener {opened} by `--port`, where a filter can't tell \
                 which of them a request has come by\n\
                 hint: say for each the port that the proxy listens on, which a Service has as `targetPort`"
            )));
        }
    }
    let unused = options.ports.iter().filter(|(named, _)| !ports.contains(named));
    let unused = unused.map(|(named, opened)| {
        format!(
            "`--port {named}={opened}` has no effect: no Gateway of this proxy reads requests on port {named}; the first \
             is the port that a Gateway's server names, the second the one that the proxy listens on"
        )
    });
    Ok(unused.collect())
}
