//! `buildGatewayConnectionManager` and the HTTP filters of a gateway.

use serde_json::{Value, json};

/// A listener on `real` for a Gateway's `port`.
pub(in super::super) fn listener(port: u16, real: u16, virtual_hosts: Vec<Value>) -> Value {
    let filter = |name: &str, kind: &str| {
        let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}");
        json!({"name": format!("envoy.filters.http.{name}"), "typed_config": {"@type": kind}})
    };
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": format!("native_{port}"),
        "use_remote_address": true,
        "normalize_path": true,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [
            filter("fault", "fault.v3.HTTPFault"),
            filter("cors", "cors.v3.Cors"),
            filter("router", "router.v3.Router"),
        ],
        "route_config": {
            "name": format!("http.{port}"),
            "virtual_hosts": virtual_hosts,
            "validate_clusters": false,
            "ignore_port_in_host_matching": true,
            "max_direct_response_body_size_bytes": 1_048_576,
        },
    });
    json!({
        "name": format!("native_{port}"),
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": real}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }]}],
    })
}
