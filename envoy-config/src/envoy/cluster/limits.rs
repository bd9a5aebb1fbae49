//! Limits of connections and requests, and when an endpoint is left out.

use serde::Serialize;

use super::super::scalars::{Percent, Seconds, is_default};

/// Limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CircuitBreakers {
    /// One entry: for requests of default priority.
    pub thresholds: Vec<Thresholds>,
}

/// The limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// Connections.
    pub max_connections: u32,
    /// Requests that wait for one.
    pub max_pending_requests: u32,
    /// Requests at a time.
    pub max_requests: u32,
    /// Retries at a time.
    pub max_retries: u32,
    /// Retries at a time by the requests at a time; takes the place of the above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_budget: Option<RetryBudget>,
    /// Shows in the statistics how much is left.
    pub track_remaining: bool,
}

/// `CircuitBreakers.Thresholds.RetryBudget`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetryBudget {
    /// The share of requests that may be retries.
    pub budget_percent: Percent,
    /// Requests of this time count. `None`: those that are on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_interval: Option<Seconds>,
    /// So many retries are always allowed.
    pub min_retry_concurrency: u32,
}

/// `envoy.config.cluster.v3.OutlierDetection`; what is not set is Envoy's default, which is Istio's.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct OutlierDetection {
    /// Errors in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_5xx: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_5xx: Option<u32>,
    /// 502, 503 and 504 in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_gateway_failure: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_gateway_failure: Option<u32>,
    /// Time between looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Seconds>,
    /// First time out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ejection_time: Option<Seconds>,
    /// Percent that may be out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejection_percent: Option<u32>,
    /// 0: Istio has no such thing.
    pub enforcing_success_rate: u32,
    /// Counts failed connections apart.
    #[serde(skip_serializing_if = "is_default")]
    pub split_external_local_origin_errors: bool,
    /// Failed connections in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_local_origin_failure: Option<u32>,
    /// Percent of the times that it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_local_origin_failure: Option<u32>,
    /// 0, if failed connections are counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_local_origin_success_rate: Option<u32>,
}

/// Options of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionOptions {
    /// Probes.
    pub tcp_keepalive: TcpKeepalive,
}

/// Keep-alive probes, times in seconds; what is not set is the system's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TcpKeepalive {
    /// Unanswered ones until the connection is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_probes: Option<u32>,
    /// Idle time before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_time: Option<u64>,
    /// Between probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_interval: Option<u64>,
}
