//! Which ports this proxy opens: those of its Gateways, or the two of a sidecar.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::problem::code;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::Labels;
use outrigger_api::types::gateway::Server;
use outrigger_api::{Direction, Problem, Proxy, Role};

use super::options::{INBOUND_PORT, OUTBOUND_PORT, Options};
use super::problems;
use crate::mesh_config::OutboundTraffic;

/// A port to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Where.
    pub(super) address: SocketAddr,
    /// What comes in there.
    pub(super) traffic: Traffic,
    /// Who the filters on it are.
    pub(super) proxy: Proxy,
}

/// What comes in on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Requests from outside of the mesh.
    Gateway,
    /// A sidecar's application's own requests; what becomes of those for hosts that nobody has named.
    Outbound(OutboundTraffic),
    /// Requests for a sidecar's application, which listens on this port.
    Inbound(u16),
}

impl Plan {
    /// The listener's name, as Istio forms it.
    pub(super) fn name(&self) -> String {
        format!("{}_{}", self.address.ip(), self.address.port())
    }
}

/// The ports to open.
///
/// # Errors
/// Gateway servers that are not carried out, two that want the same port, or none at all.
pub(super) fn plan(
    resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
) -> Result<Vec<Plan>, Vec<Problem>> {
    let plans = match proxy.role {
        Role::Gateway => gateway(resources, proxy, options)?,
        Role::Sidecar => sidecar(proxy, options),
    };
    let mut taken = BTreeMap::from([(options.admin, "Envoy's admin interface".to_owned())]);
    for plan in &plans {
        if let Some(other) = taken.insert(plan.address, format!("listener `{}`", plan.name())) {
            let message = format!("`{}` is wanted by {other} and by a listener", plan.address);
            return Err(vec![problems::whole(
                problems::PORT_CONFLICT,
                message,
                "choose others with `--port`",
            )]);
        }
    }
    Ok(plans)
}

fn sidecar(proxy: &Proxy, options: &Options) -> Vec<Plan> {
    let on = |direction, port| Proxy { direction: Some(direction), port, ..proxy.clone() };
    let bind = |default| options.bind.unwrap_or(IpAddr::V4(default));
    let outbound = Plan {
        address: SocketAddr::new(bind(Ipv4Addr::LOCALHOST), options.mapped(OUTBOUND_PORT)),
        traffic: Traffic::Outbound(options.mesh.outbound_traffic),
        // The port that a request is headed for is in its authority; that of the listener says nothing.
        proxy: on(Direction::Outbound, None),
    };
    let inbound = options.app_port.map(|port| Plan {
        address: SocketAddr::new(bind(Ipv4Addr::UNSPECIFIED), options.mapped(INBOUND_PORT)),
        traffic: Traffic::Inbound(port),
        proxy: on(Direction::Inbound, Some(port)),
    });
    std::iter::once(outbound).chain(inbound).collect()
}

fn gateway(resources: &[Resource], proxy: &Proxy, options: &Options) -> Result<Vec<Plan>, Vec<Problem>> {
    let (mut plans, mut found) = (BTreeMap::new(), Vec::new());
    for resource in resources {
        let Spec::Gateway(gateway) = &resource.spec else { continue };
        if !gateway.selector.matches(&proxy.labels) {
            continue;
        }
        for (index, server) in gateway.servers.iter().enumerate() {
            let path = format!("spec.servers[{index}]");
            match address(resource, server, &path, options) {
                Ok(address) => {
                    let proxy = Proxy { port: Some(server.port.number), ..proxy.clone() };
                    plans.insert(address, Plan { address, traffic: Traffic::Gateway, proxy });
                }
                Err(problem) => found.push(*problem),
            }
        }
    }
    if plans.is_empty() && found.is_empty() {
        let message = format!("no Gateway selects a proxy with the labels {}", list(&proxy.labels));
        let hint = "a Gateway says where to listen; for rules of the mesh use `--role sidecar`";
        found.push(problems::whole(problems::NO_LISTENER, message, hint));
    }
    if found.is_empty() { Ok(plans.into_values().collect()) } else { Err(found) }
}

fn address(
    resource: &Resource,
    server: &Server,
    path: &str,
    options: &Options,
) -> Result<SocketAddr, Box<Problem>> {
    if !server.port.protocol.is_http() {
        let protocol = format!("{:?}", server.port.protocol).to_uppercase();
        let what = format!("`{protocol}` on a Gateway port");
        let mut problem = problems::unsupported(resource, &format!("{path}.port.protocol"), &what);
        problem.hint = Some("`HTTP`, `HTTP2` and `GRPC` are".to_owned());
        return Err(Box::new(problem));
    }
    if server.tls.as_ref().is_some_and(|tls| tls.https_redirect) {
        return Err(Box::new(problems::unsupported(
            resource,
            &format!("{path}.tls.httpsRedirect"),
            "`httpsRedirect`",
        )));
    }
    let bind = match &server.bind {
        None => options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Some(text) => text.parse().map_err(|_| {
            Box::new(resource.error(
                &format!("{path}.bind"),
                code::UNSUPPORTED,
                format!("binding to `{text}` is not carried out yet, only to an IP address"),
            ))
        })?,
    };
    Ok(SocketAddr::new(bind, options.mapped(server.port.number)))
}

fn list(labels: &Labels) -> String {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
    if labels.is_empty() { "(none)".to_owned() } else { labels.join(", ") }
}
