//! `envoy.config.core.v3.HealthCheck`: how endpoints are asked whether they work.

use serde::Serialize;

use super::super::scalars::{Empty, Seconds, is_default};

/// How endpoints are asked whether they work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// How long an answer may take.
    pub timeout: Seconds,
    /// Between two questions.
    pub interval: Seconds,
    /// The same before the first request has gone to the cluster.
    pub no_traffic_interval: Seconds,
    /// So many bad answers in a row make an endpoint unhealthy.
    pub unhealthy_threshold: u32,
    /// So many good answers in a row make it healthy again.
    pub healthy_threshold: u32,
    /// The question.
    #[serde(flatten)]
    pub checker: HealthChecker,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthChecker {
    /// A request.
    HttpHealthCheck {
        /// Its host. Empty: the cluster's name.
        #[serde(skip_serializing_if = "String::is_empty")]
        host: String,
        /// Its path.
        path: String,
        /// Good answers. Empty: 200.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        expected_statuses: Vec<StatusRange>,
        /// `HTTP2`
        #[serde(skip_serializing_if = "is_default")]
        codec_client_type: Option<&'static str>,
    },
    /// A connection.
    TcpHealthCheck(Empty),
    /// The call of gRPC's health checking protocol.
    GrpcHealthCheck {
        /// The service asked for. Empty: the server as a whole.
        #[serde(skip_serializing_if = "String::is_empty")]
        service_name: String,
        /// The call's host. Empty: the cluster's name.
        #[serde(skip_serializing_if = "String::is_empty")]
        authority: String,
    },
}

/// `envoy.type.v3.Int64Range`: statuses from `start` to just before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StatusRange {
    /// The first.
    pub start: u16,
    /// Behind the last.
    pub end: u16,
}
