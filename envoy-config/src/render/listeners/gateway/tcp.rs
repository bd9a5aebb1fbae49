//! The chains of servers that pass bytes on: by the `tcp` routes of VirtualServices, or by `tls` routes where TLS is
//! passed through.

use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::problem::{Severity, code};
use outrigger_api::select::{self, DestinationRules};
use outrigger_api::types::destination_rule::{HashKey, LoadBalancerPolicy, TcpPool};
use outrigger_api::types::gateway::ServerTls;
use outrigger_api::types::virtual_service::{ConnectionDestination, ConnectionMatch, VirtualService};
use outrigger_api::{Problem, Proxy, Resource, Spec};
use outrigger_core::route::Destination;

use super::server::Served;
use super::{Context, by_names, tls};
use crate::envoy::listener::{FilterChainMatch, TcpCluster, WeightedCluster};
use crate::envoy::scalars::Seconds;
use crate::envoy::tls::DownstreamTlsContext;
use crate::render::authz::{self, Scope};
use crate::render::listeners::{Chain, Content, Tcp};

/// The chain of a server of plain TCP, or of one that ends TLS first: by the first route that fits.
pub(super) fn opaque(
    served: &Served<'_>,
    tls: Option<&ServerTls>,
    context: &mut Context<'_>,
) -> Option<Chain> {
    let socket = match tls.map(|tls| tls::context(&served.place(), tls, context)) {
        Some(None) => return None,
        socket => socket.flatten(),
    };
    let matches = match tls {
        Some(_) => by_names(served.server.hosts.iter().map(|host| &host.host)),
        None => FilterChainMatch::default(),
    };
    let first = services(served, context).into_iter().find_map(|(resource, service)| {
        let routes = service.tcp.iter().enumerate();
        let fitting = routes.filter(|(_, route)| {
            route.matches.is_empty() || route.matches.iter().any(|entry| fits(entry, served))
        });
        fitting.map(|(at, route)| (resource, at, route)).next()
    });
    let Some((resource, at, route)) = first else {
        unrouted(served, "tcp", context);
        return None;
    };
    for (n, entry) in route.matches.iter().enumerate() {
        no_subnets(resource, &format!("spec.tcp[{at}].match[{n}]"), entry, context);
    }
    let name = if tls.is_some() { served.name() } else { String::new() };
    let content = Content::Tcp(Box::new(proxy(served, resource, &route.route, context)));
    let chain = Chain { name, matches, tls: socket, content };
    warn_of_policies(served, std::slice::from_ref(&chain), context);
    Some(chain)
}

/// At a gateway the destination is the gateway itself, so that Istio does not look at it.
fn no_subnets(resource: &Resource, path: &str, entry: &ConnectionMatch, context: &mut Context<'_>) {
    if entry.destination_subnets.is_empty() {
        return;
    }
    let message = "`destinationSubnets` has no effect at a gateway, which is the destination itself";
    let problem = resource.error(&format!("{path}.destinationSubnets"), code::WARNING, message);
    context.warnings.push(Problem { severity: Severity::Warning, ..problem });
}

/// The chains of a server that passes TLS through: one for each `match` of a `tls` route.
pub(super) fn passed_through(served: &Served<'_>, context: &mut Context<'_>) -> Vec<Chain> {
    let mut chains = Vec::new();
    for (resource, service) in services(served, context) {
        for (at, route) in service.tls.iter().enumerate() {
            let entries = route.matches.iter().enumerate();
            for (n, entry) in entries.filter(|(_, entry)| fits(&entry.connection, served)) {
                let path = format!("spec.tls[{at}].match[{n}].sniHosts");
                context.problems.extend(partial(resource, &path, &entry.sni_hosts));
                let meta = &resource.meta;
                no_subnets(resource, &format!("spec.tls[{at}].match[{n}]"), &entry.connection, context);
                chains.push(Chain {
                    name: format!("{}/{}.{}.{at}.{n}", served.name(), meta.namespace, meta.name),
                    matches: by_names(entry.sni_hosts.iter()),
                    tls: None,
                    content: Content::Tcp(Box::new(proxy(served, resource, &route.route, context))),
                });
            }
        }
    }
    if chains.is_empty() {
        unrouted(served, "tls", context);
    }
    warn_of_policies(served, &chains, context);
    chains
}

/// Names with a star for a part of a label, by which Envoy tells no connections apart.
fn partial(resource: &Resource, path: &str, names: &[HostPattern]) -> Vec<Problem> {
    let partial = |name: &HostPattern| matches!(name, HostPattern::Suffix(end) if !end.starts_with('.'));
    let found = names.iter().enumerate().filter(|(_, name)| partial(name));
    let problem = |(at, name): (usize, &HostPattern)| {
        let message =
            format!("`{name}` covers a part of a label, which Envoy does not match server names by");
        let problem = resource.error(&format!("{path}[{at}]"), code::UNSUPPORTED, message);
        Problem { hint: Some("begin it with `*.`".to_owned()), ..problem }
    };
    found.map(problem).collect()
}

/// The VirtualServices on a server.
fn services<'r>(served: &Served<'_>, context: &Context<'r>) -> Vec<(&'r Resource, &'r VirtualService)> {
    let mut services = select::virtual_services(context.resources, &served.gateway(), context.proxy);
    services.retain(|(resource, service)| {
        let (namespace, domain) = (&resource.meta.namespace, &context.proxy.cluster_domain);
        !select::attached_hosts(served.server, service, namespace, domain).is_empty()
    });
    services
}

/// Whether a match is for this server. Labels and namespaces of clients are for sidecars.
fn fits(entry: &ConnectionMatch, served: &Served<'_>) -> bool {
    entry.port.is_none_or(|port| port == served.server.port.number)
        && (entry.gateways.is_empty() || entry.gateways.contains(&served.gateway()))
}

fn proxy(
    served: &Served<'_>,
    resource: &Resource,
    routes: &[ConnectionDestination],
    context: &Context<'_>,
) -> Tcp {
    let destinations: Vec<_> = routes
        .iter()
        .filter(|route| routes.len() == 1 || route.weight > 0)
        .map(|route| (destination(served, resource, route, context), route.weight))
        .collect();
    let cluster = match destinations.as_slice() {
        [(only, _)] => TcpCluster::Cluster(only.cluster_name()),
        several => TcpCluster::WeightedClusters {
            clusters: several
                .iter()
                .map(|(destination, weight)| WeightedCluster {
                    name: destination.cluster_name(),
                    weight: *weight,
                })
                .collect(),
        },
    };
    let (pool, by_source) = destinations.first().map_or((None, false), |(first, _)| settings(first, context));
    Tcp {
        proxy: proxy_of(served, context),
        cluster,
        destinations: destinations.into_iter().map(|(destination, _)| destination).collect(),
        idle_timeout: pool.and_then(|pool| pool.idle_timeout).map(Seconds),
        max_connection_duration: pool.and_then(|pool| pool.max_connection_duration).map(Seconds),
        by_source,
        application: None,
    }
}

/// What the DestinationRule of the first destination says of connections, as under Istio; and whether an endpoint is
/// chosen by the client's address.
fn settings<'r>(destination: &Destination, context: &Context<'r>) -> (Option<&'r TcpPool>, bool) {
    let rules = DestinationRules::find(context.resources, context.proxy, &destination.host);
    let subset = destination.subset.as_ref().and_then(|name| rules.subset(name));
    let layers = rules.settings(destination.port, subset);
    let pool = layers.iter().find_map(|settings| settings.connection_pool.as_ref());
    let balancer = layers.iter().find_map(|settings| settings.load_balancer.as_ref());
    let by_source = balancer.is_some_and(|balancer| {
        matches!(&balancer.policy, LoadBalancerPolicy::ConsistentHash { key: HashKey::SourceIp, .. })
    });
    (pool.and_then(|pool| pool.tcp.as_ref()), by_source)
}

fn destination(
    served: &Served<'_>,
    resource: &Resource,
    route: &ConnectionDestination,
    context: &Context<'_>,
) -> Destination {
    let named = &route.destination;
    let (namespace, domain) = (&resource.meta.namespace, &context.proxy.cluster_domain);
    let host = resolve_short_name(&named.host, namespace, domain).to_ascii_lowercase();
    let port = named.port.or_else(|| only_port(&host, context)).unwrap_or(served.server.port.number);
    Destination { host, subset: named.subset.clone(), port }
}

/// The port of a service that has one alone.
fn only_port(host: &str, context: &Context<'_>) -> Option<u16> {
    let domain = &context.proxy.cluster_domain;
    let mut ports = context.resources.iter().find_map(|resource| match &resource.spec {
        Spec::ServiceEntry(entry) if entry.hosts.iter().any(|pattern| pattern.covers(host)) => {
            Some(entry.ports.iter().map(|port| port.number).collect::<Vec<_>>())
        }
        Spec::Service(service)
            if resolve_short_name(&resource.meta.name, &resource.meta.namespace, domain) == host =>
        {
            Some(service.ports.iter().map(|port| port.port).collect())
        }
        _ => None,
    })?;
    ports.pop().filter(|_| ports.is_empty())
}

/// Says what policies don't mean on such a server.
fn warn_of_policies(served: &Served<'_>, chains: &[Chain], context: &mut Context<'_>) {
    let proxy = &proxy_of(served, context);
    let scope = Scope { resources: context.resources, proxy, mesh: &context.options.mesh };
    let shown = |chain: &Chain| chain.tls.as_ref().is_some_and(DownstreamTlsContext::sees_certificates);
    if !chains.is_empty() {
        let certificates = chains.iter().any(shown);
        context.warnings.extend(authz::of_server(&scope, &served.called(), certificates));
    }
}

/// The proxy with the port by which policies know the server.
fn proxy_of(served: &Served<'_>, context: &Context<'_>) -> Proxy {
    let port = Some(served.server.port.number).filter(|port| *port != 0);
    Proxy { port, ..context.proxy.clone() }
}

fn unrouted(served: &Served<'_>, field: &str, context: &mut Context<'_>) {
    let message =
        format!("no VirtualService has `{field}` routes for this server, so it takes no connection");
    let problem = served.resource.error(&served.path("port"), code::WARNING, message);
    context.warnings.push(Problem { severity: Severity::Warning, ..problem });
}
