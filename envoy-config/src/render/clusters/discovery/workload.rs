//! An endpoint with what is known of it.

use outrigger_api::node::{Node, Value};
use outrigger_api::resource::{Metadata, Resource, Spec};
use outrigger_api::types::common::Labels;
use outrigger_api::types::workload_entry::{self, WorkloadEntry};

use super::{World, has};
use crate::envoy::cluster::Locality;
use crate::envoy::scalars::Address;
use crate::locality;

/// By this label with the value `istio` a workload says that it has a certificate of the mesh.
const TLS_MODE: &str = "security.istio.io/tlsMode";
/// Where a workload runs, if nothing else says so; with dots, since labels have no slashes. The first that is there counts.
const LOCALITY: [&str; 2] = ["topology.istio.io/locality", "istio-locality"];
/// The annotation of a WorkloadEntry whose health somebody looks at.
const HEALTH_CHECKED: &str = "proxy.istio.io/health-checks-enabled";

/// An endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render::clusters) struct Workload {
    /// Where it is.
    pub(in crate::render::clusters) address: Address,
    /// Its share; `None` counts as 1.
    pub(in crate::render::clusters) weight: Option<u32>,
    /// Where it runs.
    pub(in crate::render::clusters) locality: Locality,
    /// Its labels.
    pub(in crate::render::clusters) labels: Labels,
    /// Its network.
    pub(in crate::render::clusters) network: Option<String>,
    /// Its namespace and service account.
    pub(in crate::render::clusters) account: Option<(String, String)>,
    /// Its own port.
    pub(in crate::render::clusters) port: u16,
    /// The application's, as the service says: the workload's own may be what its sidecar opens for that.
    pub(in crate::render::clusters) app_port: u16,
    /// Its namespace.
    pub(in crate::render::clusters) namespace: String,
    /// Its name; empty if it has none.
    pub(in crate::render::clusters) name: String,
    /// It has a certificate of the mesh unless its labels say otherwise.
    pub(in crate::render::clusters) has_account: bool,
}

impl Workload {
    /// An endpoint of which nothing else is known.
    pub(in crate::render::clusters) fn at(host: &str, port: u16) -> Self {
        Self {
            address: Address::tcp(host, port),
            weight: None,
            locality: Locality::default(),
            labels: Labels::new(),
            network: None,
            account: None,
            port,
            app_port: port,
            namespace: String::new(),
            name: String::new(),
            has_account: false,
        }
    }

    /// Likewise, where the service calls the application's port so.
    pub(super) fn serving(self, app_port: u16) -> Self {
        Self { app_port, ..self }
    }

    /// Whether it says that it has a certificate of the mesh: by its label, or else, not being a pod, by naming its service
    /// account.
    pub(in crate::render::clusters) fn has_certificate(&self) -> bool {
        self.labels.get(TLS_MODE).map_or(self.has_account, |mode| mode == "istio")
    }

    /// Whether it has all the labels that are wanted. The place where it runs counts among them.
    pub(super) fn has(&self, wanted: Option<&Labels>) -> bool {
        let labels = || locality::with_place(&self.labels, &self.locality, self.network.as_deref());
        wanted.is_none_or(|wanted| has(&self.labels, Some(wanted)) || has(&labels(), Some(wanted)))
    }

    /// What a WorkloadEntry of `namespace` describes. `meta`: its metadata, if it is a resource of its own. `None`: it is
    /// reached through the gateway of its network alone.
    pub(super) fn of_entry(
        entry: &WorkloadEntry,
        meta: Option<&Metadata>,
        namespace: &str,
        port: u16,
    ) -> Option<Self> {
        let address = match &entry.address {
            workload_entry::Address::Ip(ip) => Address::tcp(ip.to_string(), port),
            workload_entry::Address::Dns(name) => Address::tcp(name.clone(), port),
            workload_entry::Address::Unix(path) => Address::Pipe { path: path.clone() },
            workload_entry::Address::Network => return None,
        };
        // Of two values for one label that of the metadata counts.
        let all = entry.labels.iter().chain(meta.into_iter().flat_map(|meta| &meta.labels));
        let labels: Labels = all.map(|(key, value)| (key.clone(), value.clone())).collect();
        let in_label =
            || LOCALITY.iter().find_map(|name| labels.get(*name)).map(|place| place.replace('.', "/"));
        let place = entry.locality.clone().filter(|place| !place.is_empty()).or_else(in_label);
        Some(Self {
            address,
            // Zero counts as not set.
            weight: entry.weight.filter(|weight| *weight > 0),
            locality: place.as_deref().map(locality::parse).unwrap_or_default(),
            labels,
            network: entry.network.clone(),
            account: entry.service_account.clone().map(|account| (namespace.to_owned(), account)),
            port,
            app_port: port,
            namespace: namespace.to_owned(),
            name: meta.map(|meta| meta.name.clone()).unwrap_or_default(),
            has_account: entry.service_account.is_some(),
        })
    }
}

/// The WorkloadEntries of a namespace, with their resources, but for those that were found ill.
pub(super) fn entries<'r>(
    world: World<'r>,
    namespace: &'r str,
) -> impl Iterator<Item = (&'r Resource, &'r WorkloadEntry)> {
    world.resources.iter().filter(move |resource| resource.meta.namespace == namespace).filter_map(
        |resource| match &resource.spec {
            Spec::WorkloadEntry(entry) if !is_ill(resource) => Some((resource, entry)),
            _ => None,
        },
    )
}

fn is_ill(entry: &Resource) -> bool {
    entry.meta.annotations.get(HEALTH_CHECKED).is_some_and(|enabled| enabled == "true")
        && has_condition(entry, "Healthy", "False")
}

/// Whether a resource's status says so.
pub(super) fn has_condition(resource: &Resource, kind: &str, status: &str) -> bool {
    let conditions = resource.node.get("status").and_then(|status| status.get("conditions"));
    let conditions = match conditions.map(|conditions| &conditions.value) {
        Some(Value::Sequence(conditions)) => conditions.as_slice(),
        _ => &[],
    };
    conditions.iter().any(|condition| {
        let says = |field, value| condition.get(field).and_then(Node::as_str) == Some(value);
        says("type", kind) && says("status", status)
    })
}

/// The labels of a WorkloadEntry: of its spec, and of its metadata, which count more.
pub(crate) fn labels(resource: &Resource, entry: &WorkloadEntry) -> Labels {
    entry.labels.iter().chain(&resource.meta.labels).map(|(k, v)| (k.clone(), v.clone())).collect()
}
