//! `gateway.envoyproxy.io/v1alpha1` `EnvoyExtensionPolicy`, of which only what is right can be written.

use serde::Serialize;
use serde_json::Value;

use super::checksum::Checksum;
use super::metadata::{Metadata, Object};
use super::names::Name;
use super::target_ref::TargetRef;
use super::wasm_plugin::ImagePullPolicy;

/// `spec`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvoyExtensionPolicySpec {
    pub(super) target_refs: Vec<TargetRef>,
    /// At most 16, in the order in which requests meet them.
    pub(super) wasm: Vec<Wasm>,
}

/// `wasm[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wasm {
    pub(super) name: Name,
    #[serde(rename = "rootID")]
    pub(super) root_id: Name,
    pub(super) code: WasmCodeSource,
    /// The filter's configuration.
    pub(super) config: Value,
    pub(super) fail_open: FailOpen,
}

/// `failOpen: false`: what nobody checks would pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FailOpen;

impl Serialize for FailOpen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(false)
    }
}

/// `code`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WasmCodeSource {
    #[serde(flatten)]
    pub(super) place: CodePlace,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull_policy: Option<ImagePullPolicy>,
}

/// The field that `type` names, and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub(super) enum CodePlace {
    #[serde(rename = "HTTP")]
    Http {
        http: HttpCode,
    },
    Image {
        image: ImageCode,
    },
}

/// A file that is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct HttpCode {
    pub(super) url: String,
    pub(super) sha256: Checksum,
}

/// An image that is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageCode {
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull_secret_ref: Option<SecretRef>,
}

/// A Secret in the policy's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SecretRef {
    kind: &'static str,
    name: Name,
}

impl SecretRef {
    /// That of this name.
    pub(super) fn new(name: Name) -> Self {
        Self { kind: "Secret", name }
    }
}

/// The whole object.
pub(super) fn envoy_extension_policy(
    metadata: Metadata,
    spec: EnvoyExtensionPolicySpec,
) -> Object<EnvoyExtensionPolicySpec> {
    Object { api_version: "gateway.envoyproxy.io/v1alpha1", kind: "EnvoyExtensionPolicy", metadata, spec }
}
