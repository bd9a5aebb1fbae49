//! The ports of a gateway: those of the servers of its Gateways. Plain HTTP servers of a port are one filter chain, as
//! under Istio; each server with TLS is a chain of its own, which connections take by the name they ask for.

mod guarded;
mod http;
mod lookup;
mod merge;
mod narrow;
mod server;
mod tcp;
pub(super) mod tls;

use outrigger_api::host::HostPattern;
use outrigger_api::problem::{Severity, code};
use outrigger_api::resource::Resource;
use outrigger_api::types::common::Labels;
use outrigger_api::{Problem, Proxy, select};

pub(crate) use self::lookup::{Accepted, Entrance, How, Reached, accepted, entered, reached};
use self::merge::Port;
use self::server::{Kind, Served};
use super::{Chain, Plan};
use crate::credentials::Credentials;
use crate::envoy::listener::{FilterChainMatch, TrafficDirection};
use crate::render::options::Options;
use crate::render::problems;
use crate::render::secrets::Secrets;

/// What the chains of a gateway, or of a sidecar, are made of.
pub(super) struct Context<'c> {
    pub(super) resources: &'c [Resource],
    pub(super) proxy: &'c Proxy,
    pub(super) options: &'c Options,
    pub(super) credentials: &'c Credentials<'c>,
    pub(super) secrets: &'c mut Secrets,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// A listener for each port, and what is hardly meant as it is written.
pub(super) fn plan(
    resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
    credentials: &Credentials<'_>,
    secrets: &mut Secrets,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let (mut problems, mut servers) = (Vec::new(), Vec::new());
    for (resource, gateway) in select::gateways(resources, proxy) {
        for (index, server) in gateway.servers.iter().enumerate() {
            match Served::new(resource, index, server, options) {
                Ok(served) => servers.push(served),
                Err(problem) => problems.push(*problem),
            }
        }
    }
    let ports = merge::ports(servers, &mut problems);
    let warnings = Vec::new();
    let mut context = Context { resources, proxy, options, credentials, secrets, problems, warnings };
    let plans: Vec<_> = ports.iter().filter_map(|port| listener(port, &mut context)).collect();
    let Context { mut problems, warnings, .. } = context;
    if plans.is_empty() && problems.is_empty() {
        problems.push(nothing(proxy, ports.is_empty()));
    }
    if problems.is_empty() { Ok((plans, warnings)) } else { Err(problems) }
}

/// `None`: nothing would be done with a connection there, so the port stays closed.
fn listener(port: &Port<'_>, context: &mut Context<'_>) -> Option<Plan> {
    let mut chains: Vec<Chain> = Vec::new();
    let plain: Vec<_> = port.servers.iter().filter(|served| served.kind == Kind::Http).collect();
    if !plain.is_empty() {
        chains.extend(http::plain(&plain, context));
    }
    for served in &port.servers {
        match served.kind {
            Kind::Http => {}
            Kind::Https(tls) => chains.extend(http::terminated(served, tls, context)),
            Kind::Tcp => chains.extend(tcp::opaque(served, None, context)),
            Kind::TcpOverTls(tls) => chains.extend(tcp::opaque(served, Some(tls), context)),
            Kind::Passthrough => {
                for chain in tcp::passed_through(served, context) {
                    match distinct(chain, &chains) {
                        Some(chain) => chains.push(chain),
                        None => context.warnings.push(taken(served)),
                    }
                }
            }
        }
    }
    let direction = TrafficDirection::Outbound;
    (!chains.is_empty()).then(|| Plan { bind: port.bind.clone(), direction, chains })
}

/// Without the names that an earlier chain takes; Envoy wants each chain to be another's. `None`: no name is left.
fn distinct(mut chain: Chain, earlier: &[Chain]) -> Option<Chain> {
    for other in earlier.iter().filter(|other| other.matches.prefix_ranges == chain.matches.prefix_ranges) {
        let (names, theirs) = (&mut chain.matches.server_names, &other.matches.server_names);
        if names.is_empty() && theirs.is_empty() {
            return None;
        }
        let before = names.len();
        names.retain(|name| !theirs.contains(name));
        if before > 0 && names.is_empty() {
            return None;
        }
    }
    Some(chain)
}

fn taken(served: &Served<'_>) -> Problem {
    let message = "a `tls` route for this server has no effect: its SNI hosts are taken by an earlier one";
    let problem = served.resource.error(&served.path("hosts"), code::WARNING, message);
    Problem { severity: Severity::Warning, ..problem }
}

/// Connections that ask for one of these names; everyone if `*` is among them.
fn by_names<'h>(hosts: impl Iterator<Item = &'h HostPattern>) -> FilterChainMatch {
    let mut names: Vec<_> = hosts.map(HostPattern::to_string).collect();
    names.sort_unstable();
    names.dedup();
    if names.iter().any(|name| name == "*") {
        names.clear();
    }
    FilterChainMatch { server_names: names, ..FilterChainMatch::default() }
}

fn nothing(proxy: &Proxy, no_server: bool) -> Problem {
    if no_server {
        let message = format!("no Gateway selects a proxy with the labels {}", list(&proxy.labels));
        let hint = "a Gateway says where to listen; for rules of the mesh use `--role sidecar`";
        return problems::whole(problems::NO_LISTENER, message, hint);
    }
    let message = "no server of a Gateway has anything to do with its connections".to_owned();
    let hint = "attach a VirtualService with `tcp` or `tls` routes to the Gateway";
    problems::whole(problems::NO_LISTENER, message, hint)
}

fn list(labels: &Labels) -> String {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
    if labels.is_empty() { "(none)".to_owned() } else { labels.join(", ") }
}
