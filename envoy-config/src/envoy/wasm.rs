//! `envoy.extensions.wasm.v3`

use std::path::PathBuf;

use serde::Serialize;

use super::Any;
use super::scalars::Seconds;

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

/// `envoy.config.core.v3.AsyncDataSource`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// On this machine.
    Local(LocalFile),
    /// Fetched.
    Remote(RemoteData),
}

/// `envoy.config.core.v3.RemoteDataSource`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteData {
    /// From where.
    pub http_uri: HttpUri,
    /// Of the bytes, in hexadecimal; others are refused.
    pub sha256: String,
    /// What is done about a server that does not answer.
    pub retry_policy: FetchRetries,
}

/// `envoy.config.core.v3.HttpUri`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpUri {
    /// The whole URI.
    pub uri: String,
    /// The cluster that takes the request.
    pub cluster: String,
    /// How long the answer may take.
    pub timeout: Seconds,
}

/// `envoy.config.core.v3.RetryPolicy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FetchRetries {
    /// How often.
    pub num_retries: u32,
    /// How long after one another.
    pub retry_back_off: FetchBackOff,
}

/// `envoy.config.core.v3.BackoffStrategy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FetchBackOff {
    /// At first.
    pub base_interval: Seconds,
    /// At most.
    pub max_interval: Seconds,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalFile {
    /// Its path.
    pub filename: PathBuf,
}
