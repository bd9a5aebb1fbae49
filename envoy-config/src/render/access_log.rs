//! The access log that the mesh configuration asks for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::http::{FileAccessLog, FormatString};
use crate::mesh_config::{AccessLogEncoding, MeshConfig};

/// Istio's default line, operator by operator, and what authorization policies have decided.
const TEXT: &str = concat!(
    "[%START_TIME%] ",
    "\"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" ",
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% ",
    "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" ",
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ",
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" ",
    "\"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ",
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME% ",
    "\"%FILTER_STATE(wasm.outrigger.authz:PLAIN)%\" \"%FILTER_STATE(wasm.outrigger.authz_dry_run:PLAIN)%\"\n",
);

/// Istio's default keys with `accessLogEncoding: JSON`, and the same.
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
    ("authz", "%FILTER_STATE(wasm.outrigger.authz:PLAIN)%"),
    ("authz_dry_run", "%FILTER_STATE(wasm.outrigger.authz_dry_run:PLAIN)%"),
];

/// Whether there is a log.
pub(super) fn is_kept(mesh: &MeshConfig) -> bool {
    mesh.access_log_file.as_ref().is_some_and(|path| !path.is_empty())
}

/// One logger, or none if the mesh configuration names no file.
pub(super) fn loggers(mesh: &MeshConfig) -> Vec<Extension> {
    let Some(path) = mesh.access_log_file.clone().filter(|_| is_kept(mesh)) else { return Vec::new() };
    let log = FileAccessLog { path, log_format: format(mesh) };
    vec![Extension::new("envoy.access_loggers.file", Any::FileAccessLog(log))]
}

/// `%RESPONSE_FLAGS%` with `DI` and `FI`, which a filter can't set in Envoy: it leaves them, with all others, in filter
/// state.
const FLAGS: &str = concat!(
    r#"%COALESCE({"operators":[{"command":"FILTER_STATE","param":"wasm.outrigger.flags:PLAIN"},"#,
    r#""RESPONSE_FLAGS"]})%"#
);

fn format(mesh: &MeshConfig) -> FormatString {
    match as_written(mesh) {
        FormatString::TextFormatSource(text) => FormatString::text(with_fault_flags(&text.inline_string)),
        FormatString::JsonFormat(mut keys) => {
            keys.values_mut().for_each(with_fault_flags_inside);
            FormatString::JsonFormat(keys)
        }
    }
}

fn with_fault_flags(format: &str) -> String {
    format.replace("%RESPONSE_FLAGS%", FLAGS)
}

fn with_fault_flags_inside(value: &mut Value) {
    match value {
        Value::String(text) => *text = with_fault_flags(text),
        Value::Array(values) => values.iter_mut().for_each(with_fault_flags_inside),
        Value::Object(fields) => fields.values_mut().for_each(with_fault_flags_inside),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn as_written(mesh: &MeshConfig) -> FormatString {
    match (mesh.access_log_encoding, mesh.access_log_format.as_deref()) {
        (AccessLogEncoding::Text, None) => FormatString::text(TEXT),
        // Istio ends every line, whether the format does or not.
        (AccessLogEncoding::Text, Some(format)) if format.ends_with('\n') => FormatString::text(format),
        (AccessLogEncoding::Text, Some(format)) => FormatString::text(format!("{format}\n")),
        // The mesh configuration has refused a format that is no JSON object before.
        (AccessLogEncoding::Json, format) => FormatString::JsonFormat(
            format.and_then(|format| serde_json::from_str(format).ok()).unwrap_or_else(default_keys),
        ),
    }
}

fn default_keys() -> BTreeMap<String, Value> {
    JSON.iter().map(|(key, operator)| ((*key).to_owned(), Value::from(*operator))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_log_unless_a_file_is_named() {
        assert!(loggers(&MeshConfig::default()).is_empty());
        let mesh = MeshConfig { access_log_file: Some("/dev/stdout".to_owned()), ..MeshConfig::default() };
        assert_eq!(loggers(&mesh).len(), 1);
    }

    #[test]
    fn every_line_ends() {
        for format in [None, Some("%DURATION%".to_owned()), Some("x\n".to_owned())] {
            let mesh = MeshConfig { access_log_format: format, ..MeshConfig::default() };
            let FormatString::TextFormatSource(text) = super::format(&mesh) else { panic!("not text") };
            assert!(text.inline_string.ends_with('\n') && !text.inline_string.ends_with("\n\n"));
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
            let text = serde_json::to_string(&super::format(&mesh)).unwrap();
            assert!(text.contains("wasm.outrigger.flags") && !text.contains("%RESPONSE_FLAGS%"), "{text}");
        }
    }

    #[test]
    fn json_has_istios_keys_or_the_users() {
        let mut mesh = MeshConfig { access_log_encoding: AccessLogEncoding::Json, ..MeshConfig::default() };
        let keys = |mesh: &MeshConfig| match super::format(mesh) {
            FormatString::JsonFormat(keys) => keys.len(),
            FormatString::TextFormatSource(_) => 0,
        };
        assert_eq!(keys(&mesh), 26);
        mesh.access_log_format = Some(r#"{"status": "%RESPONSE_CODE%"}"#.to_owned());
        assert_eq!(keys(&mesh), 1);
    }
}
