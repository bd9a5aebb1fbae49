//! A cluster for each place that a request can be sent to.

mod balancing;
mod build;
mod checks;
mod discovery;
mod health;
pub(super) mod jwks;
mod localities;
mod outliers;
mod own_port;
mod peers;
mod pool;
pub(super) mod service;
mod settings;
mod tls;

use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::select::DestinationRules;
use outrigger_api::types::common::{Labels, Protocol};
use outrigger_api::types::destination_rule::{ConnectionPool, H2UpgradePolicy, LoadBalancerPolicy, Subset};
use outrigger_api::{Problem, Proxy, Resource, Role};
use outrigger_core::route::Destination;
use outrigger_core::telemetry;

pub(crate) use self::discovery::labels_of_entry;
pub(super) use self::discovery::protocol_of_service;
use self::discovery::{Endpoints, Found, Names, World};
pub(super) use self::own_port::OwnPort;
use self::tls::Means;
use super::authz::Server;
use super::listeners::{Application, Content, Plan, Traffic, Unknown};
use super::options::{Filters, Options};
use super::probe;
use super::routes::{PASSTHROUGH, inbound_cluster};
use super::secrets::Secrets;
use crate::credentials::Credentials;
use crate::envoy::Any;
use crate::envoy::cluster::{
    Cluster, HttpProtocolOptions, LbEndpoint, LoadAssignment, UpstreamProtocolOptions,
};
use crate::envoy::scalars::Address;

/// The key of `typed_extension_protocol_options`.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// What clusters are made with.
#[derive(Debug)]
pub(super) struct Surroundings<'s, 'r> {
    /// All resources.
    pub(super) resources: &'r [Resource],
    /// For whom.
    pub(super) proxy: &'s Proxy,
    /// Flags.
    pub(super) options: &'s Options,
    /// Certificates that resources name.
    pub(super) credentials: &'s Credentials<'r>,
    /// Where certificates for Envoy are put.
    pub(super) secrets: &'s mut Secrets,
}

/// What needs a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// Where requests are sent.
    pub(super) destinations: &'w BTreeSet<Destination>,
    /// Servers that are asked whether they may pass.
    pub(super) servers: &'w BTreeSet<Server>,
    /// Clusters that keys of tokens are fetched through.
    pub(super) keys: &'w BTreeSet<&'static str>,
    /// The listeners.
    pub(super) plans: &'w [Plan],
    /// Requests are traced: a span is called by where the request was sent.
    pub(super) traced: bool,
}

/// What there is of all that.
#[derive(Debug)]
pub(super) struct Clusters {
    /// By name.
    pub(super) clusters: Vec<Cluster>,
    /// Destinations without a cluster: to requests for them Envoy answers 503.
    pub(super) unserved: BTreeSet<Destination>,
}

/// The clusters of all that.
///
/// # Errors
/// What is not carried out, and subsets whose endpoints can't be told.
pub(super) fn clusters(
    surroundings: Surroundings<'_, '_>,
    wanted: Wanted<'_>,
) -> Result<Clusters, Vec<Problem>> {
    let Surroundings { resources, proxy, options, credentials, secrets } = surroundings;
    let Wanted { destinations, servers, keys, plans, traced } = wanted;
    let own_port = |number| OwnPort { number, resources, proxy, options };
    let mut clusters: BTreeMap<String, Cluster> = plans
        .iter()
        .flat_map(|plan| &plan.chains)
        .flat_map(|chain| -> Vec<Cluster> {
            match &chain.content {
                Content::Http(http) => of_listener(&http.traffic, own_port).into_iter().collect(),
                Content::Probes(probes) => probes.iter().map(probe::cluster).collect(),
                Content::Tcp(tcp) => {
                    let application = tcp.application.iter();
                    application.map(|application| of_tcp_application(application, own_port)).collect()
                }
            }
        })
        .map(|cluster| (cluster.name.clone(), cluster))
        .collect();
    let mut problems = Vec::new();
    for name in keys {
        match jwks::cluster(name, credentials, secrets) {
            Ok(cluster) => {
                clusters.insert(cluster.name.clone(), cluster);
            }
            Err(problem) => problems.push(*problem),
        }
    }
    let names = Names::new(resources, proxy);
    let workload = telemetry::Workload::local(proxy);
    // Only the suite takes the answers out of responses again.
    let tells = (options.filters == Filters::Suite).then_some(&workload);
    let world = World::new(resources, proxy, &options.locality, &names).telling(tells);
    let mut means = Means { credentials, identity: options.identity.as_ref(), secrets, proxy };
    let routed =
        destinations.iter().map(|destination| Server { destination: destination.clone(), grpc: false });
    let all: BTreeSet<_> = routed.chain(servers.iter().cloned()).collect();
    let mut unserved = BTreeSet::new();
    for server in all {
        match of_server(&server, world, &mut means) {
            Ok(Some(mut cluster)) => {
                if traced {
                    service::name_spans(&mut cluster.metadata, &server.destination);
                }
                clusters.insert(cluster.name.clone(), cluster);
            }
            Ok(None) => _ = unserved.insert(server.destination),
            Err(found) => super::add_new(&mut problems, found),
        }
    }
    match problems.is_empty() {
        true => Ok(Clusters { clusters: clusters.into_values().collect(), unserved }),
        false => Err(problems),
    }
}

/// Whether requests to one of these destinations go where they say themselves.
pub(super) fn by_request(
    resources: &[Resource],
    proxy: &Proxy,
    destinations: &BTreeSet<Destination>,
) -> bool {
    let (names, locality) = (Names::new(resources, proxy), Default::default());
    let world = World::new(resources, proxy, &locality, &names);
    destinations.iter().any(|destination| {
        let destination = &*discovery::meant(world, destination);
        let rules = rules(world, destination);
        let subset = destination.subset.as_deref().and_then(|name| rules.subset(name));
        let settings = settings::settings(&rules, destination.port, subset);
        passes_through(&settings)
            || matches!(
                discovery::find(world, destination, subset),
                Ok(Some(found)) if found.endpoints == Endpoints::Requested
            )
    })
}

fn passes_through(settings: &settings::Settings<'_>) -> bool {
    let balancer = settings.load_balancer.as_ref();
    balancer.is_some_and(|balancer| balancer.value.policy == LoadBalancerPolicy::Passthrough)
}

/// Whether nobody has the subset or port of this destination, so that the proxy has no cluster for it. No if that can't be
/// told.
pub(crate) fn is_nowhere(destination: &Destination, resources: &[Resource], proxy: &Proxy) -> bool {
    let (names, locality) = (Names::new(resources, proxy), Default::default());
    let world = World::new(resources, proxy, &locality, &names);
    let destination = &*discovery::meant(world, destination);
    let rules = rules(world, destination);
    matches!(locate(destination, &rules, world), Ok(None))
}

/// What DestinationRules say of a destination.
fn rules<'r>(world: World<'r>, destination: &Destination) -> DestinationRules<'r> {
    let namespace = discovery::declared(world, &destination.host, destination.port).namespace();
    DestinationRules::of_service(world.resources, world.proxy, &destination.host, namespace)
}

/// Where a destination is, and its subset. `None`: its subset or port does not exist.
fn locate<'r, 'd>(
    destination: &Destination,
    rules: &'d DestinationRules<'r>,
    world: World<'r>,
) -> Result<Option<(Found<'r>, Option<&'d Subset>)>, Box<Problem>> {
    let subset = match &destination.subset {
        None => None,
        Some(name) => match rules.subset(name) {
            Some(subset) => Some(subset),
            None => return Ok(None),
        },
    };
    Ok(discovery::find(world, destination, subset)?.map(|found| (found, subset)))
}

/// `None`: the destination's subset or port does not exist. What is asked by gRPC speaks HTTP/2.
fn of_server(
    server: &Server,
    world: World<'_>,
    means: &mut Means<'_, '_>,
) -> Result<Option<Cluster>, Vec<Problem>> {
    let (name, grpc) = (server.cluster_name(), server.grpc);
    let destination = &*discovery::meant(world, &server.destination);
    let rules = rules(world, destination);
    let located = locate(destination, &rules, world).map_err(|problem| vec![*problem])?;
    let Some((mut found, subset)) = located else { return Ok(None) };
    let policies = settings::policies(&rules, subset);
    let mut problems: Vec<_> =
        policies.iter().flat_map(|policy| checks::check(policy, world.proxy, world.locality)).collect();
    let settings = settings::settings(&rules, destination.port, subset);
    if passes_through(&settings) {
        found.endpoints = Endpoints::Requested;
    }
    let mut pool = settings.pool.as_ref().map(|pool| pool.value.clone()).unwrap_or_default();
    // A client of a gateway is offered HTTP/2 whatever the service speaks.
    if world.proxy.role == Role::Sidecar && found.protocol == Protocol::Unspecified && !grpc {
        let http = pool.http.get_or_insert_default();
        http.use_client_protocol |= http.h2_upgrade_policy != H2UpgradePolicy::Upgrade;
    }
    let version = pool::version(&pool, grpc || is_http2(found.protocol));
    let tls = means.tls(destination, &found, settings.tls.as_ref(), pool::is_http2(&version));
    let tls = tls.unwrap_or_else(|problem| {
        problems.push(*problem);
        None
    });
    let sources = rules.resources().chain(found.resource);
    let health = health::of(sources, pool::is_http2(&version), &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let metadata = service::of_destination(destination, &found);
    let parts = build::Parts { settings, version, tls, health };
    let in_mesh = found.in_mesh;
    let mut cluster = build::cluster(name, found.endpoints, parts, world);
    cluster.metadata = metadata;
    if let Some(workload) = world.tells.filter(|_| in_mesh) {
        peers::tell(&mut cluster, workload);
    }
    Ok(Some(cluster))
}

fn of_listener<'r>(traffic: &Traffic, own_port: impl Fn(u16) -> OwnPort<'r>) -> Option<Cluster> {
    match traffic {
        Traffic::Gateway | Traffic::Outbound(Unknown::Refuse | Unknown::Proxy(_)) => None,
        Traffic::Outbound(Unknown::PassThrough) => Some(passthrough()),
        Traffic::Inbound(application) => Some(of_application(application, own_port(application.port))),
    }
}

/// Where requests for hosts that nobody declares go, by HTTP of the version that comes.
fn passthrough() -> Cluster {
    let mut cluster = build::requested(PASSTHROUGH.to_owned(), false);
    let mut pool = ConnectionPool::default();
    pool.http.get_or_insert_default().use_client_protocol = true;
    let options = HttpProtocolOptions {
        // Envoy wants that said wherever names come from requests; nothing here speaks TLS.
        upstream_http_protocol_options: UpstreamProtocolOptions { auto_sni: true, auto_san_validation: true },
        ..HttpProtocolOptions::of(pool::version(&pool, false))
    };
    cluster.typed_extension_protocol_options.insert(HTTP_OPTIONS, Any::HttpProtocolOptions(options));
    cluster
}

/// A cluster of one address, or of those that a name stands for.
pub(super) fn local(name: String, address: Address) -> Cluster {
    let by_name = address.is_name();
    let assignment = LoadAssignment::plain(name.clone(), vec![LbEndpoint::at(address)]);
    if by_name { build::with_names(name, assignment, false) } else { build::with_addresses(name, assignment) }
}

/// The application gets bytes.
fn of_tcp_application<'r>(application: &Application, own_port: impl Fn(u16) -> OwnPort<'r>) -> Cluster {
    let mut cluster = local(inbound_cluster(application.port), application.endpoint.clone());
    cluster.metadata = service::of_application(own_port(application.port));
    pool::apply(&mut cluster, &application.pool.clone().unwrap_or_default(), None);
    cluster
}

/// What DestinationRules say of the service that a port of the sidecar's application serves: as for its clients, so that it
/// has room for them. Rules for single clients are none for it.
pub(super) fn pool_of_service(port: OwnPort<'_>) -> Option<ConnectionPool> {
    let (host, number) = service::of_port(port)?;
    let nobody = Proxy { labels: Labels::new(), ..port.proxy.clone() };
    let rules = DestinationRules::find(port.resources, &nobody, &host);
    settings::settings(&rules, number, None).pool.map(|pool| pool.value.clone())
}

/// The application gets the version of HTTP that its port is said to speak, else that of the client.
fn of_application(application: &Application, port: OwnPort<'_>) -> Cluster {
    let mut cluster = local(inbound_cluster(application.port), application.endpoint.clone());
    cluster.metadata = service::of_application(port);
    let mut pool = application.pool.clone().unwrap_or_default();
    let http = pool.http.get_or_insert_default();
    http.use_client_protocol |= application.protocol == Protocol::Unspecified;
    // That is between the proxies of the mesh.
    http.h2_upgrade_policy = H2UpgradePolicy::Default;
    pool::apply(&mut cluster, &pool, None);
    let options = HttpProtocolOptions {
        common_http_protocol_options: pool::common(&pool),
        ..HttpProtocolOptions::of(pool::version(&pool, is_http2(application.protocol)))
    };
    cluster.typed_extension_protocol_options.insert(HTTP_OPTIONS, Any::HttpProtocolOptions(options));
    cluster
}

/// Whether a port that is said to speak this speaks HTTP/2.
fn is_http2(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb)
}
