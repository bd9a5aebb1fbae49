//! The chains of servers that read requests.

use std::collections::BTreeSet;

use outrigger_api::host::HostPattern;
use outrigger_api::types::common::Protocol;
use outrigger_api::types::gateway::ServerTls;
use outrigger_api::{Problem, Proxy, Resource, select};

use super::server::Served;
use super::{Context, by_names, narrow, tls};
use crate::envoy::listener::FilterChainMatch;
use crate::render::listeners::{Chain, Content, Http, Redirects, Traffic};

/// The one chain of the plain servers of a port.
pub(super) fn plain(servers: &[&Served<'_>], context: &mut Context<'_>) -> Option<Chain> {
    let first = servers.first()?;
    // A server that redirects has nothing for the filters: they would answer, or change the URL, before Envoy redirects.
    let open: Vec<_> = servers.iter().copied().filter(|served| !served.redirects()).collect();
    let (redirects, mut problems) = redirects(servers, &open, context.resources, context.proxy);
    context.problems.append(&mut problems);
    let closed = past_redirects(servers, context.options.mesh.trusted_proxies);
    let redirects = Redirects { passable: !closed.is_empty(), ..redirects };
    let http = Http { redirects, ..requests(first, (&open, &closed), servers, context) };
    Some(Chain {
        name: String::new(),
        matches: FilterChainMatch::default(),
        tls: None,
        content: Content::Http(Box::new(http)),
    })
}

/// The chain of a server that ends TLS: for its own hosts alone.
pub(super) fn terminated(served: &Served<'_>, tls: &ServerTls, context: &mut Context<'_>) -> Option<Chain> {
    let socket = tls::context(&served.place(), tls, context)?;
    let http = requests(served, (&[served], &[]), &[served], context);
    Some(Chain {
        name: served.name(),
        matches: by_names(served.server.hosts.iter().map(|host| &host.host)),
        tls: Some(socket),
        content: Content::Http(Box::new(http)),
    })
}

/// Those that redirect, if there are proxies in front of the gateway that may say that a client has come by HTTPS.
pub(super) fn past_redirects<'s, 'r>(servers: &[&'s Served<'r>], trusted: u32) -> Vec<&'s Served<'r>> {
    servers.iter().copied().filter(|served| trusted > 0 && served.redirects()).collect()
}

/// `open`: those whose rules the filters carry out; `closed`: those whose rules are for who came by HTTPS.
fn requests(
    first: &Served<'_>,
    (open, closed): (&[&Served<'_>], &[&Served<'_>]),
    all: &[&Served<'_>],
    context: &Context<'_>,
) -> Http {
    let port = Some(first.server.port.number).filter(|port| *port != 0);
    Http {
        traffic: Traffic::Gateway,
        proxy: Proxy { port, ..context.proxy.clone() },
        resources: Some(narrow::resources(context.resources, context.proxy, open, closed)),
        redirects: Redirects::default(),
        own_port: None,
        grpc_web: all.iter().any(|served| served.server.port.protocol == Protocol::GrpcWeb),
    }
}

/// As Istio makes virtual hosts: for each host of a redirecting server, and for each that a VirtualService has there.
pub(super) fn redirects(
    all: &[&Served<'_>],
    open: &[&Served<'_>],
    resources: &[Resource],
    proxy: &Proxy,
) -> (Redirects, Vec<Problem>) {
    let attached = |served: &Served<'_>| attached(served, resources, proxy);
    let mut problems = Vec::new();
    let own = |served: &&Served<'_>| {
        let hosts = served.server.hosts.iter().map(|host| host.host.clone());
        hosts.collect::<Vec<_>>()
    };
    let closed: Vec<_> = all.iter().copied().filter(|served| served.redirects()).collect();
    let wide: Vec<HostPattern> = closed.iter().flat_map(own).collect();
    if wide.is_empty() {
        return (Redirects::default(), problems);
    }
    // What is served plainly below a wildcard that is redirected.
    let within = |host: &HostPattern| wide.iter().any(|wide| host != wide && host.is_subset_of(wide));
    let mut hosts: BTreeSet<_> = wide.iter().map(HostPattern::to_string).collect();
    let mut except = BTreeSet::new();
    for served in open {
        for host in attached(served).into_iter().filter(within).map(|host| host.to_string()) {
            let both = closed
                .iter()
                .find(|closed| attached(closed).iter().any(|redirected| redirected.to_string() == host));
            if let Some(closed) = both {
                let message = format!(
                    "a VirtualService has the host `{host}` on this server, which serves it, and on {}, which sends it \
                     to HTTPS",
                    closed.called()
                );
                let hint = "name the host in the `hosts` of one of the two servers";
                problems.push(served.conflict("hosts", message, hint));
            }
            except.insert(host);
        }
    }
    if !except.is_empty() {
        let narrow = closed.iter().flat_map(|served| attached(served));
        hosts.extend(narrow.map(|host| host.to_string()));
    }
    (Redirects { hosts, except, passable: false }, problems)
}

/// The hosts of the VirtualServices on a server.
fn attached(served: &Served<'_>, resources: &[Resource], proxy: &Proxy) -> Vec<HostPattern> {
    let services = select::virtual_services(resources, &served.gateway(), proxy);
    let hosts = services.iter().flat_map(|(resource, service)| {
        let namespace = &resource.meta.namespace;
        select::attached_hosts(served.server, service, namespace, &proxy.cluster_domain)
    });
    hosts.collect()
}
