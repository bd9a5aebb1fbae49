//! The two ports of a sidecar.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::{Direction, Problem, Proxy, Resource};

use super::{Bind, Chain, Plan, Traffic};
use crate::envoy::listener::TrafficDirection;
use crate::render::options::{INBOUND_PORT, OUTBOUND_PORT, Options};
use crate::render::secrets::Secrets;

/// Where the application sends its requests, and where those for it come in.
pub(super) fn plan(
    _resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
    _secrets: &mut Secrets,
) -> Result<Vec<Plan>, Vec<Problem>> {
    let on = |direction, port| Proxy { direction: Some(direction), port, ..proxy.clone() };
    let bind = |default| options.bind.unwrap_or(IpAddr::V4(default));
    let outbound = Plan {
        bind: Bind::Port(SocketAddr::new(bind(Ipv4Addr::LOCALHOST), options.mapped(OUTBOUND_PORT))),
        direction: TrafficDirection::Outbound,
        chains: vec![Chain::only(
            Traffic::Outbound(options.mesh.outbound_traffic),
            // The port that a request is headed for is in its authority; that of the listener says nothing.
            on(Direction::Outbound, None),
        )],
    };
    let inbound = options.app_port.map(|port| Plan {
        bind: Bind::Port(SocketAddr::new(bind(Ipv4Addr::UNSPECIFIED), options.mapped(INBOUND_PORT))),
        direction: TrafficDirection::Inbound,
        chains: vec![Chain::only(Traffic::Inbound(port), on(Direction::Inbound, Some(port)))],
    });
    Ok(std::iter::once(outbound).chain(inbound).collect())
}
