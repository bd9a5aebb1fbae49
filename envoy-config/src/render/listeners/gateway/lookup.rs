//! Which chain a request comes by, without a proxy: for explanations.

use outrigger_api::host::HostPattern;
use outrigger_api::types::gateway::ServerTlsMode;
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
    match by_name(&here, sni) {
        Some(served) if matches!(served.kind, Kind::Https(_)) => {
            Reached::Filters(narrow::resources(resources, proxy, &[served], &[]))
        }
        _ => Reached::Nobody(NO_CHAIN.to_owned()),
    }
}

/// The server whose host is the closest to the name that TLS asks for.
fn by_name<'s, 'r>(servers: &[&'s Served<'r>], sni: &str) -> Option<&'s Served<'r>> {
    let named =
        servers.iter().flat_map(|served| served.server.hosts.iter().map(move |host| (&host.host, *served)));
    let best =
        named.filter(|(host, _)| host.covers(sni)).min_by(|(one, _), (other, _)| one.by_specificity(other));
    best.map(|(_, served)| served)
}

/// What the server of a Gateway does with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Its Gateway.
    pub(crate) gateway: String,
    /// What it does.
    pub(crate) how: How,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Its bytes are passed on.
    PassedOn,
    /// Requests are read; nobody is asked for a certificate.
    Read,
    /// Requests are read; who shows a certificate is known by it.
    ReadWithCertificate,
    /// Requests are read of those alone who show a certificate.
    ReadOfCertified,
}

/// What becomes of a connection to `port` of a Gateway; `sni`: the name that TLS asks for. `None`: nobody takes it.
pub(crate) fn accepted(
    resources: &[Resource],
    proxy: &Proxy,
    port: u16,
    sni: Option<&str>,
) -> Option<Accepted> {
    let servers = servers(resources, proxy, &Options::default());
    let here = servers.iter().filter(|served| served.server.port.number == port);
    let (plain, tls): (Vec<_>, Vec<_>) =
        here.partition(|served| matches!(served.kind, Kind::Http | Kind::Tcp));
    let served = match sni {
        None => plain.into_iter().next(),
        Some(sni) => by_name(&tls, sni),
    }?;
    let how = match served.kind {
        Kind::Tcp | Kind::TcpOverTls(_) | Kind::Passthrough => How::PassedOn,
        Kind::Http => How::Read,
        Kind::Https(tls) => match tls.mode {
            ServerTlsMode::Mutual | ServerTlsMode::IstioMutual => How::ReadOfCertified,
            ServerTlsMode::OptionalMutual => How::ReadWithCertificate,
            ServerTlsMode::Simple | ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => How::Read,
        },
    };
    Some(Accepted { gateway: served.resource.id(), how })
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
