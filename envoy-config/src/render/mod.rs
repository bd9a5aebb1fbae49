//! Istio's resources as the configuration of one Envoy, with the filters that carry them out.

mod access_log;
pub(crate) mod around;
mod assemble;
pub(crate) mod authz;
mod clusters;
mod collectors;
mod decision;
mod filters;
mod hcm;
pub(crate) mod label_names;
mod listeners;
mod node;
mod options;
pub(crate) mod part;
mod probe;
mod problems;
mod rbac;
pub(crate) mod routed;
mod routes;
pub(crate) mod secrets;
mod stats;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod tracing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use outrigger_api::{Problem, Proxy, Resource};
use outrigger_core::route::Destination;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

pub(crate) use self::clusters::{is_nowhere, labels_of_entry};
pub use self::filters::SOURCE_IP_KEY;
pub(crate) use self::listeners::{Accepted, Entrance, How, Reached, accepted, entered, passes_on, reached};
pub use self::options::{AppPort, AppProbe, Filters, INBOUND_PORT, OUTBOUND_PORT, Options};
pub use self::problems::is_incomplete;
use crate::credentials::Credentials;
use crate::envoy::bootstrap::{Admin, DynamicResources, LayeredRuntime, Node, RuntimeLayer, StatsConfig};
use crate::envoy::cluster::Cluster;
use crate::envoy::listener::Listener;
use crate::envoy::scalars::Address;
use crate::envoy::secret::Secret;
use crate::identity::Identity;
use crate::modules::{Module, ModuleError};

/// The name of the bootstrap in its folder.
pub const BOOTSTRAP: &str = "envoy.yaml";

/// A complete configuration of one Envoy.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Who it is.
    pub node: Node,
    /// Its administration interface.
    pub admin: Admin,
    /// Feature flags.
    pub runtime: LayeredRuntime,
    /// Names of statistics.
    pub stats: StatsConfig,
    /// Where requests come in, with all filters in place.
    pub listeners: Vec<Listener>,
    /// Where they go, sorted by name.
    pub clusters: Vec<Cluster>,
    /// Destinations of rules that are nowhere: a subset or a port that nobody has.
    pub unserved: BTreeSet<Destination>,
    /// The certificates and keys that the two ask for, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Files that certificates were read from, by the paths that the resources give.
    pub files: BTreeSet<PathBuf>,
    /// What is carried out, but hardly meant so.
    pub warnings: Vec<Problem>,
    /// The WebAssembly modules that the filters are in.
    pub modules: &'static [Module],
    /// The files that the resources came from.
    pub sources: BTreeSet<Arc<str>>,
    /// How long connections of a listener that has changed may go on: `drainDuration` of the mesh configuration.
    pub drain_duration: Duration,
}

/// Istio's own.
const DRAIN_DURATION: Duration = Duration::from_secs(45);

/// Renders what `proxy` needs to carry out `resources`.
///
/// # Errors
/// Everything that is not carried out, by the filters or by the configuration around them.
pub fn render(resources: &[Resource], proxy: &Proxy, options: &Options) -> Result<Rendered, Vec<Problem>> {
    let proxy = &with_account(proxy, options);
    let mut secrets = secrets::Secrets::new(&options.module_dir);
    let credentials = Credentials::new(resources, &proxy.namespace, options.credentials.as_deref());
    let (plans, warnings) = listeners::plan(resources, proxy, options, &credentials, &mut secrets)?;
    let (mut rendered, mut destinations, mut problems) = (Vec::new(), BTreeSet::new(), Vec::new());
    let (mut keys, mut servers, mut labels) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (node, mut traced) = (node::node(proxy, &options.mesh.service_name), false);
    for plan in &plans {
        match assemble::listener(plan, resources, &node, options) {
            Ok(assembled) => {
                traced |= assembled.traced;
                destinations.extend(assembled.destinations);
                keys.extend(assembled.keys);
                servers.extend(assembled.servers);
                labels.extend(assembled.labels);
                rendered.push(assembled.listener);
            }
            Err(found) => add_new(&mut problems, found),
        }
    }
    let surroundings = clusters::Surroundings {
        resources,
        proxy,
        options,
        credentials: &credentials,
        secrets: &mut secrets,
    };
    let (destinations, servers, keys, plans) = (&destinations, &servers, &keys, &plans);
    let wanted = clusters::Wanted { destinations, servers, keys, plans, traced };
    let (clusters, unserved) = match clusters::clusters(surroundings, wanted) {
        Ok(found) => (found.clusters, found.unserved),
        Err(found) => {
            add_new(&mut problems, found);
            Default::default()
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let admin = options.admin;
    Ok(Rendered {
        node,
        admin: Admin { address: Address::tcp(admin.ip().to_string(), admin.port()) },
        runtime: runtime(),
        stats: stats::config(&labels),
        listeners: rendered,
        clusters,
        unserved,
        secrets: secrets.into_inner(),
        files: credentials.into_files(),
        warnings,
        modules: filters::modules(options.filters),
        sources: resources.iter().filter_map(|resource| resource.source.file.clone()).collect(),
        drain_duration: options.mesh.drain_duration.unwrap_or(DRAIN_DURATION),
    })
}

impl Rendered {
    /// Writes the bootstrap, the modules and the secrets into `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// A module that can't be had, a file that can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), WriteError> {
        self.write_modules(folder)?;
        self.write_secrets(folder)?;
        replace(&folder.join(BOOTSTRAP), self.to_yaml()?.as_bytes())
    }

    /// Writes the modules alone.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_modules(&self, folder: &Path) -> Result<(), WriteError> {
        let failed = |source| WriteError::File { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        for module in self.modules {
            replace(&folder.join(module.file_name()), &module.loadable()?)?;
        }
        Ok(())
    }

    /// Writes the secrets alone, into a folder that is there.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_secrets(&self, folder: &Path) -> Result<(), WriteError> {
        self.secrets.values().try_for_each(|secret| secrets::write(folder, secret, 1))
    }

    /// Writes those of which there is no file yet.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn write_new_secrets(&self, folder: &Path) -> Result<(), WriteError> {
        let new = self.secrets.values().filter(|one| !folder.join(secrets::file_name(&one.name)).exists());
        new.into_iter().try_for_each(|secret| secrets::write(folder, secret, 1))
    }

    /// The whole as a bootstrap that needs no other file but the modules and the secrets.
    ///
    /// # Errors
    /// The serializer's.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        Ok(text::bootstrap(self)?)
    }

    /// The bootstrap of an Envoy that reads listeners and clusters from files.
    pub(crate) fn to_dynamic_yaml(&self, sources: &DynamicResources) -> Result<String, WriteError> {
        Ok(text::dynamic_bootstrap(self, sources)?)
    }
}

/// One value as a YAML document.
pub(crate) fn to_yaml(value: &impl Serialize) -> Result<String, WriteError> {
    Ok(text::yaml(value)?)
}

/// A name as a part of a file's name, so that no two names make the same one. Names of files end somewhere; the longest of
/// hosts, and of paths, do not.
pub(crate) fn in_file_name(name: &str) -> String {
    const SAFE: AsciiSet = NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'@').remove(b'-');
    const LONGEST: usize = 200;
    let full = utf8_percent_encode(name, &SAFE).to_string();
    if full.len() <= LONGEST {
        return full;
    }
    // FNV-1a: the same in every run.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let begin: String = full.chars().take(LONGEST).collect();
    format!("{begin}-{hash:016x}")
}

/// Puts a file in the place of the one there, so that nobody ever sees half of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::File { path: path.to_owned(), source };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path)).map_err(|error| {
        // What is left of it would take the room that is missing.
        let _ = fs::remove_file(&new);
        failed(error)
    })
}

/// A configuration can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A module is missing.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// A file or folder can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was rendered can't be put into YAML.
    #[error("can't write YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

/// Listeners share most of their resources, and with them what is wrong there.
fn add_new(problems: &mut Vec<Problem>, found: Vec<Problem>) {
    for problem in found {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// A proxy with a certificate has the service account that the certificate names: by it the metrics know that there can
/// be mutual TLS, and name this end as others do.
fn with_account(proxy: &Proxy, options: &Options) -> Proxy {
    let certified = options.identity.as_ref().map(|identity| account(identity, proxy));
    Proxy { service_account: certified.or_else(|| proxy.service_account.clone()), ..proxy.clone() }
}

/// The account in a certificate; the whole SPIFFE ID where it is of another trust domain or namespace than the flags say,
/// or names none.
fn account(identity: &Identity, proxy: &Proxy) -> String {
    let id = identity.id.as_str();
    let stem = format!("spiffe://{}/ns/{}/sa/", proxy.trust_domain, proxy.namespace);
    id.strip_prefix(&stem).unwrap_or(id).to_owned()
}

fn runtime() -> LayeredRuntime {
    let static_layer = [
        // Istio lets a regex be this large, where Envoy stops at 100.
        ("re2.max_program_size.error_level", 32_768.into()),
        // A fragment in a path is cut off, not answered with 400.
        ("envoy.reloadable_features.http_reject_path_with_fragment", false.into()),
    ];
    LayeredRuntime { layers: vec![RuntimeLayer { name: "istio", static_layer: static_layer.into() }] }
}
