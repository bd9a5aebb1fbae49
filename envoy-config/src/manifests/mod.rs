//! Our filters for proxies that others configure: Istio's `WasmPlugin`, Envoy Gateway's `EnvoyExtensionPolicy`, and the
//! entries of one's own `http_filters`.

mod bootstrap_override;
mod checksum;
mod code;
mod document;
mod envoy_extension_policy;
mod envoy_filter;
mod envoy_gateway;
mod error;
mod gateways;
mod istio;
mod left_out;
mod metadata;
mod modules;
mod names;
mod ports;
mod refusals;
mod size;
mod snippet;
mod target_ref;
mod wasm_plugin;

use outrigger_api::{DecisionRecord, MetricLimits, Proxy, Resource};

pub use self::checksum::{Checksum, Checksums};
pub use self::code::{Code, Url};
pub use self::document::{Document, Manifests};
pub use self::envoy_gateway::{EnvoyGateway, render as envoy_gateway};
pub use self::error::Error;
pub use self::gateways::GATEWAY_NAME;
pub use self::istio::{Istio, render as istio};
pub use self::modules::Choice;
pub use self::names::Name;
pub use self::snippet::{Place, Snippet, render as snippet};
pub use self::target_ref::TargetRef;
pub use self::wasm_plugin::{FailStrategy, ImagePullPolicy};
use crate::mesh_config::MeshConfig;
use crate::render::part::Settings;

/// What manifests are made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i> {
    /// The resources.
    pub resources: &'i [Resource],
    /// The proxy that they are for.
    pub proxy: &'i Proxy,
    /// What the mesh has in common.
    pub mesh: &'i MeshConfig,
    /// Where decisions are told.
    pub record: &'i DecisionRecord,
    /// How much is measured.
    pub metrics: MetricLimits,
}

impl Input<'_> {
    /// What filters get besides resources. `asks`: filters of ours ask the servers that authorize requests.
    fn settings(&self, asks: bool) -> Settings {
        let providers = if asks { self.mesh.extension_providers.clone() } else { Vec::new() };
        Settings { providers, record: self.record.clone(), metrics: self.metrics }
    }
}
