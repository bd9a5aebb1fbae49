//! Access logs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::any::Extension;
use super::grpc::GrpcService;
use super::http::FormatString;
use super::scalars::is_default;
use super::tracing::CustomTag;

/// `envoy.config.accesslog.v3.AccessLog`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessLog {
    /// Which of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<AccessLogFilter>,
    /// The log.
    #[serde(flatten)]
    pub log: Extension,
}

/// `AccessLogFilter`: which requests and connections are logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLogFilter {
    /// As an extension says.
    ExtensionFilter(Box<Extension>),
}

/// `envoy.extensions.access_loggers.file.v3.FileAccessLog`: a line a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileAccessLog {
    /// The file.
    pub path: String,
    /// A line.
    pub log_format: LogFormat,
}

/// `envoy.config.core.v3.SubstitutionFormatString` of a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogFormat {
    /// What is written.
    #[serde(flatten)]
    pub format: FormatString,
    /// What is not known is left out.
    #[serde(skip_serializing_if = "is_default")]
    pub omit_empty_values: bool,
    /// Operators that Envoy knows only if it is told to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formatters: Vec<Extension>,
}

/// `CommonGrpcAccessLogConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommonGrpcLog {
    /// Its name.
    pub log_name: String,
    /// Where it goes.
    pub grpc_service: GrpcService,
    /// `V3`
    pub transport_api_version: &'static str,
    /// Filter state that goes with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter_state_objects_to_log: Vec<String>,
    /// Further values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_tags: Vec<CustomTag>,
}

/// `HttpGrpcAccessLogConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpGrpcLog {
    /// What connections have too.
    pub common_config: CommonGrpcLog,
    /// Headers of requests that are logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_request_headers_to_log: Vec<String>,
    /// Headers of responses that are logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_response_headers_to_log: Vec<String>,
    /// Trailers of responses that are logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_response_trailers_to_log: Vec<String>,
}

/// `OpenTelemetryAccessLogConfig`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenTelemetryLog {
    /// Its name.
    pub log_name: String,
    /// Where it goes.
    pub grpc_service: GrpcService,
    /// Names that Envoy would tell of itself are left out.
    pub disable_builtin_labels: bool,
    /// The text.
    pub body: AnyValue,
    /// Attributes.
    #[serde(skip_serializing_if = "is_default")]
    pub attributes: KeyValues,
    /// Further attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_tags: Vec<CustomTag>,
    /// Operators that Envoy knows only if it is told to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formatters: Vec<Extension>,
}

/// `opentelemetry.proto.common.v1.AnyValue`, of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnyValue {
    /// The text, with Envoy's operators.
    pub string_value: String,
}

/// `opentelemetry.proto.common.v1.KeyValueList`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct KeyValues {
    /// In order.
    pub values: Vec<KeyValue>,
}

/// `opentelemetry.proto.common.v1.KeyValue`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyValue {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: AnyValue,
}

impl FromIterator<(String, String)> for KeyValues {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let pairs: BTreeMap<_, _> = pairs.into_iter().collect();
        let value = |string_value| AnyValue { string_value };
        Self { values: pairs.into_iter().map(|(key, text)| KeyValue { key, value: value(text) }).collect() }
    }
}

impl AccessLog {
    /// A log of everything.
    pub fn new(log: Extension) -> Self {
        Self { filter: None, log }
    }
}
