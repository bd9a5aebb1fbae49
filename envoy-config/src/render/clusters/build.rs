//! From what is known of a destination to Envoy's cluster.

use std::collections::BTreeMap;

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicies};
use serde_json::json;

use super::discovery::{Endpoints, Workload, World};
use super::localities::Choice;
use super::settings::Settings;
use super::tls::{self, Tls};
use super::{HTTP_OPTIONS, balancing, outliers, peers, pool};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::cluster::{
    Balancing, CircuitBreakers, Cluster, CommonLbConfig, Discovery, DiscoveryType, DnsCluster,
    EndpointHealthCheck, ExplicitVersion, HealthCheck, HttpProtocolOptions, HttpVersion, LbEndpoint,
    LbPolicy, LoadAssignment, Metadata, Thresholds,
};
use crate::envoy::scalars::{Empty, Seconds};
use crate::render::filters::DNS_CACHE;

/// What a cluster is made of besides its endpoints.
#[derive(Debug)]
pub(super) struct Parts<'r> {
    /// What DestinationRules say.
    pub(super) settings: Settings<'r>,
    /// The version of HTTP.
    pub(super) version: HttpVersion,
    /// TLS. `None`: plain text.
    pub(super) tls: Option<Tls>,
    /// How endpoints are asked whether they work, and at which port if not at their own.
    pub(super) health: Option<(HealthCheck, Option<u16>)>,
}

/// A cluster with all that is said of it.
pub(super) fn cluster(name: String, endpoints: Endpoints, parts: Parts<'_>, world: World<'_>) -> Cluster {
    let Parts { settings, version, tls, health } = parts;
    let balancer = settings.load_balancer.as_ref().map(|balancer| balancer.value);
    let choice = Choice {
        own: world.locality,
        labels: &world.proxy.labels,
        setting: balancer.and_then(|balancer| balancer.locality.as_ref()),
        fails_over: settings.outliers.is_some() || health.is_some(),
    };
    let health_port = health.as_ref().and_then(|(_, port)| *port);
    let assign = |workloads: &[Workload]| {
        let mut known = workloads.iter().map(peers::known);
        let first = known.next();
        let all_alike = known.all(|other| Some(&other) == first.as_ref());
        LoadAssignment {
            cluster_name: name.clone(),
            endpoints: choice.groups(workloads, |workload| endpoint(workload, world, health_port, all_alike)),
        }
    };
    let upstream = tls.as_ref().map(|tls| tls.options).unwrap_or_default();
    let mut cluster = match &endpoints {
        Endpoints::Addresses(workloads) => with_addresses(name.clone(), assign(workloads)),
        Endpoints::Names(workloads) => with_names(name.clone(), assign(workloads), false),
        Endpoints::RoundRobin(workload) => {
            with_names(name.clone(), assign(std::slice::from_ref(&**workload)), true)
        }
        Endpoints::Requested => {
            let checked = upstream.auto_sni && upstream.auto_san_validation;
            requested(name.clone(), !checked)
        }
    };
    if endpoints != Endpoints::Requested {
        balancing::apply(&mut cluster, balancer, choice.weighted());
    }
    let pool = settings.pool.as_ref().map(|pool| pool.value.clone()).unwrap_or_default();
    pool::apply(&mut cluster, &pool, settings.retry_budget);
    let mut options = HttpProtocolOptions {
        common_http_protocol_options: pool::common(&pool),
        upstream_http_protocol_options: upstream,
        ..HttpProtocolOptions::of(version)
    };
    if let Some(outliers) = &settings.outliers {
        outliers::apply(&mut cluster, outliers.value);
        options.outlier_detection = outliers::errors(outliers.value);
    }
    if options != HttpProtocolOptions::of(http1()) {
        cluster.typed_extension_protocol_options.insert(HTTP_OPTIONS, Any::HttpProtocolOptions(options));
    }
    tls::apply(&mut cluster, tls, settings.proxy_protocol);
    if let Some((check, _)) = health {
        cluster.health_checks = vec![check];
        cluster.ignore_health_on_host_removal = true;
    }
    cluster
}

fn endpoint(workload: &Workload, world: World<'_>, health_port: Option<u16>, all_alike: bool) -> LbEndpoint {
    let (key, value) = tls::TLS_MODE;
    // One that asks for plain text gets it.
    let plain = || {
        let (namespace, root) = (&workload.namespace, &world.proxy.root_namespace);
        let modes = PeerPolicies::of(world.resources, namespace, &workload.labels, root);
        let said = |port: &u16| modes.ports().any(|of| of == *port);
        let port = [workload.port, workload.app_port].into_iter().find(said).unwrap_or(workload.port);
        modes.of_port(port).mode == PeerMode::Disable
    };
    let mode = (workload.has_certificate() && !plain()).then(|| (tls::MATCH, json!({ key: value })));
    let mut endpoint = LbEndpoint::at(workload.address.clone());
    endpoint.endpoint.health_check_config = health_port.map(|port_value| EndpointHealthCheck { port_value });
    endpoint.load_balancing_weight = workload.weight;
    endpoint.metadata = Metadata { filter_metadata: mode.into_iter().collect() };
    peers::describe(&mut endpoint.metadata, &peers::known(workload), all_alike);
    endpoint
}

/// Endpoints by address.
pub(super) fn with_addresses(name: String, assignment: LoadAssignment) -> Cluster {
    let cluster = new(name, Discovery::Type(DiscoveryType::Static));
    Cluster { load_assignment: Some(assignment), ..cluster }
}

/// Endpoints by name. Envoy asks again every 5 seconds. Istio waits for the answer to expire; a compose network hands answers out for ten
/// minutes, and a container that was restarted has another address.
pub(super) fn with_names(
    name: String,
    assignment: LoadAssignment,
    all_addresses_in_single_endpoint: bool,
) -> Cluster {
    let family = DNS_CACHE.dns_lookup_family;
    let dns = DnsCluster { dns_lookup_family: family, all_addresses_in_single_endpoint };
    let extension = Extension::new("envoy.clusters.dns", Any::DnsCluster(dns));
    let cluster = new(name, Discovery::ClusterType(Box::new(extension)));
    Cluster { load_assignment: Some(assignment), ..cluster }
}

/// The endpoint of each request is the host that it names. `insecure`: TLS may show another name.
pub(super) fn requested(name: String, insecure: bool) -> Cluster {
    let forward = Any::DynamicForwardProxyCluster {
        dns_cache_config: DNS_CACHE,
        allow_insecure_cluster_options: insecure,
    };
    let extension = Extension::new("envoy.clusters.dynamic_forward_proxy", forward);
    let cluster = new(name, Discovery::ClusterType(Box::new(extension)));
    Cluster { balancing: Balancing::LbPolicy(LbPolicy::ClusterProvided), ..cluster }
}

pub(super) fn http1() -> HttpVersion {
    HttpVersion::ExplicitHttpConfig(ExplicitVersion::HttpProtocolOptions(Empty {}))
}

/// A cluster with Istio's defaults.
fn new(name: String, discovery: Discovery) -> Cluster {
    Cluster {
        name,
        discovery,
        eds_cluster_config: None,
        connect_timeout: Seconds::new(10),
        balancing: Balancing::LbPolicy(LbPolicy::LeastRequest),
        lb_config: None,
        common_lb_config: CommonLbConfig::default(),
        circuit_breakers: CircuitBreakers { thresholds: vec![UNLIMITED] },
        outlier_detection: None,
        health_checks: Vec::new(),
        ignore_health_on_host_removal: false,
        upstream_connection_options: None,
        typed_extension_protocol_options: BTreeMap::new(),
        transport_socket: None,
        transport_socket_matches: Vec::new(),
        metadata: Metadata::default(),
        load_assignment: None,
    }
}

/// Istio leaves the limits to the user.
const UNLIMITED: Thresholds = Thresholds {
    max_connections: u32::MAX,
    max_pending_requests: u32::MAX,
    max_requests: u32::MAX,
    max_retries: u32::MAX,
    retry_budget: None,
    track_remaining: true,
};
