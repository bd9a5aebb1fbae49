//! Which chain a request comes by, without a proxy: for explanations.

use outrigger_api::host::HostPattern;
use outrigger_api::{Proxy, Resource, select};

use super::server::{Kind, Served};
use super::{http, narrow};
use crate::render::options::Options;

/// Where a request comes in at a gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrance<'q> {
    /// The port of the Gateway's server.
    pub(crate) port: u16,
    /// The name that TLS asks for. `None`: plain HTTP.
    pub(crate) sni: Option<&'q str>,
    /// The request's host, without a port.
    pub(crate) host: &'q str,
    /// A proxy in front of the gateway that is believed says that the client came by HTTPS.
    pub(crate) forwarded_https: bool,
}

/// What takes a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reached {
    /// Filters that have these resources.
    Filters(Vec<Resource>),
    /// The same, but whoever passes them is sent to HTTPS.
    ToHttps(Vec<Resource>),
    /// Nobody, for this reason.
    Nobody(String),
}

/// The port of a gateway that a request comes in by. A URL's own is a part of its host, and need not be one of those: where
/// all servers that speak as the client does are on one port, it came in there.
pub(crate) fn entered(resources: &[Resource], proxy: &Proxy, port: u16, tls: bool) -> u16 {
    let servers = servers(resources, proxy, &Options::default());
    let of = |served: &&Served<'_>| (served.kind == Kind::Http) != tls;
    let mut ports: Vec<_> = servers.iter().filter(of).map(|served| served.server.port.number).collect();
    ports.sort_unstable();
    ports.dedup();
    match ports.as_slice() {
        [only] if servers.iter().all(|served| served.server.port.number != port) => *only,
        _ => port,
    }
}

/// The servers that the gateway has.
fn servers<'r>(resources: &'r [Resource], proxy: &Proxy, options: &Options) -> Vec<Served<'r>> {
    let gateways = select::gateways(resources, proxy).into_iter();
    let servers = gateways.flat_map(|(resource, gateway)| {
        let all = gateway.servers.iter().enumerate();
        all.filter_map(|(index, server)| Served::new(resource, index, server, options).ok())
            .collect::<Vec<_>>()
    });
    servers.collect()
}

/// What takes a request at a gateway. Where there are no servers at all, the filters get everything.
pub(crate) fn reached(resources: &[Resource], proxy: &Proxy, at: Entrance<'_>) -> Reached {
    let servers = servers(resources, proxy, &Options::default());
    let here: Vec<_> = servers
        .iter()
        .filter(|served| served.server.port.number == at.port)
        .filter(|served| (served.kind == Kind::Http) == at.sni.is_none())
        .collect();
    if here.is_empty() {
        return match servers.is_empty() {
            true => Reached::Filters(resources.to_vec()),
            false => Reached::Nobody(unserved(&servers, at)),
        };
    }
    let Some(sni) = at.sni else {
        let open: Vec<_> = here.iter().copied().filter(|served| !served.redirects()).collect();
        let (redirects, _) = http::redirects(&here, &open, resources, proxy);
        let all = redirects.hosts.iter().map(|host| (host, true));
        let all = all.chain(redirects.except.iter().map(|host| (host, false)));
        let fitting = all.map(|(host, redirected)| (HostPattern::parse(host), redirected));
        let best = fitting
            .filter(|(host, _)| host.covers(at.host))
            .min_by(|(one, _), (other, _)| one.by_specificity(other));
        let closed = http::past_redirects(&here, u32::from(at.forwarded_https));
        let narrowed = narrow::resources(resources, proxy, &open, &closed);
        return match best {
            Some((_, true)) if !at.forwarded_https => Reached::ToHttps(narrowed),
            _ => Reached::Filters(narrowed),
        };
    };
    let named =
        here.iter().flat_map(|served| served.server.hosts.iter().map(move |host| (&host.host, *served)));
    let best =
        named.filter(|(host, _)| host.covers(sni)).min_by(|(one, _), (other, _)| one.by_specificity(other));
    match best {
        Some((_, served)) if matches!(served.kind, Kind::Https(_)) => {
            Reached::Filters(narrow::resources(resources, proxy, &[served], &[]))
        }
        _ => Reached::Nobody(NO_CHAIN.to_owned()),
    }
}

/// Why TLS gets nowhere on a port that takes it.
const NO_CHAIN: &str = "no server of a Gateway on this port reads requests for the name that TLS asks for";

/// Why nobody listens, or does not speak as the client does.
fn unserved(servers: &[Served<'_>], at: Entrance<'_>) -> String {
    let Entrance { port, sni, .. } = at;
    let mut ports: Vec<_> = servers.iter().map(|served| served.server.port.number).collect();
    ports.sort_unstable();
    ports.dedup();
    if ports.contains(&port) {
        let speaks = if sni.is_some() { "takes no TLS" } else { "takes TLS or bytes only" };
        return format!("port {port} of the Gateways {speaks}");
    }
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    format!(
        "no server of a Gateway listens on port {port}, but on {}; a URL's port here is the Gateway's, whatever `--port` makes of it",
        ports.join(", ")
    )
}
