//! What stands around our filters in an Envoy of somebody's own.

use std::collections::BTreeSet;
use std::path::Path;

use outrigger_api::{Problem, Proxy, Resource};
use outrigger_core::Attributes;
use outrigger_core::route::{Destination, Profile};
use serde::Serialize;

use super::authz::{self, Guard, Scope};
use super::filters::{DNS_CACHE, grpc_stats};
use super::options::Options;
use super::part::{Needs, Part, routes as sends};
use super::{clusters, filters, hcm, routes, secrets, stats};
use crate::credentials::Credentials;
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::bootstrap::StatsConfig;
use crate::envoy::cluster::Cluster;
use crate::envoy::http::HttpFilter;
use crate::envoy::route::Route;
use crate::envoy::tls::{CommonTlsContext, UpstreamTlsContext, Validation, ValidationContext};
use crate::envoy::wasm::{DataSource, LocalFile};
use crate::mesh_config::{MeshConfig, PathNormalization};
use crate::modules::Module;

/// Fields of `HttpConnectionManager` that decide what our filters see of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reading {
    use_remote_address: bool,
    xff_num_trusted_hops: u32,
    normalize_path: bool,
    merge_slashes: bool,
    path_with_escaped_slashes_action: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    early_header_mutation_extensions: Vec<Extension>,
}

/// An Envoy's parts that go with our filters.
#[derive(Debug)]
pub(crate) struct Around {
    /// Before Envoy's router.
    pub(crate) filters: Vec<HttpFilter>,
    /// How requests are read.
    pub(crate) reading: Reading,
    /// Where requests go, if our filters say it.
    pub(crate) routes: Vec<Route>,
    /// What filters and routes name.
    pub(crate) clusters: Vec<Cluster>,
}

/// For whom, and where things are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    /// All resources.
    pub(crate) resources: &'p [Resource],
    /// The proxy.
    pub(crate) proxy: &'p Proxy,
    /// Flags.
    pub(crate) options: &'p Options,
    /// Where its machine keeps the authorities that it trusts.
    pub(crate) authorities: &'p Path,
}

/// What goes with `parts`, whose code is where `code` says, in their order. Secrets that clusters ask for are not among it: their names
/// are returned.
///
/// # Errors
/// What is not carried out.
pub(crate) fn around(
    parts: &[Part],
    code: &[DataSource],
    place: Place<'_>,
) -> Result<(Around, Vec<String>), Vec<Problem>> {
    let Place { resources, proxy, options, authorities } = place;
    let needs = all(parts);
    let sends = parts.iter().any(|part| sends(part.module));
    let decides = parts.iter().any(|part| matches!(part.module, Module::Suite | Module::Authz));
    let Guard { filters: guard, servers } = match decides {
        true => authz::on_requests(&Scope { resources, proxy, mesh: &options.mesh }),
        false => Guard { filters: Vec::new(), servers: Vec::new() },
    };
    let destinations = if sends { needs.destinations } else { BTreeSet::new() };
    let mut filters = Vec::new();
    if asks_for_peer(needs.attributes) {
        filters.push(source_ip());
    }
    filters.extend(guard);
    let coded = parts.iter().zip(code);
    filters.extend(coded.map(|(part, code)| filters::plugin(part.module, &part.config, code.clone())));
    if clusters::by_request(resources, proxy, &destinations) {
        let filter = Any::DynamicForwardProxyFilter { dns_cache_config: DNS_CACHE };
        filters.push(HttpFilter::new("envoy.filters.http.dynamic_forward_proxy", filter));
    }
    filters.extend(needs.messages.then(grpc_stats));
    let mut secrets = secrets::Secrets::new(&options.module_dir);
    let credentials = Credentials::new(resources, &proxy.namespace, options.credentials.as_deref());
    let surroundings = clusters::Surroundings {
        resources,
        proxy,
        options,
        credentials: &credentials,
        secrets: &mut secrets,
    };
    let asked: BTreeSet<_> = servers.iter().cloned().collect();
    let wanted = clusters::Wanted {
        destinations: &destinations,
        servers: &asked,
        keys: &BTreeSet::new(),
        plans: &[],
        traced: false,
    };
    let mut clusters = clusters::clusters(surroundings, wanted)?.clusters;
    clusters.extend(needs.keys.iter().map(|name| key_cluster(name, authorities)));
    let routes = if sends { generic_routes(&options.mesh, &needs.profiles) } else { Vec::new() };
    let reading = reading(&options.mesh, sends && !servers.is_empty());
    let around = Around { filters, reading, routes, clusters };
    Ok((around, secrets.into_inner().into_keys().collect()))
}

/// What all of them need.
pub(crate) fn all(parts: &[Part]) -> Needs {
    parts.iter().fold(Needs::default(), |mut all, part| {
        let Needs { attributes, keys, providers, destinations, profiles, labels, messages } = &part.needs;
        all.attributes |= *attributes;
        all.keys.extend(keys);
        let new = providers.iter().filter(|provider| !all.providers.contains(provider));
        let new: Vec<_> = new.cloned().collect();
        all.providers.extend(new);
        all.destinations.extend(destinations.iter().cloned());
        all.profiles.extend(profiles.iter().cloned());
        all.labels.extend(labels.iter().cloned());
        all.messages |= *messages;
        all
    })
}

/// Whether some rule asks for the TCP peer's own address, which an attribute does not always tell.
pub(crate) fn asks_for_peer(attributes: Attributes) -> bool {
    attributes.contains(Attributes::SOURCE_IP) || attributes.contains(Attributes::DIRECT_PEER)
}

/// The filter that keeps it.
pub(crate) fn source_ip() -> HttpFilter {
    filters::source_ip()
}

/// The cluster of that name that keys are fetched through.
pub(crate) fn key_cluster(name: &str, authorities: &Path) -> Cluster {
    clusters::jwks::elsewhere(name, authorities)
}

/// The routes that obey our filters' headers, in order.
pub(crate) fn generic_routes(mesh: &MeshConfig, profiles: &BTreeSet<Profile>) -> Vec<Route> {
    routes::by_header(mesh, profiles)
}

/// What makes labels of the names of our filters' metrics. `added`: labels that Telemetries add.
pub(crate) fn stats_config(added: &BTreeSet<String>) -> StatsConfig {
    stats::config(added)
}

/// A cluster at a host that code is fetched from.
pub(crate) fn web_server(name: &str, destination: &Destination, tls: bool, authorities: &Path) -> Cluster {
    let address = crate::envoy::scalars::Address::tcp(destination.host.clone(), destination.port);
    let mut cluster = clusters::local(name.to_owned(), address);
    if tls {
        let trusted_ca = Some(LocalFile { filename: authorities.to_owned() });
        let exact = crate::envoy::scalars::StringMatcher::Exact(destination.host.clone());
        let name = crate::envoy::tls::SubjectAltName { san_type: "DNS", matcher: exact };
        let validation = ValidationContext {
            trusted_ca,
            match_typed_subject_alt_names: vec![name],
            ..ValidationContext::default()
        };
        let context = UpstreamTlsContext {
            common_tls_context: CommonTlsContext {
                validation: Some(Validation::ValidationContext(validation)),
                ..CommonTlsContext::upstream()
            },
            sni: destination.host.clone(),
            auto_host_sni: false,
            auto_sni_san_validation: false,
        };
        cluster.transport_socket = Some(context.socket());
    }
    cluster
}

fn reading(mesh: &MeshConfig, undecided: bool) -> Reading {
    let normalization = mesh.path_normalization;
    Reading {
        use_remote_address: true,
        xff_num_trusted_hops: mesh.trusted_proxies,
        normalize_path: normalization != PathNormalization::None,
        merge_slashes: hcm::merges(normalization),
        path_with_escaped_slashes_action: hcm::escaped_slashes(normalization),
        early_header_mutation_extensions: undecided.then(hcm::undecided).into_iter().collect(),
    }
}
