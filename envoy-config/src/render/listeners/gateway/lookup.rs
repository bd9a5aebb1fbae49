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
}

/// What takes a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reached {
    /// Filters that have these resources.
    Filters(Vec<Resource>),
    /// The same, but whoever passes them is sent to HTTPS.
    ToHttps(Vec<Resource>),
    /// Nobody: no server has the name that TLS asks for, or it passes bytes on.
    Nobody,
}

/// What takes a request at a gateway. Where no server speaks as the client does, the filters get everything.
pub(crate) fn reached(resources: &[Resource], proxy: &Proxy, at: Entrance<'_>) -> Reached {
    let options = Options::default();
    let gateways = select::gateways(resources, proxy).into_iter();
    let servers = gateways.flat_map(|(resource, gateway)| {
        let all = gateway.servers.iter().enumerate();
        all.filter_map(|(index, server)| Served::new(resource, index, server, &options).ok())
            .collect::<Vec<_>>()
    });
    let here: Vec<Served<'_>> = servers
        .filter(|served| served.server.port.number == at.port)
        .filter(|served| (served.kind == Kind::Http) == at.sni.is_none())
        .collect();
    let here: Vec<_> = here.iter().collect();
    if here.is_empty() {
        return Reached::Filters(resources.to_vec());
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
        let narrowed = narrow::resources(resources, proxy, &open);
        return match best {
            Some((_, true)) => Reached::ToHttps(narrowed),
            _ => Reached::Filters(narrowed),
        };
    };
    let named =
        here.iter().flat_map(|served| served.server.hosts.iter().map(move |host| (&host.host, *served)));
    let best =
        named.filter(|(host, _)| host.covers(sni)).min_by(|(one, _), (other, _)| one.by_specificity(other));
    match best {
        Some((_, served)) if matches!(served.kind, Kind::Https(_)) => {
            Reached::Filters(narrow::resources(resources, proxy, &[served]))
        }
        _ => Reached::Nobody,
    }
}
