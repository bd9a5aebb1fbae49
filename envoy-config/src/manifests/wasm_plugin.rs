//! `extensions.istio.io/v1alpha1` `WasmPlugin`, of which only what is right can be written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::checksum::Checksum;
use super::metadata::{Metadata, Object};
use super::names::Name;
use super::target_ref::TargetRef;

/// `spec`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WasmPluginSpec {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) attached: Option<Attached>,
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_pull_policy: Option<ImagePullPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_pull_secret: Option<Name>,
    /// Names the plugin in logs: at most 256 characters, which every name of an object is.
    pub(super) plugin_name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phase: Option<Phase>,
    pub(super) priority: i32,
    pub(super) fail_strategy: FailStrategy,
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub(super) matches: Vec<TrafficSelector>,
    /// The filter's configuration.
    pub(super) plugin_config: Value,
}

/// Which proxies: one of the two, or every one of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Attached {
    Selector(Selector),
    TargetRefs(Vec<TargetRef>),
}

/// `WorkloadSelector`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: BTreeMap<String, String>,
}

/// `imagePullPolicy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "Kubernetes' own names")]
pub enum ImagePullPolicy {
    IfNotPresent,
    Always,
}

/// `phase`: where among Istio's own filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Phase {
    /// Before Istio's authentication.
    Authn,
    /// Before Istio's authorization.
    Authz,
    /// Before Istio's statistics.
    Stats,
}

/// `failStrategy`: what becomes of requests when the filter has crashed or can't be had. `FAIL_OPEN` is not there: what
/// nobody checks would pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailStrategy {
    /// 503 until the configuration changes.
    #[default]
    FailClose,
    /// 503 until a new VM is up, about a second later.
    FailReload,
}

/// `match[]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TrafficSelector {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<Mode>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ports: Vec<Port>,
}

/// `WorkloadMode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    /// Requests that a workload sends.
    Client,
    /// Requests that come to it.
    Server,
}

/// `PortSelector`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Port {
    pub(super) number: u16,
}

/// The whole object.
pub(super) fn wasm_plugin(metadata: Metadata, spec: WasmPluginSpec) -> Object<WasmPluginSpec> {
    Object { api_version: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata, spec }
}
