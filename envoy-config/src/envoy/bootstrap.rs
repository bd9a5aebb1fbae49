//! `envoy.config.bootstrap.v3.Bootstrap`, section by section.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cluster::Cluster;
use super::discovery::ConfigSource;
use super::listener::Listener;
use super::scalars::{Address, StringMatcher};

/// Who this Envoy is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Unique.
    pub id: String,
    /// The workload.
    pub cluster: String,
    /// By which our filters know that all they need is there.
    pub metadata: NodeMetadata,
}

/// What else is known of an Envoy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeMetadata {
    /// The `outrigger` that has written its configuration.
    #[serde(rename = "OUTRIGGER_VERSION")]
    pub outrigger_version: &'static str,
}

/// The administration interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admin {
    /// Where it listens.
    pub address: Address,
}

/// Feature flags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayeredRuntime {
    /// Later ones win.
    pub layers: Vec<RuntimeLayer>,
}

/// One layer of flags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuntimeLayer {
    /// Its name.
    pub name: &'static str,
    /// Flags and their values.
    pub static_layer: BTreeMap<&'static str, serde_json::Value>,
}

/// How statistics are named and counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsConfig {
    /// What becomes a label.
    pub stats_tags: Vec<TagSpecifier>,
    /// Buckets of histograms.
    pub histogram_bucket_settings: Vec<HistogramBuckets>,
}

/// Takes a part of a metric's name for a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagSpecifier {
    /// The label.
    pub tag_name: String,
    /// Its first group is cut out of the name, its second is the value.
    pub regex: String,
}

/// The buckets of the histograms whose name matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistogramBuckets {
    /// The full name, with `wasmcustom.` in front of a filter's.
    #[serde(rename = "match")]
    pub name: StringMatcher,
    /// Upper bounds.
    pub buckets: Vec<f64>,
}

/// Listeners and clusters that stand in the bootstrap itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct StaticResources {
    /// Where requests come in.
    pub listeners: Vec<Listener>,
    /// Where they go.
    pub clusters: Vec<Cluster>,
}

/// Files that Envoy watches for listeners and clusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DynamicResources {
    /// Listeners.
    pub lds_config: ConfigSource,
    /// Clusters.
    pub cds_config: ConfigSource,
}
