//! What every Kubernetes object begins with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Name;

/// `metadata`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Metadata {
    pub(super) name: Name,
    pub(super) namespace: Name,
    labels: BTreeMap<&'static str, &'static str>,
}

impl Metadata {
    /// With the label by which all that we have made is found.
    pub(super) fn new(name: Name, namespace: Name) -> Self {
        Self { name, namespace, labels: BTreeMap::from([("app.kubernetes.io/managed-by", "outrigger")]) }
    }
}

/// A Kubernetes object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<Spec> {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
}
