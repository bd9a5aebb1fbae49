//! A `ConfigMap` with what Istio's proxies merge into their bootstrap: no resource of Istio's speaks of that any more.

use std::collections::BTreeSet;

use serde::Serialize;

use super::document::Document;
use super::error::Error;
use super::metadata::Metadata;
use super::names::Name;
use crate::envoy::bootstrap::StatsConfig;
use crate::render::around;

/// The object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigMap {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    data: Data,
}

/// The file that Istio's injection looks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Data {
    #[serde(rename = "custom_bootstrap.json")]
    custom_bootstrap: String,
}

#[derive(Serialize)]
struct Bootstrap {
    stats_config: StatsConfig,
}

/// What makes labels of the names of our filters' metrics. `added`: labels that Telemetries add.
pub(super) fn of_labels(name: &Name, namespace: &Name, added: &BTreeSet<String>) -> Result<Document, Error> {
    let bootstrap = Bootstrap { stats_config: around::stats_config(added) };
    let json = serde_json::to_string(&bootstrap).map_err(|error| Error::Yaml(error.to_string()))?;
    let name = name.with("bootstrap").map_err(Error::Asked)?;
    let comment = format!(
        "Makes Prometheus labels of the names of the filters' metrics; `sidecar.istio.io/extraStatTags` reads names of \
         another form. Give the proxies' pods the annotation `sidecar.istio.io/bootstrapOverride: {}`: it takes effect \
         when they start.",
        name.as_str()
    );
    let file = format!("configmap-{}", name.as_str());
    let object = ConfigMap {
        api_version: "v1",
        kind: "ConfigMap",
        metadata: Metadata::new(name, namespace.clone()),
        data: Data { custom_bootstrap: json },
    };
    Document::new(file, &[comment], &object)
}
