//! The port on which Envoy answers health checks of whoever has no certificate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Bind, Chain, Content, Plan};
use crate::envoy::listener::{FilterChainMatch, TrafficDirection};
use crate::render::options::Options;

/// The listener, if there is to be one.
pub(super) fn plan(options: &Options) -> Option<Plan> {
    let port = options.probe_port?;
    let ip = options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let chain = Chain {
        name: String::new(),
        matches: FilterChainMatch::default(),
        tls: None,
        content: Content::Probes(options.app_probes.clone()),
    };
    Some(Plan {
        bind: Bind::Port(SocketAddr::new(ip, options.mapped(port))),
        direction: TrafficDirection::Inbound,
        chains: vec![chain],
    })
}
