//! MeshConfig's `extensionProviders` that Telemetries name: where logs and traces go.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::extension_provider::ServiceName;

/// A place for logs, traces or metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryProvider {
    /// `name`
    pub name: String,
    /// What it is.
    pub kind: TelemetryProviderKind,
}

/// The kinds of such places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelemetryProviderKind {
    /// `envoyFileAccessLog`
    FileAccessLog(FileAccessLogProvider),
    /// `envoyOtelAls`: logs by OTLP.
    OtelAls(OtelAls),
    /// `envoyHttpAls`: logs by Envoy's own service, of requests.
    HttpAls(GrpcAls),
    /// `envoyTcpAls`: the same, of connections.
    TcpAls(GrpcAls),
    /// `opentelemetry`: traces by OTLP.
    OpenTelemetry(OpenTelemetry),
    /// `zipkin`: traces by Zipkin's API.
    Zipkin(Zipkin),
    /// `prometheus`: metrics.
    Prometheus,
    /// A kind that is not carried out.
    Other(&'static str),
}

/// A server and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// `service`
    pub service: ServiceName,
    /// `port`
    pub port: u16,
}

/// `envoyFileAccessLog`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAccessLogProvider {
    /// `path`; `/dev/stdout` if left out.
    pub path: String,
    /// `logFormat`. `None`: Istio's default.
    pub format: Option<LogFormat>,
    /// `omitEmptyValues`: what is not known is left out, where a `-` would stand.
    pub omit_empty_values: bool,
}

/// What a line of a file looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`
    Text(String),
    /// `labels`: an object of JSON; if empty Istio's default one.
    Labels(BTreeMap<String, Value>),
}

/// `envoyOtelAls`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtelAls {
    /// Where.
    pub collector: Collector,
    /// `logName`; `otel_envoy_accesslog` if left out.
    pub log_name: Option<String>,
    /// `logFormat.text`: the body. `None`: Istio's default line.
    pub text: Option<String>,
    /// `logFormat.labels`: attributes.
    pub labels: BTreeMap<String, Value>,
}

/// `envoyHttpAls`, `envoyTcpAls`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcAls {
    /// Where.
    pub collector: Collector,
    /// `logName`
    pub log_name: Option<String>,
    /// `filterStateObjectsToLog`
    pub filter_state: Vec<String>,
    /// `additionalRequestHeadersToLog`
    pub request_headers: Vec<String>,
    /// `additionalResponseHeadersToLog`
    pub response_headers: Vec<String>,
    /// `additionalResponseTrailersToLog`
    pub response_trailers: Vec<String>,
}

/// `opentelemetry`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTelemetry {
    /// Where.
    pub collector: Collector,
    /// `maxTagLength`; 0: Envoy's default.
    pub max_tag_length: u32,
    /// How.
    pub exporter: OtlpExporter,
    /// `resourceDetectors`
    pub detectors: ResourceDetectors,
}

/// How spans are sent by OTLP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtlpExporter {
    /// By gRPC.
    Grpc {
        /// Of a call. `None`: no limit.
        timeout: Option<Duration>,
        /// `initialMetadata`
        metadata: Vec<ProviderHeader>,
    },
    /// `http`
    Http(HttpExporter),
}

/// How something is sent by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpExporter {
    /// `path`
    pub path: String,
    /// `timeout` of an answer. `None`: none.
    pub timeout: Option<Duration>,
    /// `headers`
    pub headers: Vec<ProviderHeader>,
}

/// A header that is sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderHeader {
    /// `name`
    pub name: String,
    /// Its value.
    pub value: HeaderSource,
}

/// Where the value of a header comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// `value`
    Value(String),
    /// `envName`: an environment variable.
    Environment(String),
}

/// What tells a collector more of this proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceDetectors {
    /// `environment`: `OTEL_RESOURCE_ATTRIBUTES`.
    pub environment: bool,
    /// `dynatrace`: Dynatrace's files.
    pub dynatrace: bool,
}

/// `zipkin`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zipkin {
    /// Where.
    pub collector: Collector,
    /// `maxTagLength`; 0: Envoy's default.
    pub max_tag_length: u32,
    /// `path`; `/api/v2/spans` if left out.
    pub path: String,
    /// `enable64bitTraceId`: shorter names of traces, where 128 bits are the default.
    pub short_ids: bool,
    /// `traceContextOption: USE_B3_WITH_W3C_PROPAGATION`: `traceparent` beside B3's headers.
    pub w3c: bool,
    /// `timeout` of an answer. `None`: Envoy's default.
    pub timeout: Option<Duration>,
    /// `headers`
    pub headers: Vec<ProviderHeader>,
}

impl FileAccessLogProvider {
    /// Where a file log goes if nothing says where.
    pub const STDOUT: &'static str = "/dev/stdout";
}

impl Zipkin {
    /// The path if nothing says another.
    pub const PATH: &'static str = "/api/v2/spans";

    /// Istio's defaults for a collector.
    pub fn at(collector: Collector) -> Self {
        Self {
            collector,
            max_tag_length: 0,
            path: Self::PATH.to_owned(),
            short_ids: false,
            w3c: false,
            timeout: None,
            headers: Vec::new(),
        }
    }
}

impl TelemetryProviderKind {
    /// The field of MeshConfig.
    pub fn field(&self) -> &'static str {
        match self {
            Self::FileAccessLog(_) => "envoyFileAccessLog",
            Self::OtelAls(_) => "envoyOtelAls",
            Self::HttpAls(_) => "envoyHttpAls",
            Self::TcpAls(_) => "envoyTcpAls",
            Self::OpenTelemetry(_) => "opentelemetry",
            Self::Zipkin(_) => "zipkin",
            Self::Prometheus => "prometheus",
            Self::Other(field) => field,
        }
    }

    /// Whether it takes logs.
    pub fn takes_logs(&self) -> bool {
        matches!(self, Self::FileAccessLog(_) | Self::OtelAls(_) | Self::HttpAls(_) | Self::TcpAls(_))
    }

    /// Whether it takes traces.
    pub fn takes_traces(&self) -> bool {
        matches!(self, Self::OpenTelemetry(_) | Self::Zipkin(_))
    }

    /// The server that it is, if any.
    pub fn collector(&self) -> Option<&Collector> {
        match self {
            Self::OtelAls(als) => Some(&als.collector),
            Self::HttpAls(als) | Self::TcpAls(als) => Some(&als.collector),
            Self::OpenTelemetry(otel) => Some(&otel.collector),
            Self::Zipkin(zipkin) => Some(&zipkin.collector),
            Self::FileAccessLog(_) | Self::Prometheus | Self::Other(_) => None,
        }
    }
}
