//! `buildGatewayConnectionManager` and the HTTP filters of a gateway.

use serde_json::{Value, json};

use super::super::generate::{ISSUER, KEYS};

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
            jwt_authn(),
            filter("fault", "fault.v3.HTTPFault"),
            filter("cors", "cors.v3.Cors"),
            filter("router", "router.v3.Router"),
        ],
        "route_config": {
            "name": format!("http.{port}"),
            "validate_clusters": false,
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

/// `PolicyApplier.JwtFilter` for the one RequestAuthentication.
fn jwt_authn() -> Value {
    let provider = json!({
        "issuer": ISSUER,
        "local_jwks": {"inline_string": KEYS},
        "forward": true,
        "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
        "clear_route_cache": true,
    });
    let requirements = json!([{"provider_name": "origins-0"}, {"allow_missing": {}}]);
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"origins-0": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": requirements}}}],
            "bypass_cors_preflight": true,
        },
    })
}
