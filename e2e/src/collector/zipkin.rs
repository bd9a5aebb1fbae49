//! Zipkin's spans as JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Span;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    trace_id: String,
    id: String,
    #[serde(default)]
    parent_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    local_endpoint: Endpoint,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Endpoint {
    service_name: String,
}

/// The spans of a request.
pub(super) fn spans(body: &[u8]) -> serde_json::Result<Vec<Span>> {
    let told: Vec<Told> = serde_json::from_slice(body)?;
    let span = |told: Told| Span {
        trace: told.trace_id,
        id: told.id,
        parent: told.parent_id,
        name: told.name,
        kind: match told.kind.as_str() {
            "CLIENT" => "CLIENT",
            "SERVER" => "SERVER",
            _ => "",
        },
        service: told.local_endpoint.service_name,
        tags: told.tags,
    };
    Ok(told.into_iter().map(span).collect())
}
