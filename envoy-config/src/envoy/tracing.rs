//! Traces.

use serde::Serialize;

use super::any::Extension;
use super::grpc::{GrpcService, HttpService};
use super::scalars::{Percent, is_default};

/// `HttpConnectionManager.Tracing`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tracing {
    /// Of requests with `x-client-trace-id`.
    pub client_sampling: Percent,
    /// Of requests that begin a trace.
    pub random_sampling: Percent,
    /// Of all these together.
    pub overall_sampling: Percent,
    /// Longer URLs are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_path_tag_length: Option<u32>,
    /// Further tags, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_tags: Vec<CustomTag>,
    /// Where spans go.
    pub provider: Extension,
    /// A span of its own for what is sent to the service.
    #[serde(skip_serializing_if = "is_default")]
    pub spawn_upstream_span: bool,
    /// A span's name.
    pub operation: String,
    /// Services are not told of the trace.
    #[serde(skip_serializing_if = "is_default")]
    pub no_context_propagation: bool,
}

/// `envoy.type.tracing.v3.CustomTag`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomTag {
    /// Its name.
    pub tag: String,
    /// Its value; it is left out where there is none.
    #[serde(flatten)]
    pub source: TagSource,
}

/// Where the value of a tag comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TagSource {
    /// Given here.
    Literal {
        /// It.
        value: String,
    },
    /// An environment variable of Envoy's.
    Environment(NamedSource),
    /// A header of the request.
    RequestHeader(NamedSource),
    /// A format string.
    Value(String),
}

/// A name, and what counts if there is nothing of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedSource {
    /// The name.
    pub name: String,
    /// Empty: no tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_value: String,
}

/// `envoy.config.trace.v3.OpenTelemetryConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenTelemetryTracer {
    /// How spans are sent.
    #[serde(flatten)]
    pub exporter: OtlpService,
    /// `service.name`
    pub service_name: String,
    /// What tells more of this proxy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_detectors: Vec<Extension>,
}

/// How spans are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OtlpService {
    /// By gRPC.
    GrpcService(GrpcService),
    /// By HTTP.
    HttpService(HttpService),
}

/// `envoy.config.trace.v3.ZipkinConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZipkinTracer {
    /// Where spans are sent.
    #[serde(flatten)]
    pub collector: ZipkinCollector,
    /// `HTTP_JSON`
    pub collector_endpoint_version: &'static str,
    /// Names of traces have 128 bits.
    pub trace_id_128bit: bool,
    /// Both ends of a connection share one span.
    pub shared_span_context: bool,
    /// `USE_B3_WITH_W3C_PROPAGATION`: `traceparent` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_context_option: Option<&'static str>,
}

/// Where spans are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ZipkinCollector {
    /// The old form, without a timeout and headers.
    Cluster {
        /// The cluster.
        collector_cluster: String,
        /// The path.
        collector_endpoint: String,
        /// The host.
        collector_hostname: String,
    },
    /// The new form.
    Service {
        /// Where.
        collector_service: HttpService,
    },
}
