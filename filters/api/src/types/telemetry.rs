//! `telemetry.istio.io` Telemetry.

use std::{collections::BTreeMap, time::Duration};

use super::common::Target;

/// What is measured, logged and traced.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telemetry {
    /// For whom.
    pub target: Target,
    /// Only the first one counts.
    pub tracing: Vec<Tracing>,
    /// Metrics.
    pub metrics: Vec<Metrics>,
    /// Access logs.
    pub access_logging: Vec<AccessLogging>,
}

impl Telemetry {
    /// Each of the changes to metrics, with its places in `metrics` and in `overrides` there.
    pub fn metric_overrides(&self) -> impl Iterator<Item = ((usize, usize), &MetricsOverride)> {
        self.metrics.iter().enumerate().flat_map(|(entry, metrics)| {
            metrics.overrides.iter().enumerate().map(move |(index, change)| ((entry, index), change))
        })
    }
}

/// Which side of a connection is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WorkloadMode {
    /// Both.
    #[default]
    ClientAndServer,
    /// Outbound, and gateways.
    Client,
    /// Inbound.
    Server,
}

/// One entry of `tracing`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tracing {
    /// Which side.
    pub mode: WorkloadMode,
    /// Names of the mesh configuration; empty: its defaults.
    pub providers: Vec<String>,
    /// 0 to 100.
    pub random_sampling_percentage: Option<f64>,
    /// Reports nothing, still passes the context on.
    pub disable_span_reporting: Option<bool>,
    /// Further tags; replaces those of a wider resource as a whole. `None`: keeps them.
    pub custom_tags: Option<BTreeMap<String, CustomTag>>,
    /// Default true.
    pub use_request_id_for_trace_sampling: Option<bool>,
    /// Default true.
    pub enable_istio_tags: Option<bool>,
    /// Passes no context on.
    pub disable_context_propagation: Option<bool>,
}

/// Where the value of a tag comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomTag {
    /// Given here.
    Literal(String),
    /// An environment variable of the proxy.
    Environment {
        /// Its name.
        name: String,
        /// If it is not set.
        default_value: String,
    },
    /// A request header.
    Header {
        /// Its name, lower case.
        name: String,
        /// If it is absent.
        default_value: String,
    },
    /// Envoy's format string.
    Formatter(String),
}

/// One entry of `metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Names of the mesh configuration; empty: its defaults.
    pub providers: Vec<String>,
    /// Changes, in order.
    pub overrides: Vec<MetricsOverride>,
    /// Of TCP and gRPC; `None`: 5 s.
    pub reporting_interval: Option<Duration>,
}

/// A change to some metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricsOverride {
    /// Which.
    pub metric: MetricSelector,
    /// On which side.
    pub mode: WorkloadMode,
    /// Switched off; `None`: as it was.
    pub disabled: Option<bool>,
    /// Changes to labels.
    pub tag_overrides: Vec<(String, TagOverride)>,
}

/// Which metrics an override is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum MetricSelector {
    /// `ALL_METRICS`
    #[default]
    All,
    /// One of Istio's.
    Standard(StandardMetric),
    /// One by its name.
    Custom(String),
}

/// Istio's standard metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "Istio's own names")]
pub enum StandardMetric {
    RequestCount,
    RequestDuration,
    RequestSize,
    ResponseSize,
    TcpOpenedConnections,
    TcpClosedConnections,
    TcpSentBytes,
    TcpReceivedBytes,
    GrpcRequestMessages,
    GrpcResponseMessages,
}

/// A change to a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagOverride {
    /// Set to a CEL expression over Envoy's attributes.
    Upsert(String),
    /// Taken away.
    Remove,
}

/// One entry of `accessLogging`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessLogging {
    /// Which side.
    pub mode: WorkloadMode,
    /// Names of the mesh configuration; empty: its defaults.
    pub providers: Vec<String>,
    /// Switched off; `None`: as it was.
    pub disabled: Option<bool>,
    /// CEL expression which a request must fulfil to be logged.
    pub filter: Option<String>,
}
