//! Where the application sends its requests: the port that is for all of them, and those that the Sidecar's `egress`
//! opens for some services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::types::common::Protocol;
use outrigger_api::types::sidecar::{CaptureMode, EgressListener, Sidecar};
use outrigger_api::{Direction, Problem, Proxy, Resource};

use super::{Bind, Chain, Content, Http, Plan, Traffic, Unknown};
use crate::envoy::listener::TrafficDirection;
use crate::render::options::{OUTBOUND_PORT, Options};
use crate::render::problems;
use crate::scope::{Listener, Scope, outbound_policy};

/// A listener for each port.
pub(super) fn plan(
    resources: &[Resource],
    sidecar: Option<(&Resource, &Sidecar)>,
    proxy: &Proxy,
    options: &Options,
) -> Result<Vec<Plan>, Vec<Problem>> {
    let scope = sidecar.and_then(|(_, sidecar)| Scope::new(sidecar, proxy));
    let known = |listener| scope.as_ref().map(|scope| scope.resources(resources, &listener));
    let unknown = outbound_policy(sidecar, proxy, &options.mesh);
    let local = options.outbound_bind.or(options.bind).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let all = SocketAddr::new(local, options.mapped(OUTBOUND_PORT));
    let mut plans = vec![listener(Bind::Port(all), proxy, unknown.clone(), known(Listener::All))];
    let mut problems = Vec::new();
    for (at, egress) in own_ports(sidecar) {
        let Some(port) = &egress.port else { continue };
        if !port.protocol.may_be_http() {
            let resource = sidecar.map(|(resource, _)| resource);
            problems.extend(resource.map(|resource| refused(resource, at, port.protocol)));
            continue;
        }
        let bind = match egress.bind.as_deref().map(|bind| (bind, bind.strip_prefix("unix://"))) {
            Some((_, Some(path))) => Bind::Socket(path.to_owned()),
            Some((ip, None)) => own_port(ip.parse().unwrap_or(local), port.number, options),
            None => own_port(local, port.number, options),
        };
        plans.push(listener(bind, proxy, unknown.clone(), known(Listener::Port(egress))));
    }
    if problems.is_empty() { Ok(plans) } else { Err(problems) }
}

/// The egress listeners with a port of their own. What only iptables would divert is taken on the port for all.
fn own_ports<'r>(
    sidecar: Option<(&'r Resource, &'r Sidecar)>,
) -> impl Iterator<Item = (usize, &'r EgressListener)> {
    let listeners = sidecar.into_iter().flat_map(|(_, sidecar)| sidecar.egress.iter().enumerate());
    listeners.filter(|(_, listener)| listener.capture_mode != CaptureMode::Iptables)
}

fn own_port(ip: IpAddr, number: u16, options: &Options) -> Bind {
    Bind::Port(SocketAddr::new(ip, options.mapped(number)))
}

fn listener(bind: Bind, proxy: &Proxy, unknown: Unknown, resources: Option<Vec<Resource>>) -> Plan {
    // The port that a request is headed for is in its authority; that of the listener says nothing.
    let proxy = Proxy { direction: Some(Direction::Outbound), port: None, ..proxy.clone() };
    let own_port = match &bind {
        Bind::Port(address) => Some(address.port()),
        Bind::Socket(_) => None,
    };
    let http = Http { resources, own_port, ..Http::all(Traffic::Outbound(unknown), proxy) };
    Plan {
        bind,
        direction: TrafficDirection::Outbound,
        chains: vec![Chain::only(Content::Http(Box::new(http)))],
    }
}

fn refused(resource: &Resource, at: usize, protocol: Protocol) -> Problem {
    let what = format!("`{}` on a sidecar's egress listener", format!("{protocol:?}").to_uppercase());
    let path = format!("spec.egress[{at}].port.protocol");
    let hint = "`HTTP`, `HTTP2` and `GRPC` are".to_owned();
    Problem { hint: Some(hint), ..problems::unsupported(resource, &path, &what) }
}
