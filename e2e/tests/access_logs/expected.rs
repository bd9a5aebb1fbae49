//! Comparing lines whole, where a part of them is another each time.

use serde_json::{Map, Value};

/// The keys of Istio's JSON in the order of its text, and what the filters add.
pub(crate) const KEYS: [&str; 29] = [
    "start_time",
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "response_code_details",
    "connection_termination_details",
    "upstream_transport_failure_reason",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
    "route",
    "fault",
    "jwt",
    "authz",
    "authz_dry_run",
];

/// Stands for any value but none.
pub(crate) const ANY: &str = "*";

/// The values of a line of text: what is parted by blanks, quotes and the brackets in front kept together; the request's line in three.
pub(crate) fn of_text(line: &str) -> Vec<String> {
    let (mut values, mut value, mut close) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (close, letter) {
            (None, '"') => close = Some('"'),
            (None, '[') if values.is_empty() => close = Some(']'),
            (Some(end), letter) if end == letter => close = None,
            (None, ' ') => values.push(std::mem::take(&mut value)),
            (_, letter) => value.push(letter),
        }
    }
    values.push(value);
    let request = values.remove(1);
    for (at, part) in request.split(' ').enumerate() {
        values.insert(1 + at, part.to_owned());
    }
    values
}

/// The same of a line of JSON.
pub(crate) fn of_json(line: &str) -> Vec<String> {
    let object: Map<String, Value> = serde_json::from_str(line).unwrap();
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    let mut wanted = KEYS.to_vec();
    keys.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    KEYS.iter().map(|key| text(&object[*key])).collect()
}

/// Fails with all that is unlike.
pub(crate) fn compare(values: &[String], expected: &[String], line: &str) {
    assert_eq!(values.len(), KEYS.len(), "{line}");
    let unlike: Vec<_> = KEYS
        .iter()
        .zip(values.iter().zip(expected))
        .filter(|(_, (found, wanted))| match wanted.as_str() {
            ANY => found.is_empty() || *found == "-",
            wanted => *found != wanted,
        })
        .collect();
    assert!(unlike.is_empty(), "key, found, expected: {unlike:#?}\n{line}");
}
