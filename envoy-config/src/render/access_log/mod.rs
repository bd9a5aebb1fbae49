//! The access logs of a listener.

mod format;

use outrigger_api::types::telemetry_provider::{GrpcAls, OtelAls, TelemetryProviderKind as Provider};
use serde_json::Value;

use super::collectors::{Collectors, grpc_service};
use super::decision::{PARTS, operator, with_fault_flags};
use crate::envoy::Any;
use crate::envoy::access_log::{
    AccessLog, AccessLogFilter, AnyValue, CommonGrpcLog, FileAccessLog, HttpGrpcLog, LogFormat,
    OpenTelemetryLog,
};
use crate::envoy::any::Extension;
use crate::envoy::tracing::{CustomTag, TagSource};
use crate::mesh_config::MeshConfig;
use crate::telemetry::logging::{Log, logs};
use crate::telemetry::{Scope, providers};

/// The logs of a listener: those of its Telemetries, else the one that the mesh configuration names a file for. What
/// can't be reached logs nothing; `analyze` says so.
pub(super) fn loggers(scope: &Scope<'_>, collectors: &mut Collectors<'_>) -> Vec<AccessLog> {
    match logs(scope) {
        Some(logs) => logs.iter().filter_map(|log| logger(log, scope.mesh, collectors)).collect(),
        None => of_mesh(scope.mesh).into_iter().collect(),
    }
}

fn of_mesh(mesh: &MeshConfig) -> Option<AccessLog> {
    let path = mesh.access_log_file.clone().filter(|path| !path.is_empty())?;
    Some(AccessLog::new(file(path, format::of_mesh(mesh))))
}

fn file(path: String, log_format: LogFormat) -> Extension {
    Extension::new("envoy.access_loggers.file", Any::FileAccessLog(FileAccessLog { path, log_format }))
}

fn logger(log: &Log<'_>, mesh: &MeshConfig, collectors: &mut Collectors<'_>) -> Option<AccessLog> {
    if let Some(collector) = log.provider.collector() {
        collectors.add(collector, true)?;
    }
    let logger = match &*log.provider {
        Provider::FileAccessLog(provider) => {
            let built_in = log.name.eq_ignore_ascii_case(providers::ENVOY);
            file(provider.path.clone(), format::of_provider(provider, built_in, mesh))
        }
        Provider::OtelAls(als) => Extension::new("envoy.access_loggers.open_telemetry", by_otlp(als)),
        Provider::HttpAls(als) => {
            let log = HttpGrpcLog {
                common_config: common(als, "http_envoy_accesslog"),
                additional_request_headers_to_log: als.request_headers.clone(),
                additional_response_headers_to_log: als.response_headers.clone(),
                additional_response_trailers_to_log: als.response_trailers.clone(),
            };
            Extension::new("envoy.access_loggers.http_grpc", Any::HttpGrpcLog(Box::new(log)))
        }
        Provider::TcpAls(als) => {
            let common_config = Box::new(common(als, "tcp_envoy_accesslog"));
            Extension::new("envoy.access_loggers.tcp_grpc", Any::TcpGrpcLog { common_config })
        }
        Provider::OpenTelemetry(_) | Provider::Zipkin(_) | Provider::Prometheus | Provider::Other(_) => {
            return None;
        }
    };
    Some(AccessLog { filter: log.filter.map(filter), log: logger })
}

fn filter(expression: &str) -> AccessLogFilter {
    let cel = Any::CelFilter { expression: expression.to_owned() };
    AccessLogFilter::ExtensionFilter(Box::new(Extension::new(
        "envoy.access_loggers.extension_filters.cel",
        cel,
    )))
}

fn common(als: &GrpcAls, name: &str) -> CommonGrpcLog {
    CommonGrpcLog {
        log_name: als.log_name.clone().unwrap_or_else(|| name.to_owned()),
        grpc_service: grpc_service(&als.collector, None, Vec::new()),
        transport_api_version: "V3",
        filter_state_objects_to_log: als.filter_state.clone(),
        custom_tags: decided(),
    }
}

fn by_otlp(als: &OtelAls) -> Any {
    let text = match &als.text {
        Some(text) => with_fault_flags(text),
        None => format::line(None),
    };
    let attributes: Vec<_> = als
        .labels
        .iter()
        .map(|(key, value)| {
            let text = match value {
                Value::String(text) => with_fault_flags(text),
                other => other.to_string(),
            };
            (key.clone(), text)
        })
        .collect();
    let texts = attributes.iter().map(|(_, text)| text.as_str()).chain([text.as_str()]);
    let formatters = format::formatters(texts);
    Any::OpenTelemetryLog(Box::new(OpenTelemetryLog {
        log_name: als.log_name.clone().unwrap_or_else(|| "otel_envoy_accesslog".to_owned()),
        grpc_service: grpc_service(&als.collector, None, Vec::new()),
        disable_builtin_labels: true,
        body: AnyValue { string_value: text },
        attributes: attributes.into_iter().collect(),
        custom_tags: decided(),
        formatters,
    }))
}

/// What the filters have decided, as tags; what says nothing is left out.
pub(super) fn decided() -> Vec<CustomTag> {
    let tag = |(name, state): &(&str, &str)| CustomTag {
        tag: format!("outrigger.{name}"),
        source: TagSource::Value(operator(state)),
    };
    PARTS.iter().map(tag).collect()
}
