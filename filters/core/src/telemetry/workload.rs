//! One end of a request, as its labels describe it.

use outrigger_api::Proxy;
use outrigger_api::types::common::Labels;

use super::labels::UNKNOWN;

/// The canonical revision of a workload that has told none.
const LATEST: &str = "latest";

/// What is known of a workload. A text that is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Istio's canonical service: the label `service.istio.io/canonical-name`, else `app`, else its name.
    pub canonical_service: String,
    /// Istio's canonical revision: the label `service.istio.io/canonical-revision`, else `version`.
    pub canonical_revision: String,
    /// The label `app`.
    pub app: String,
    /// The label `version`.
    pub version: String,
    /// The cluster that it runs in (Istio's `CLUSTER_ID`).
    pub cluster: String,
}

impl Workload {
    /// The workload of this proxy.
    pub fn local(proxy: &Proxy) -> Self {
        Self::described(&proxy.workload, &proxy.namespace, &proxy.labels)
    }

    /// A workload with these labels.
    pub fn described(name: &str, namespace: &str, labels: &Labels) -> Self {
        let label = |key: &str| labels.get(key).filter(|value| !value.is_empty());
        let first = |keys: [&str; 2]| keys.into_iter().find_map(label).cloned();
        let canonical = first(["service.istio.io/canonical-name", "app"]);
        Self {
            canonical_service: canonical.unwrap_or_else(|| name.to_owned()),
            canonical_revision: first(["service.istio.io/canonical-revision", "version"]).unwrap_or_default(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            app: label("app").cloned().unwrap_or_default(),
            version: label("version").cloned().unwrap_or_default(),
            cluster: String::new(),
        }
    }

    /// The values of its labels, by what they are called after `source_` and `destination_`.
    pub(super) fn labels(&self) -> [(&'static str, &str); 7] {
        let or = |text, otherwise| if str::is_empty(text) { otherwise } else { text };
        [
            ("workload", or(&self.name, UNKNOWN)),
            ("workload_namespace", or(&self.namespace, UNKNOWN)),
            ("canonical_service", or(&self.canonical_service, UNKNOWN)),
            // Istio's word also for one of which nothing at all is known.
            ("canonical_revision", or(&self.canonical_revision, LATEST)),
            ("app", or(&self.app, UNKNOWN)),
            ("version", or(&self.version, UNKNOWN)),
            ("cluster", or(&self.cluster, UNKNOWN)),
        ]
    }
}
