//! From a planned listener to Envoy's, with the filters of each chain in place.

use std::collections::BTreeSet;

use outrigger_api::{DecisionRecord, Problem, Proxy, Resource};
use outrigger_core::route::{Destination, Table};
use outrigger_core::telemetry::Expression;
use outrigger_core::{Attributes, Engine};

use super::authz::{self, Guard, Scope, Server};
use super::clusters::OwnPort;
use super::collectors::Collectors;
use super::filters::Beside;
use super::listeners::{Chain, Content, Http, Plan, Tcp, Traffic, Unknown};
use super::options::Options;
use super::{access_log, add_new, around, clusters, filters, hcm, label_names, probe, problems, tracing};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::bootstrap::Node;
use crate::envoy::listener::{FilterChain, Listener, TcpHashPolicy, TcpProxy};
use crate::envoy::scalars::{Empty, Seconds};
use crate::envoy::tls::DownstreamTlsContext;
use crate::telemetry;

/// How long a client's TLS handshake may take, as at Istio's gateways: one that stalls would hold its connection for good.
const HANDSHAKE: Seconds = Seconds::new(15);

/// A listener and where it leads.
#[derive(Debug)]
pub(super) struct Assembled {
    /// The listener.
    pub(super) listener: Listener,
    /// What needs a cluster.
    pub(super) destinations: BTreeSet<Destination>,
    /// The clusters that keys of tokens are fetched through.
    pub(super) keys: BTreeSet<&'static str>,
    /// The servers that are asked whether requests and connections may pass.
    pub(super) servers: Vec<Server>,
    /// Labels that Telemetries add to metrics.
    pub(super) labels: BTreeSet<String>,
    /// Requests are traced.
    pub(super) traced: bool,
}

/// The listener of `plan`.
///
/// # Errors
/// What the filters do not carry out.
pub(super) fn listener(
    plan: &Plan,
    resources: &[Resource],
    node: &Node,
    options: &Options,
) -> Result<Assembled, Vec<Problem>> {
    let (mut filter_chains, mut problems) = (Vec::new(), Vec::new());
    let mut needs = Needs::default();
    for chain in &plan.chains {
        let unverified = chain.tls.as_ref().is_some_and(DownstreamTlsContext::believes_anyone);
        let network = match &chain.content {
            Content::Http(http) => requests(&plan.name(), http, unverified, resources, (node, options)),
            Content::Tcp(tcp) => bytes(&plan.name(), tcp, unverified, resources, options),
            Content::Probes(probes) => Ok((vec![probe::filter(probes)], Needs::default())),
        };
        match network {
            Ok((filters, found)) => {
                needs.destinations.extend(found.destinations);
                needs.keys.extend(found.keys);
                needs.servers.extend(found.servers);
                needs.traced |= found.traced;
                needs.labels.extend(found.labels);
                filter_chains.push(filter_chain(chain, filters));
            }
            Err(found) => add_new(&mut problems, found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let inspect = plan.chains.iter().any(Chain::needs_inspection);
    let inspector = || Extension::new("envoy.filters.listener.tls_inspector", Any::TlsInspector {});
    let listener = Listener {
        name: plan.name(),
        address: plan.bind.address(),
        traffic_direction: plan.direction,
        listener_filters: inspect.then(inspector).into_iter().collect(),
        filter_chains,
    };
    let Needs { destinations, keys, servers, labels, traced } = needs;
    Ok(Assembled { listener, destinations, keys, servers, labels, traced })
}

fn filter_chain(chain: &Chain, filters: Vec<Extension>) -> FilterChain {
    FilterChain {
        name: chain.name.clone(),
        filter_chain_match: chain.matches.clone(),
        filters,
        transport_socket: chain.tls.clone().map(DownstreamTlsContext::socket),
        transport_socket_connect_timeout: chain.tls.as_ref().map(|_| HANDSHAKE),
    }
}

/// What a filter needs beside it.
#[derive(Debug, Default)]
struct Needs {
    destinations: BTreeSet<Destination>,
    keys: BTreeSet<&'static str>,
    servers: Vec<Server>,
    labels: BTreeSet<String>,
    traced: bool,
}

type Network = (Vec<Extension>, Needs);

fn requests(
    name: &str,
    http: &Http,
    unverified: bool,
    resources: &[Resource],
    (node, options): (&Node, &Options),
) -> Result<Network, Vec<Problem>> {
    let known = http.resources.as_deref().unwrap_or(resources);
    let mut config = filters::config(known, &http.proxy);
    let telemetry = telemetry::Scope::new(resources, &http.proxy, &options.mesh);
    let mut collectors = collectors(resources, &http.proxy);
    let operation = operation(http, resources, options);
    let operation = operation.as_deref();
    let traced = tracing::traced(&telemetry, &http.proxy, operation, &node.cluster, &mut collectors);
    let logs = access_log::loggers(&telemetry, &mut collectors);
    config.decision_record = DecisionRecord {
        // Filter state is for access logs and spans, and for labels that ask for it.
        filter_state: traced.is_some() || !logs.is_empty(),
        response_header: options.decision_header.clone(),
    };
    config.metrics = options.metrics;
    let engine = Engine::compile(&config)?;
    let wrong = label_names::check(&config.resources, &config.proxy);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let overrides = engine.overrides();
    config.decision_record.filter_state |= overrides.expressions().iter().any(Expression::reads_filter_state);
    let labels = overrides.added_labels().map(str::to_owned).collect();
    let mut destinations: BTreeSet<_> =
        engine.routes().into_iter().flat_map(Table::destinations).cloned().collect();
    if let Traffic::Outbound(Unknown::Proxy(proxy)) = &http.traffic {
        destinations.insert(proxy.clone());
    }
    let profiles = engine.routes().map(Table::profiles).unwrap_or_default();
    let wanted = engine.attributes();
    if unverified && wanted.contains(Attributes::PEER_PRINCIPAL) {
        return Err(vec![problems::unverified_peers(name)]);
    }
    let names = clusters::by_request(resources, &http.proxy, &destinations);
    let Guard { filters: guard, mut servers } =
        authz::on_requests(&Scope { resources: known, proxy: &http.proxy, mesh: &options.mesh });
    let dir = &options.module_dir;
    // Where no `x-forwarded-for` is believed its address is an attribute.
    let client_is_peer = http.traffic == Traffic::Gateway && options.mesh.trusted_proxies == 0;
    let peer = around::asks_for_peer(wanted) && !client_is_peer;
    config.proxy.client_is_peer = client_is_peer && wanted.contains(Attributes::SOURCE_IP);
    let beside = Beside { guard, names, peer, messages: overrides.counts_messages() };
    let chain = filters::chain(options.filters, http, beside, &config, dir);
    let keys = clusters::jwks::names(engine.key_sources());
    let is_traced = traced.is_some();
    let filter = hcm::filter(name, http, (chain, !servers.is_empty()), &profiles, (logs, traced), options);
    servers.extend(collectors.servers);
    Ok((vec![filter], Needs { destinations, keys, servers, labels, traced: is_traced }))
}

/// None yet.
fn collectors<'c>(resources: &'c [Resource], proxy: &'c Proxy) -> Collectors<'c> {
    Collectors { resources, domain: &proxy.cluster_domain, servers: Vec::new() }
}

/// The `host:port` that all requests of a listener are for.
fn operation(http: &Http, resources: &[Resource], options: &Options) -> Option<String> {
    let Traffic::Inbound(application) = &http.traffic else { return None };
    let (number, proxy) = (application.port, &http.proxy);
    clusters::service::application_operation(OwnPort { number, resources, proxy, options })
}

fn bytes(
    name: &str,
    tcp: &Tcp,
    unverified: bool,
    resources: &[Resource],
    options: &Options,
) -> Result<Network, Vec<Problem>> {
    let scope = Scope { resources, proxy: &tcp.proxy, mesh: &options.mesh };
    if unverified && authz::ask_for_peers(&scope) {
        return Err(vec![problems::unverified_peers(name)]);
    }
    let Guard { mut filters, mut servers } = authz::on_connections(&scope);
    let telemetry = telemetry::Scope::new(resources, &tcp.proxy, &options.mesh);
    let mut collectors = collectors(resources, &tcp.proxy);
    let proxy = TcpProxy {
        stat_prefix: format!("{}_{name}", if tcp.application.is_some() { "inbound" } else { "outbound" }),
        cluster: tcp.cluster.clone(),
        idle_timeout: tcp.idle_timeout,
        max_downstream_connection_duration: tcp.max_connection_duration,
        hash_policy: tcp.by_source.then_some(TcpHashPolicy { source_ip: Empty {} }).into_iter().collect(),
        access_log: access_log::loggers(&telemetry, &mut collectors),
    };
    filters.push(Extension::new("envoy.filters.network.tcp_proxy", Any::TcpProxy(Box::new(proxy))));
    let destinations = tcp.destinations.iter().cloned().collect();
    servers.extend(collectors.servers);
    Ok((filters, Needs { destinations, servers, ..Needs::default() }))
}
