//! The rendered configuration in the form that Envoy takes changes of while it serves: listeners, clusters and each
//! filter's configuration in a file of their own, so that a change of a policy touches no listener.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::bootstrap::DynamicResources;
use crate::envoy::cluster::{Cluster, Discovery, DiscoveryType, EdsClusterConfig, LoadAssignment};
use crate::envoy::discovery::{ConfigSource, DiscoveryResponse, ExtensionConfigSource};
use crate::envoy::http::{HttpFilter, HttpFilterConfig};
use crate::envoy::listener::{FilterChain, Listener};
use crate::envoy::secret::Secret;
use crate::render::{Rendered, in_file_name};

/// The file of the listeners.
pub(super) const LISTENERS: &str = "listeners.yaml";
/// The file of the clusters.
pub(super) const CLUSTERS: &str = "clusters.yaml";
/// The bootstrap that names the two.
pub(super) const BOOTSTRAP: &str = "bootstrap.yaml";
/// Of so many clusters the endpoints have a file each; each takes an inotify instance of Envoy's user, who has 128 by default.
/// Of more they stand with the clusters: then a change of them makes the cluster anew, and its connections are drained.
const MOST_WATCHED: usize = 40;
/// What a filter's file holds.
const WASM_TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// What Envoy is given in files.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dynamic {
    /// The listeners, whose WebAssembly filters are elsewhere.
    pub(super) listeners: Vec<Listener>,
    /// The clusters by name; those whose endpoints have addresses name a file for them.
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// Those endpoints, by the name of the cluster.
    pub(super) endpoints: BTreeMap<String, LoadAssignment>,
    /// The WebAssembly filters by name.
    pub(super) filters: BTreeMap<String, Any>,
    /// Certificates and keys by name.
    pub(super) secrets: BTreeMap<String, Secret>,
}

impl Dynamic {
    /// Takes the filters out of the listeners. `folder` is where their files will be.
    pub(super) fn new(rendered: &Rendered, folder: &Path) -> Self {
        let mut filters = BTreeMap::new();
        let mut listeners = rendered.listeners.clone();
        for listener in &mut listeners {
            let name = listener.name.clone();
            for (chain, filter) in http_filters(listener) {
                let HttpFilterConfig::TypedConfig(config) = &filter.config else { continue };
                if !is_wasm(&filter.config) {
                    continue;
                }
                let full = match chain.as_str() {
                    "" => format!("{}@{name}", filter.name),
                    chain => format!("{}@{name}/{chain}", filter.name),
                };
                let discovered = ExtensionConfigSource {
                    config_source: ConfigSource::file(&folder.join(file_name(&full))),
                    type_urls: vec![WASM_TYPE],
                };
                filters.insert(full.clone(), (**config).clone());
                *filter = HttpFilter { name: full, config: HttpFilterConfig::ConfigDiscovery(discovered) };
            }
        }
        let (mut clusters, mut endpoints) = (BTreeMap::new(), BTreeMap::new());
        let few = rendered.clusters.iter().filter(|cluster| has_addresses(cluster)).count() <= MOST_WATCHED;
        for cluster in &rendered.clusters {
            let (cluster, assignment) = match few {
                true => with_file(cluster.clone(), folder),
                false => (cluster.clone(), None),
            };
            endpoints.extend(assignment.map(|assignment| (cluster.name.clone(), assignment)));
            clusters.insert(cluster.name.clone(), cluster);
        }
        Self { listeners, clusters, endpoints, filters, secrets: rendered.secrets.clone() }
    }

    /// Where the bootstrap says the listeners and clusters are.
    pub(super) fn sources(folder: &Path) -> DynamicResources {
        DynamicResources {
            lds_config: ConfigSource::file(&folder.join(LISTENERS)),
            cds_config: ConfigSource::file(&folder.join(CLUSTERS)),
        }
    }

    /// The file of the listeners.
    pub(super) fn listeners_file(&self, version: u64) -> DiscoveryResponse {
        response(version, self.listeners.iter().cloned().map(Any::Listener))
    }

    /// The file of a cluster's endpoints.
    pub(super) fn endpoints_file(assignment: &LoadAssignment, version: u64) -> DiscoveryResponse {
        response(version, std::iter::once(Any::LoadAssignment(Box::new(assignment.clone()))))
    }

    /// The file of a filter.
    pub(super) fn filter_file(name: &str, config: &Any, version: u64) -> DiscoveryResponse {
        let extension = Extension::new(name, config.clone());
        response(version, std::iter::once(Any::ExtensionConfig(Box::new(extension))))
    }
}

fn has_addresses(cluster: &Cluster) -> bool {
    cluster.discovery == Discovery::Type(DiscoveryType::Static)
}

/// Takes the endpoints out of a cluster that has them by address: what comes and goes there touches nothing else.
fn with_file(mut cluster: Cluster, folder: &Path) -> (Cluster, Option<LoadAssignment>) {
    if !has_addresses(&cluster) {
        return (cluster, None);
    }
    let Some(assignment) = cluster.load_assignment.take() else { return (cluster, None) };
    cluster.discovery = Discovery::Type(DiscoveryType::Eds);
    let eds_config = ConfigSource::file(&folder.join(endpoints_name(&cluster.name)));
    cluster.eds_cluster_config = Some(EdsClusterConfig { eds_config });
    (cluster, Some(assignment))
}

/// The name of the file of a cluster's endpoints.
pub(super) fn endpoints_name(cluster: &str) -> PathBuf {
    PathBuf::from(format!("endpoints-{}.yaml", in_file_name(cluster)))
}

/// The file of these clusters.
pub(super) fn clusters_file(clusters: &BTreeMap<String, Cluster>, version: u64) -> DiscoveryResponse {
    response(version, clusters.values().cloned().map(Box::new).map(Any::Cluster))
}

/// The name of a filter's file.
pub(super) fn file_name(filter: &str) -> PathBuf {
    PathBuf::from(format!("filter-{}.yaml", in_file_name(filter)))
}

fn response(version: u64, resources: impl Iterator<Item = Any>) -> DiscoveryResponse {
    DiscoveryResponse { version_info: version.to_string(), resources: resources.collect() }
}

/// The same without the WebAssembly filters: what Envoy can judge in a moment. Their configuration is compiled by us
/// with the code that they run, and Envoy keeps the old one if they refuse it after all; loading them once more would
/// take a second for each megabyte.
pub(super) fn without_filters(rendered: &Rendered) -> Rendered {
    let mut rendered = rendered.clone();
    for filters in rendered.listeners.iter_mut().flat_map(filter_chains) {
        filters.retain(|filter| !is_wasm(&filter.config));
    }
    rendered
}

fn is_wasm(config: &HttpFilterConfig) -> bool {
    matches!(config, HttpFilterConfig::TypedConfig(config) if matches!(**config, Any::Wasm { .. }))
}

fn filter_chains(listener: &mut Listener) -> impl Iterator<Item = &mut Vec<HttpFilter>> {
    listener.filter_chains.iter_mut().flat_map(managers)
}

/// Each HTTP filter with the name of the chain it is in.
fn http_filters(listener: &mut Listener) -> impl Iterator<Item = (String, &mut HttpFilter)> {
    listener.filter_chains.iter_mut().flat_map(|chain| {
        let name = chain.name.clone();
        managers(chain).flatten().map(move |filter| (name.clone(), filter))
    })
}

fn managers(chain: &mut FilterChain) -> impl Iterator<Item = &mut Vec<HttpFilter>> {
    chain.filters.iter_mut().filter_map(|filter| match &mut filter.typed_config {
        Any::HttpConnectionManager(manager) => Some(&mut manager.http_filters),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cluster_has_a_file_of_its_own() {
        let name = |cluster: &str| endpoints_name(cluster).display().to_string();
        assert_eq!(name("outbound|80|v1|a.test"), "endpoints-outbound%7C80%7Cv1%7Ca.test.yaml");
        let long = format!("outbound|80||{}.test", "a".repeat(240));
        let names = ["a/b", "a~b", "a|b", &long, &format!("{long}x")].map(name);
        assert_eq!(std::collections::BTreeSet::from_iter(&names).len(), names.len());
        assert!(names.iter().all(|name| name.len() < 255 && !name.contains('/')), "{names:?}");
    }

    #[test]
    fn a_filters_name_makes_a_file_name() {
        assert_eq!(file_name("outrigger@[::1]_80"), Path::new("filter-outrigger@%5B%3A%3A1%5D_80.yaml"));
    }
}
