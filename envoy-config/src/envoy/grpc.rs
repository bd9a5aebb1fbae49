//! Servers that Envoy speaks to on its own behalf.

use serde::Serialize;

use super::http::{HeaderValue, HeaderValueOption};
use super::scalars::Seconds;

/// `envoy.config.core.v3.GrpcService` by Envoy's own client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrpcService {
    /// Where.
    pub envoy_grpc: EnvoyGrpc,
    /// How long an answer may take. `None`: as long as it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    /// Headers of each call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub initial_metadata: Vec<HeaderValue>,
}

/// `GrpcService.EnvoyGrpc`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvoyGrpc {
    /// The cluster.
    pub cluster_name: String,
    /// The `:authority` of the calls.
    pub authority: String,
}

/// `envoy.config.core.v3.HttpUri`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpUri {
    /// Says the host and the path to some, and nothing to others.
    pub uri: String,
    /// The cluster.
    pub cluster: String,
    /// How long an answer may take.
    pub timeout: Seconds,
}

/// `envoy.config.core.v3.HttpService`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpService {
    /// Where.
    pub http_uri: HttpUri,
    /// Headers of each request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_add: Vec<HeaderValueOption>,
}
