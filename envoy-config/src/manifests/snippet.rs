//! The entries of one's own `http_filters`, and what they need of the rest of that Envoy's configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_api::{Direction, Proxy, Role};
use outrigger_core::route::Destination;
use serde::Serialize;

use super::checksum::Checksums;
use super::code::{Code, Found, Url};
use super::document::{Document, Manifests};
use super::error::Error;
use super::modules::{Choice, Chosen, Platform};
use super::{Input, left_out, ports, refusals};
use crate::envoy::bootstrap::StatsConfig;
use crate::envoy::cluster::Cluster;
use crate::envoy::http::HttpFilter;
use crate::envoy::route::Route;
use crate::envoy::scalars::Seconds;
use crate::envoy::wasm::{DataSource, FetchBackOff, FetchRetries, HttpUri, LocalFile, RemoteData};
use crate::modules::Module;
use crate::render::Options;
use crate::render::around::{self, Around, all, around, stats_config, web_server};
use crate::render::part::{Part, counts, part, routes};

/// How the snippet is to be.
#[derive(Debug, Clone)]
pub struct Snippet<'s> {
    /// Which modules.
    pub modules: Choice,
    /// Where Envoy finds them.
    pub place: Place,
    /// Of the modules.
    pub checksums: Checksums,
    /// The port of the Istio Gateways by which requests come. `None`: their only one, or the port that Envoy listens on.
    pub gateway_port: Option<u16>,
    /// Where Envoy's machine keeps the authorities that it trusts.
    pub authorities: &'s Path,
    /// What else decides.
    pub options: &'s Options,
}

/// Where Envoy finds the modules.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a folder of its machine.
    Folder(PathBuf),
    /// On a web server, through a cluster of this name.
    Web(Code, String),
}

/// How long a module may take to come.
const FETCH_TIMEOUT: u64 = 30;

/// It is tried again for as long as it takes: once Envoy has given up, it answers 503 until its configuration changes,
/// though the server may long be back.
const RETRIES: FetchRetries = FetchRetries {
    num_retries: u32::MAX,
    retry_back_off: FetchBackOff {
        base_interval: Seconds(Duration::from_secs(1)),
        max_interval: Seconds(Duration::from_secs(10)),
    },
};

#[derive(Serialize)]
struct Filters<'d> {
    http_filters: &'d [HttpFilter],
}

#[derive(Serialize)]
struct Routes<'d> {
    include_request_attempt_count: bool,
    routes: &'d [Route],
}

#[derive(Serialize)]
struct Clusters<'d> {
    clusters: &'d [Cluster],
}

#[derive(Serialize)]
struct Stats {
    stats_config: StatsConfig,
}

/// The documents: the filters, and one for each place where something else belongs.
///
/// # Errors
/// What can't be carried out, or can't be said without files beside it.
pub fn render(input: Input<'_>, how: &Snippet<'_>) -> Result<Manifests, Error> {
    let Chosen { modules, mut notes } = how.modules.choose(Platform::Envoy, input.resources, input.proxy)?;
    if let Some(unused) = how.checksums.unused(&modules) {
        return Err(Error::Asked(format!("`--sha256 {unused}=…` is for a module that is not rendered")));
    }
    notes.extend(left_out::notes(input, &modules, Platform::Envoy));
    let mut manifests = Manifests { documents: Vec::new(), notes, modules: modules.clone() };
    let proxy = proxy(&modules, input, how.gateway_port, &mut manifests.notes)?;
    // Envoy's own filters ask the servers that authorize requests, before ours.
    let settings = input.settings(false);
    let asked_by_envoy: Vec<_> = input
        .resources
        .iter()
        .filter(|resource| !crate::render::authz::is_custom(resource))
        .cloned()
        .collect();
    let parts: Vec<Part> = modules
        .iter()
        .map(|module| part(*module, &asked_by_envoy, &proxy, &settings))
        .collect::<Result<_, _>>()?;
    refusals::tokens_are_verified(&parts)?;
    let (code, fetched) = sources(&modules, how)?;
    let place = around::Place {
        resources: input.resources,
        proxy: &proxy,
        options: how.options,
        authorities: how.authorities,
    };
    let (Around { filters, reading, routes, mut clusters }, secrets) = around(&parts, &code, place)?;
    if let Some(secret) = secrets.first() {
        return Err(Error::Refused(format!(
            "the clusters need certificates in files of their own (`{secret}`), which a snippet has no place for\n\
             hint: `outrigger render --to envoy -o DIR` writes them and the whole configuration; or choose modules \
             that don't route, with `--modules jwt-authn,authz,fault`"
        )));
    }
    clusters.extend(fetched);
    let documents = &mut manifests.documents;
    let mut comments = filters_comment(&proxy);
    if matches!(how.place, Place::Web(..)) {
        comments.push(FETCHED.to_owned());
    }
    documents.push(Document::new("http-filters", &comments, &Filters { http_filters: &filters })?);
    documents.push(Document::new("http-connection-manager", &[READING.to_owned()], &reading)?);
    if !routes.is_empty() {
        let routes = Routes { include_request_attempt_count: true, routes: &routes };
        documents.push(Document::new("virtual-host", &[ROUTES.to_owned()], &routes)?);
    }
    if !clusters.is_empty() {
        let comment = CLUSTERS.to_owned();
        documents.push(Document::new("clusters", &[comment], &Clusters { clusters: &clusters })?);
    }
    if parts.iter().any(|part| counts(part.module)) {
        let stats = Stats { stats_config: stats_config(&all(&parts).labels) };
        documents.push(Document::new("bootstrap", &[STATS.to_owned()], &stats)?);
    }
    Ok(manifests)
}

const FETCHED: &str = "The listener waits until the module has come. Where a filter comes by ECDS instead, nothing waits \
    for the module of a change, and requests would pass unchecked: set `nack_on_code_cache_miss: true` under `vm_config` \
    there. In a listener that would keep Envoy from starting.";
const READING: &str = "Fields of the HttpConnectionManager that the filters stand in. They decide which path and \
    which client address rules look at.";
const ROUTES: &str = "Into the virtual host, in place of its routes or before them: requests go where the filter says \
    in a header, which it takes away from clients. Without the filter any client could choose.";
const CLUSTERS: &str = "Into `static_resources.clusters`.";
const STATS: &str = "Into the bootstrap: makes Prometheus labels of the names of the filters' metrics.";

fn filters_comment(proxy: &Proxy) -> Vec<String> {
    let port = match proxy.port {
        Some(port) => {
            format!(" Its requests are those of port {port} of the Gateways, whatever port it listens on.")
        }
        None => String::new(),
    };
    vec![format!(
        "Into `http_filters` of the HttpConnectionManager, before `envoy.filters.http.router`.{port}"
    )]
}

/// Which side of a sidecar the filters stand on, and by which port of a Gateway requests come.
fn proxy(
    modules: &[Module],
    input: Input<'_>,
    gateway_port: Option<u16>,
    notes: &mut Vec<String>,
) -> Result<Proxy, Error> {
    let mut proxy = input.proxy.clone();
    match proxy.role {
        Role::Sidecar => {
            let outbound = |module: &Module| matches!(module, Module::Fault | Module::Router);
            let direction =
                if modules.iter().any(outbound) { Direction::Outbound } else { Direction::Inbound };
            if let Some(other) = modules.iter().find(|module| {
                direction == Direction::Outbound && matches!(module, Module::JwtAuthn | Module::Authz)
            }) {
                return Err(Error::Asked(format!(
                    "`{}` is for what comes to a sidecar's application, `fault` and `router` for what it sends: those \
                     are two lists of filters, so render them one at a time, with `--modules`",
                    other.name()
                )));
            }
            proxy.direction = Some(direction);
            proxy.port = gateway_port;
        }
        Role::Gateway => {
            let ports = ports::of_gateways(input.resources, &proxy);
            let only = ports.first().copied().filter(|_| ports.len() == 1);
            proxy.port = gateway_port.or(only);
            if proxy.port.is_none() && ports.len() > 1 && modules.iter().any(|module| routes(*module)) {
                let all: Vec<_> = ports.iter().map(u16::to_string).collect();
                notes.push(format!(
                    "the Gateways have the ports {}: rules hold by the port that Envoy listens on; for others render \
                     one snippet for each, with `--gateway-port`",
                    all.join(", ")
                ));
            }
        }
    }
    Ok(proxy)
}

type Sources = (Vec<DataSource>, Option<Cluster>);

/// Where each module's code is, in their order, and the cluster that it is fetched through.
fn sources(modules: &[Module], how: &Snippet<'_>) -> Result<Sources, Error> {
    let (code, cluster) = match &how.place {
        Place::Folder(folder) => {
            let file = |module: &Module| LocalFile { filename: folder.join(module.file_name()) };
            return Ok((modules.iter().map(file).map(DataSource::Local).collect(), None));
        }
        Place::Web(code, cluster) => (code, cluster),
    };
    let (mut sources, mut servers) = (Vec::new(), BTreeSet::new());
    for module in modules {
        let url = url(code, *module, modules.len())?;
        let Some((host, port)) = url.server() else {
            let message = "Envoy fetches modules by `http` or `https`; for files there is `--module-path`";
            return Err(Error::Asked(message.to_owned()));
        };
        servers.insert((host.to_owned(), port, url.is_secure()));
        let remote = RemoteData {
            http_uri: HttpUri {
                uri: url.as_str().to_owned(),
                cluster: cluster.clone(),
                timeout: Seconds::new(FETCH_TIMEOUT),
            },
            sha256: how.checksums.of(*module, modules.len())?.as_str().to_owned(),
            retry_policy: RETRIES,
        };
        sources.push(DataSource::Remote(remote));
    }
    let server = servers.pop_first().map(|(host, port, tls)| {
        let destination = Destination { host, subset: None, port };
        web_server(cluster, &destination, tls, how.authorities)
    });
    if servers.is_empty() {
        Ok((sources, server))
    } else {
        Err(Error::Asked("the modules are on several servers; one cluster fetches them all".to_owned()))
    }
}

fn url(code: &Code, module: Module, many: usize) -> Result<Url, Error> {
    match code.of(module, many)? {
        Found::Url(url) => Ok(url),
        Found::Image(_) => {
            Err(Error::Asked("Envoy pulls no images; use `--url` or `--module-path`".to_owned()))
        }
    }
}
