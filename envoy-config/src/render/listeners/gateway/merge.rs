//! Servers that share a port. Istio takes the first of those that can't, and says so in its log; here it is an error.

use std::collections::BTreeMap;

use outrigger_api::Problem;

use super::server::{Kind, Served};
use crate::analyze::place;
use crate::render::listeners::Bind;

/// A port with its servers, the oldest Gateway's first.
#[derive(Debug)]
pub(super) struct Port<'r> {
    /// Where.
    pub(super) bind: Bind,
    /// At least one; all plain HTTP, or all with TLS, or one of plain TCP.
    pub(super) servers: Vec<Served<'r>>,
}

/// What can share a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Many servers, told apart by the host of a request.
    Http,
    /// Many servers, told apart by the name that TLS asks for.
    Tls,
    /// One server.
    Tcp,
}

/// The ports in order.
pub(super) fn ports<'r>(servers: Vec<Served<'r>>, problems: &mut Vec<Problem>) -> Vec<Port<'r>> {
    let mut ports: BTreeMap<(Bind, u16), Vec<Served<'r>>> = BTreeMap::new();
    for served in servers {
        let at = ports.entry((served.bind.clone(), served.server.port.number)).or_default();
        match at.iter().find_map(|first| conflict(first, &served)) {
            Some(problem) => problems.push(problem),
            None => at.push(served),
        }
    }
    ports.into_iter().map(|((bind, _), servers)| Port { bind, servers }).collect()
}

fn conflict(first: &Served<'_>, second: &Served<'_>) -> Option<Problem> {
    let there = |served: &Served<'_>| format!("{} ({})", served.called(), place(served.resource));
    match (class(first), class(second)) {
        (Class::Http, Class::Http) => redirected(first, second).or_else(|| redirected(second, first)),
        (Class::Tls, Class::Tls) => {
            let mut hosts = second.server.hosts.iter().enumerate();
            let (at, same) =
                hosts.find(|(_, host)| first.server.hosts.iter().any(|other| other.host == host.host))?;
            let message = format!(
                "port {} has a server with TLS for the host `{}` already: {}",
                second.server.port.number,
                same.host,
                there(first)
            );
            let hint =
                "a connection goes by the name that it asks for, so a host can have one server on a port";
            Some(second.conflict(&format!("hosts[{at}]"), message, hint))
        }
        (one, other) => {
            let message = format!("port {} is taken by a server {}", second.server.port.number, there(first));
            let hint = if one == other {
                "plain TCP says nothing that tells two servers apart: choose another port, or another `bind`"
            } else {
                "servers of plain HTTP can share a port, and so can servers with TLS, but not both kinds"
            };
            Some(second.conflict("port.protocol", message, hint))
        }
    }
}

/// A host that one server serves can't be sent to HTTPS by the other.
fn redirected(one: &Served<'_>, other: &Served<'_>) -> Option<Problem> {
    if one.redirects() == other.redirects() {
        return None;
    }
    let mut hosts = other.server.hosts.iter().enumerate();
    let (at, same) = hosts.find(|(_, host)| one.server.hosts.iter().any(|mine| mine.host == host.host))?;
    let message = format!(
        "the host `{}` is on port {} twice, with `httpsRedirect` and without: {} ({})",
        same.host,
        other.server.port.number,
        one.called(),
        place(one.resource)
    );
    Some(other.conflict(&format!("hosts[{at}]"), message, "leave it with one of them"))
}

fn class(served: &Served<'_>) -> Class {
    match served.kind {
        Kind::Http => Class::Http,
        Kind::Tcp => Class::Tcp,
        Kind::Https(_) | Kind::TcpOverTls(_) | Kind::Passthrough => Class::Tls,
    }
}
