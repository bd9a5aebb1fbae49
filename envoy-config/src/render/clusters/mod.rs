//! A cluster for each place that a request can be sent to.

mod balancing;
mod endpoints;
mod kubernetes;
mod policy;
mod rules;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::select::DestinationRules;
use outrigger_api::types::destination_rule::PolicySettings;
use outrigger_api::{Problem, Proxy, Resource};
use outrigger_core::route::Destination;

use self::endpoints::Endpoints;
use super::filters::DNS_CACHE;
use super::listeners::{Application, Content, Plan, Traffic, Unknown};
use super::probe;
use super::routes::{PASSTHROUGH, inbound_cluster};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::cluster::{
    Balancing, CircuitBreakers, Cluster, Discovery, DiscoveryType, DnsCluster, Endpoint, LbEndpoint,
    LbPolicy, LoadAssignment, LocalityEndpoints, Thresholds,
};
use crate::envoy::scalars::{Address, Seconds};

/// The key of `typed_extension_protocol_options`.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The clusters of `destinations` and of the listeners, by name.
///
/// # Errors
/// What is not carried out, and subsets whose endpoints can't be told.
pub(super) fn clusters(
    resources: &[Resource],
    proxy: &Proxy,
    destinations: &BTreeSet<Destination>,
    plans: &[Plan],
) -> Result<Vec<Cluster>, Vec<Problem>> {
    let mut clusters: BTreeMap<String, Cluster> = plans
        .iter()
        .flat_map(|plan| &plan.chains)
        .flat_map(|chain| match &chain.content {
            Content::Http(http) => of_listener(&http.traffic).into_iter().collect(),
            Content::Probes(probes) => probes.iter().map(probe::cluster).collect(),
            Content::Tcp(_) => Vec::new(),
        })
        .map(|cluster| (cluster.name.clone(), cluster))
        .collect();
    let mut problems = Vec::new();
    let names = written::Names::new(resources, proxy);
    for destination in destinations {
        match of_destination(destination, resources, proxy, &names) {
            Ok(Some(cluster)) => {
                clusters.insert(cluster.name.clone(), cluster);
            }
            // Envoy answers 503 for a cluster that is not there, and `analyze` names the destination.
            Ok(None) => {}
            Err(mut found) => problems.append(&mut found),
        }
    }
    if problems.is_empty() { Ok(clusters.into_values().collect()) } else { Err(problems) }
}

/// `None`: the destination's subset or port does not exist.
fn of_destination(
    destination: &Destination,
    resources: &[Resource],
    proxy: &Proxy,
    names: &written::Names,
) -> Result<Option<Cluster>, Vec<Problem>> {
    let rules = DestinationRules::find(resources, proxy, &destination.host);
    let subset = match &destination.subset {
        None => None,
        Some(name) => match rules.subset(name) {
            Some(subset) => Some(subset),
            None => return Ok(None),
        },
    };
    let found =
        endpoints::find(resources, proxy, destination, subset, names).map_err(|problem| vec![*problem])?;
    let Some(found) = found else { return Ok(None) };
    let mut cluster = with_endpoints(destination.cluster_name(), found.endpoints);
    policy::apply(&mut cluster, &rules::settings(&rules, destination.port, subset)?, found.http2);
    Ok(Some(cluster))
}

fn of_listener(traffic: &Traffic) -> Option<Cluster> {
    match traffic {
        Traffic::Gateway | Traffic::Outbound(Unknown::Refuse | Unknown::Proxy(_)) => None,
        Traffic::Outbound(Unknown::PassThrough) => {
            let forward = Any::DynamicForwardProxyCluster { dns_cache_config: DNS_CACHE };
            let extension = Extension::new("envoy.clusters.dynamic_forward_proxy", forward);
            Some(Cluster {
                balancing: Balancing::LbPolicy(LbPolicy::ClusterProvided),
                ..new(PASSTHROUGH.to_owned(), Discovery::ClusterType(Box::new(extension)))
            })
        }
        Traffic::Inbound(application) => Some(of_application(application)),
    }
}

/// A cluster of one address, or of those that a name stands for.
pub(super) fn local(name: String, address: Address) -> Cluster {
    let is_name = matches!(&address, Address::SocketAddress { .. }) && address.socket().is_none();
    let endpoints = vec![LbEndpoint { endpoint: Endpoint { address }, load_balancing_weight: None }];
    with_endpoints(name, if is_name { Endpoints::Names(endpoints) } else { Endpoints::Addresses(endpoints) })
}

/// The application gets the version of HTTP that the client speaks.
fn of_application(application: &Application) -> Cluster {
    let mut cluster = local(inbound_cluster(application.port), application.endpoint.clone());
    let mut pool = application.pool.clone().unwrap_or_default();
    pool.http.get_or_insert_default().use_client_protocol = true;
    policy::apply(
        &mut cluster,
        &PolicySettings { connection_pool: Some(pool), ..PolicySettings::default() },
        false,
    );
    cluster
}

fn with_endpoints(name: String, endpoints: Endpoints) -> Cluster {
    let (discovery, lb_endpoints) = match endpoints {
        Endpoints::Addresses(endpoints) => (Discovery::Type(DiscoveryType::Static), endpoints),
        Endpoints::Names(endpoints) => (dns(false), endpoints),
        Endpoints::RoundRobin(endpoint) => (dns(true), vec![endpoint]),
    };
    Cluster {
        load_assignment: Some(LoadAssignment {
            cluster_name: name.clone(),
            endpoints: vec![LocalityEndpoints { lb_endpoints }],
        }),
        ..new(name, discovery)
    }
}

/// Envoy asks again every 5 seconds. Istio waits for the answer to expire; a compose network hands answers out for ten
/// minutes, and a container that was restarted has another address.
fn dns(all_addresses_in_single_endpoint: bool) -> Discovery {
    let family = DNS_CACHE.dns_lookup_family;
    let dns = DnsCluster { dns_lookup_family: family, all_addresses_in_single_endpoint };
    Discovery::ClusterType(Box::new(Extension::new("envoy.clusters.dns", Any::DnsCluster(dns))))
}

/// A cluster with Istio's defaults.
fn new(name: String, discovery: Discovery) -> Cluster {
    Cluster {
        name,
        discovery,
        connect_timeout: Seconds::new(10),
        balancing: Balancing::LbPolicy(LbPolicy::LeastRequest),
        common_lb_config: None,
        circuit_breakers: CircuitBreakers { thresholds: vec![UNLIMITED] },
        outlier_detection: None,
        upstream_connection_options: None,
        typed_extension_protocol_options: BTreeMap::new(),
        transport_socket: None,
        load_assignment: None,
    }
}

/// Istio leaves the limits to the user.
const UNLIMITED: Thresholds = Thresholds {
    max_connections: u32::MAX,
    max_pending_requests: u32::MAX,
    max_requests: u32::MAX,
    max_retries: u32::MAX,
    track_remaining: true,
};
