//! What a log's lines look like.

use std::collections::BTreeMap;

use outrigger_api::types::telemetry_provider::{FileAccessLogProvider, LogFormat};
use serde_json::Value;

use crate::envoy::Any;
use crate::envoy::access_log;
use crate::envoy::any::Extension;
use crate::envoy::http::FormatString;
use crate::mesh_config::{AccessLogEncoding, MeshConfig};
use crate::render::decision::{PARTS, operator, with_fault_flags};

/// Istio's default line, operator by operator, up to what the filters have decided.
const TEXT: &str = concat!(
    "[%START_TIME%] ",
    "\"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" ",
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% ",
    "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" ",
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ",
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" ",
    "\"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ",
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%",
);

/// Istio's default keys of JSON.
const JSON: &[(&str, &str)] = &[
    ("start_time", "%START_TIME%"),
    ("route_name", "%ROUTE_NAME%"),
    ("method", "%REQ(:METHOD)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
    ("protocol", "%PROTOCOL%"),
    ("response_code", "%RESPONSE_CODE%"),
    ("response_flags", "%RESPONSE_FLAGS%"),
    ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
    ("bytes_received", "%BYTES_RECEIVED%"),
    ("bytes_sent", "%BYTES_SENT%"),
    ("duration", "%DURATION%"),
    ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
    ("user_agent", "%REQ(USER-AGENT)%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"),
    ("authority", "%REQ(:AUTHORITY)%"),
    ("upstream_host", "%UPSTREAM_HOST%"),
    ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
    ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
    ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
    ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
];

/// As `accessLogFormat` and `accessLogEncoding` say.
pub(super) fn of_mesh(mesh: &MeshConfig) -> access_log::LogFormat {
    with_formatters(by_mesh(mesh), false)
}

fn by_mesh(mesh: &MeshConfig) -> FormatString {
    match (mesh.access_log_encoding, mesh.access_log_format.as_deref()) {
        (AccessLogEncoding::Text, format) => FormatString::text(line(format)),
        // The mesh configuration has refused a format that is no JSON object before.
        (AccessLogEncoding::Json, format) => {
            json(format.and_then(|format| serde_json::from_str(format).ok()).unwrap_or_default())
        }
    }
}

/// As a provider says. Istio's own provider says nothing, and does as the mesh does.
pub(super) fn of_provider(
    provider: &FileAccessLogProvider,
    built_in: bool,
    mesh: &MeshConfig,
) -> access_log::LogFormat {
    let format = match &provider.format {
        None if built_in && !provider.omit_empty_values => by_mesh(mesh),
        None => FormatString::text(line(None)),
        Some(LogFormat::Text(text)) => FormatString::text(line(Some(text))),
        Some(LogFormat::Labels(labels)) => json(labels.clone()),
    };
    with_formatters(format, provider.omit_empty_values)
}

fn with_formatters(format: FormatString, omit_empty_values: bool) -> access_log::LogFormat {
    let formatters = match &format {
        FormatString::TextFormatSource(text) => formatters([text.inline_string.as_str()]),
        FormatString::JsonFormat(keys) => {
            let texts: Vec<_> = keys.values().map(Value::to_string).collect();
            formatters(texts.iter().map(String::as_str))
        }
    };
    access_log::LogFormat { format, omit_empty_values, formatters }
}

/// Those of the operators in `texts` that Envoy knows only if it is told to.
pub(super) fn formatters<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Extension> {
    let without_query = texts.into_iter().any(|text| text.contains("%REQ_WITHOUT_QUERY("));
    let formatter = || Extension::new("envoy.formatter.req_without_query", Any::ReqWithoutQuery {});
    without_query.then(formatter).into_iter().collect()
}

/// A line that ends, whether the format does or not. `None`: Istio's default, and what the filters have decided.
pub(super) fn line(format: Option<&str>) -> String {
    let default = || {
        let decided: String = PARTS.iter().map(|(_, state)| format!(" \"{}\"", operator(state))).collect();
        format!("{TEXT}{decided}")
    };
    let mut line = with_fault_flags(&format.map_or_else(default, str::to_owned));
    if !line.ends_with('\n') {
        line.push('\n');
    }
    line
}

/// An object. Empty: Istio's default, and what the filters have decided.
fn json(mut keys: BTreeMap<String, Value>) -> FormatString {
    if keys.is_empty() {
        let decided = PARTS.iter().map(|(key, state)| ((*key).to_owned(), operator(state)));
        let istio = JSON.iter().map(|(key, operator)| ((*key).to_owned(), (*operator).to_owned()));
        keys = istio.chain(decided).map(|(key, operator)| (key, Value::from(operator))).collect();
    }
    keys.values_mut().for_each(with_fault_flags_inside);
    FormatString::JsonFormat(keys)
}

fn with_fault_flags_inside(value: &mut Value) {
    match value {
        Value::String(text) => *text = with_fault_flags(text),
        Value::Array(values) => values.iter_mut().for_each(with_fault_flags_inside),
        Value::Object(fields) => fields.values_mut().for_each(with_fault_flags_inside),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_once() {
        for format in [None, Some("%DURATION%"), Some("x\n")] {
            let line = line(format);
            assert!(line.ends_with('\n') && !line.ends_with("\n\n"), "{line:?}");
        }
    }

    #[test]
    fn the_flags_of_faults_are_printed_too() {
        for (encoding, format) in [
            (AccessLogEncoding::Text, None),
            (AccessLogEncoding::Text, Some("%RESPONSE_FLAGS%")),
            (AccessLogEncoding::Json, None),
            (AccessLogEncoding::Json, Some(r#"{"a": {"b": ["%RESPONSE_FLAGS%"]}}"#)),
        ] {
            let mut mesh = MeshConfig { access_log_encoding: encoding, ..MeshConfig::default() };
            mesh.access_log_format = format.map(str::to_owned);
            let text = serde_json::to_string(&of_mesh(&mesh)).unwrap();
            assert!(text.contains("wasm.outrigger.flags") && !text.contains("%RESPONSE_FLAGS%"), "{text}");
        }
    }

    #[test]
    fn json_has_istios_keys_or_the_users() {
        let mut mesh = MeshConfig { access_log_encoding: AccessLogEncoding::Json, ..MeshConfig::default() };
        let keys = |mesh: &MeshConfig| match by_mesh(mesh) {
            FormatString::JsonFormat(keys) => keys.len(),
            FormatString::TextFormatSource(_) => 0,
        };
        assert_eq!(keys(&mesh), JSON.len() + PARTS.len());
        mesh.access_log_format = Some(r#"{"status": "%RESPONSE_CODE%"}"#.to_owned());
        assert_eq!(keys(&mesh), 1);
    }

    #[test]
    fn istios_provider_does_as_the_mesh_does_unless_it_says_something() {
        let mesh = MeshConfig { access_log_format: Some("mesh".to_owned()), ..MeshConfig::default() };
        let text = |format: Option<LogFormat>, built_in, omit_empty_values| {
            let path = "/dev/stdout".to_owned();
            let provider = FileAccessLogProvider { path, format, omit_empty_values };
            match of_provider(&provider, built_in, &mesh).format {
                FormatString::TextFormatSource(text) => text.inline_string,
                FormatString::JsonFormat(keys) => serde_json::to_string(&keys).unwrap(),
            }
        };
        let own = || Some(LogFormat::Text("own".to_owned()));
        assert_eq!(text(None, true, false), "mesh\n");
        assert_eq!(text(None, true, true), line(None));
        assert_eq!(text(None, false, false), line(None));
        assert_eq!(text(own(), true, false), "own\n");
        assert!(text(Some(LogFormat::Labels(BTreeMap::new())), false, false).contains("authz_dry_run"));
    }
}
