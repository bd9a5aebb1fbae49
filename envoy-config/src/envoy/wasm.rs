//! `envoy.extensions.wasm.v3`

use std::path::PathBuf;

use serde::Serialize;

use super::Any;

/// A WebAssembly plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginConfig {
    /// Its name, in logs and statistics.
    pub name: String,
    /// What happens when its VM has crashed.
    pub failure_policy: FailurePolicy,
    /// The VM.
    pub vm_config: VmConfig,
    /// What it gets: a `StringValue`.
    pub configuration: Any,
}

/// What happens to requests when the VM has crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailurePolicy {
    /// 503 until a new VM is up, about a second later.
    FailReload,
}

/// Plugins with equal ones share a VM on each thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VmConfig {
    /// Also the name space of data that VMs share.
    pub vm_id: &'static str,
    /// The engine.
    pub runtime: &'static str,
    /// The module.
    pub code: DataSource,
}

/// `envoy.config.core.v3.AsyncDataSource` of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataSource {
    /// On this machine.
    pub local: LocalFile,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalFile {
    /// Its path.
    pub filename: PathBuf,
}
