//! The bootstraps of the two Envoys.

use serde_json::{Value, json};

use super::envoy::address;
use super::listener::Listener;
use super::ours::Ours;
use super::plain;

/// What every answer of the upstream carries.
const BODY: &str = r#"{"order": 4711, "state": "shipped", "lines": [{"article": "oar", "count": 2}, {"article": "float", "count": 1}]}"#;
/// As seldom as Envoy allows: flushing statistics is no part of a request's cost.
const FLUSH: &str = "299s";

/// The Envoy that is measured. Of what is rendered it has the feature flags and the names of statistics.
pub(super) fn measured<'m>(
    listeners: impl IntoIterator<Item = &'m Listener>,
    clusters: impl IntoIterator<Item = &'m Value>,
    ours: &Ours,
) -> Value {
    let listeners: Vec<_> = listeners.into_iter().map(|listener| &listener.config).collect();
    let clusters: Vec<_> =
        clusters.into_iter().flat_map(|cluster| [cluster.clone(), plain::cluster(cluster)]).collect();
    json!({
        // The listeners have all that `outrigger` renders, which its filters need not look for.
        "node": {"id": "bench", "cluster": "bench", "metadata": {"OUTRIGGER_VERSION": env!("CARGO_PKG_VERSION")}},
        "layered_runtime": ours.runtime,
        "stats_config": ours.stats,
        "stats_flush_interval": FLUSH,
        "static_resources": {"listeners": listeners, "clusters": clusters},
    })
}

/// The upstream: two versions of a service that always answer the same, and say what they were asked for.
pub(super) fn upstream(ports: [u16; 2]) -> Value {
    upstream_with(ports, Vec::new(), Vec::new())
}

/// The same with further listeners and clusters.
pub(super) fn upstream_with(ports: [u16; 2], mut listeners: Vec<Value>, clusters: Vec<Value>) -> Value {
    let [v1, v2] = ports;
    listeners.extend([version("v1", v1), version("v2", v2)]);
    json!({
        "node": {"id": "upstream", "cluster": "bench"},
        "stats_flush_interval": FLUSH,
        "static_resources": {"listeners": listeners, "clusters": clusters},
    })
}

fn version(name: &str, port: u16) -> Value {
    let header = |name, value| json!({"header": {"key": name, "value": value}});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
        "route_config": {
            "virtual_hosts": [{
                "name": "any",
                "domains": ["*"],
                "routes": [{
                    "match": {"prefix": "/"},
                    "direct_response": {"status": 200, "body": {"inline_string": BODY}},
                    "response_headers_to_add": [header("x-served-by", name), header("x-seen-path", "%REQ(:PATH)%")],
                }],
            }],
        },
    });
    json!({
        "name": name,
        "address": address(port),
        "filter_chains": [{
            "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
        }],
    })
}
