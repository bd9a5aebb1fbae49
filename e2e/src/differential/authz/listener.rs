//! Listeners: one shape for both sides, in which only the filters differ.

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};

use super::peers::Files;
use super::placed::Place;
use super::proxy::Proxy;
use super::told;

/// The header that tells why Envoy, or a filter, has answered itself.
const DETAILS: &str = "x-details";

/// The cluster of the upstream.
const CLUSTER: &str = "upstream";

/// A listener at `place` that takes TLS and plain text, as istiod sets one up as far as that matters here.
pub(super) fn listener(place: &Place, proxy: &Proxy, filters: Vec<Value>, files: &Files) -> Value {
    let mut addresses =
        place.addresses.iter().flat_map(|ip| place.ports.iter().map(|port| address(*ip, *port)));
    let first = addresses.next();
    let others: Vec<_> = addresses.map(|address| json!({"address": address})).collect();
    let manager = json!([{
        "name": "envoy.filters.network.http_connection_manager", "typed_config": manager(proxy, filters),
    }]);
    let chain =
        |protocol: &str| json!({"filter_chain_match": {"transport_protocol": protocol}, "filters": manager});
    let mut tls = chain("tls");
    tls["transport_socket"] = transport_socket(files);
    json!({
        "name": format!("{}:{}", place.addresses[0], place.ports[0]),
        "address": first,
        "additional_addresses": others,
        "listener_filters": [{
            "name": "envoy.filters.listener.tls_inspector",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
            },
        }],
        "filter_chains": [tls, chain("raw_buffer")],
    })
}

fn address(ip: Ipv4Addr, port: u16) -> Value {
    json!({"socket_address": {"address": ip, "port_value": port}})
}

/// A client may show a certificate of the test's authority, or none.
fn transport_socket(files: &Files) -> Value {
    let file = |path: &Path| json!({"filename": path});
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{"certificate_chain": file(&files.chain), "private_key": file(&files.key)}],
                "validation_context": {"trusted_ca": file(&files.root)},
            },
            "require_client_certificate": false,
        },
    })
}

fn manager(proxy: &Proxy, filters: Vec<Value>) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<_> = filters.into_iter().chain([router]).collect();
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": CLUSTER, "timeout": "0s"}});
    let normalization = proxy.path_normalization.as_str();
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "differential",
        "use_remote_address": proxy.is_gateway,
        "xff_num_trusted_hops": if proxy.is_gateway { proxy.trusted_hops } else { 0 },
        "normalize_path": normalization != "NONE",
        "merge_slashes": normalization.ends_with("MERGE_SLASHES"),
        "path_with_escaped_slashes_action": match normalization {
            "DECODE_AND_MERGE_SLASHES" => "UNESCAPE_AND_FORWARD",
            _ => "KEEP_UNCHANGED",
        },
        "stream_idle_timeout": "0s",
        "common_http_protocol_options": {"headers_with_underscores_action": "ALLOW"},
        "http_filters": filters,
        "local_reply_config": {"mappers": [{
            "filter": {"status_code_filter": {
                "comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "differential.least_status"}},
            }},
            "headers_to_add": [{"header": {"key": DETAILS, "value": "%RESPONSE_CODE_DETAILS%"}}],
        }]},
        "route_config": {
            "response_headers_to_add": told::headers(),
            "virtual_hosts": [{"name": "any", "domains": ["*"], "routes": [route]}],
        },
    })
}

/// The cluster of the upstream at `port`.
pub(super) fn cluster(port: u16) -> Value {
    let endpoint = json!({"endpoint": {"address": address(Ipv4Addr::LOCALHOST, port)}});
    json!({
        "name": CLUSTER, "type": "STATIC", "connect_timeout": "10s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}
