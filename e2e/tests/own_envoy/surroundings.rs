//! What a filter says of the Envoy around it that `outrigger` has not written.

use outrigger_e2e::raw::{get, status_of};
use serde_json::{Value, json};

use super::envoy::{OwnEnvoy, Setup, local, wasm};

fn filter(name: &str, resources: &Value) -> Value {
    filter_of(json!({}), name, resources)
}

/// The same with more said of its proxy.
fn filter_of(mut proxy: Value, name: &str, resources: &Value) -> Value {
    proxy["role"] = json!("gateway");
    proxy["workload"] = json!("edge");
    proxy["labels"] = json!({"istio": "ingressgateway"});
    wasm(name, local(&format!("{name}.wasm")), &json!({"proxy": proxy, "resources": resources}))
}

fn policy(rule: &Value) -> Value {
    json!([{
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "policy"},
        "spec": {"action": "DENY", "rules": [rule]},
    }])
}

fn routes() -> Value {
    let port = json!({"number": 80, "name": "http", "protocol": "HTTP"});
    let destination = json!({"host": "httpbin.default.svc.cluster.local", "port": {"number": 8000}});
    json!([
        {
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge"},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": port, "hosts": ["*"]}]},
        },
        {
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "httpbin"},
            "spec": {"hosts": ["*"], "gateways": ["edge"], "http": [{"route": [{"destination": destination}]}]},
        },
    ])
}

/// How often a text stands in the log.
fn said(envoy: &OwnEnvoy, text: &str) -> usize {
    envoy.log().matches(text).count()
}

#[test]
fn virtual_services_that_serve_nobody_are_told() {
    for (name, labels, told) in [
        ("outrigger_router", "ingressgateway", 0),
        ("outrigger_router", "egressgateway", 1),
        ("outrigger_fault", "egressgateway", 1),
        ("outrigger_authz", "egressgateway", 0),
    ] {
        let proxy = json!({"role": "gateway", "workload": "edge", "labels": {"istio": labels}});
        let config = json!({"proxy": proxy, "resources": routes()});
        let envoy = OwnEnvoy::serving(&Setup::new([wasm(name, local(&format!("{name}.wasm")), &config)]));
        assert_eq!(
            said(&envoy, "no VirtualService is for this proxy"),
            told,
            "{name} {labels}: {}",
            envoy.log()
        );
    }
}

#[test]
fn each_module_says_its_version_once() {
    for (file, name) in [
        ("outrigger", "suite"),
        ("outrigger_authz", "authz"),
        ("outrigger_fault", "fault"),
        ("outrigger_jwt_authn", "jwt-authn"),
        ("outrigger_metrics", "metrics"),
        ("outrigger_router", "router"),
    ] {
        let envoy = OwnEnvoy::serving(&Setup::new([filter(file, &json!([]))]));
        let line = format!("outrigger {} ({name})", env!("CARGO_PKG_VERSION"));
        assert_eq!(said(&envoy, &line), 1, "{}", envoy.log());
        let tags = usize::from(matches!(name, "metrics" | "suite"));
        assert_eq!(said(&envoy, "`stats_tags`"), tags, "{name}: {}", envoy.log());
    }
}

#[test]
fn a_route_that_does_not_follow_the_router_is_named_with_the_line_to_add() {
    let setup = || Setup::new([filter("outrigger_router", &routes())]);
    let envoy = OwnEnvoy::serving(&setup());
    assert_eq!(envoy.status("/get", &[]), Some(200));
    envoy.wait_for_log("cluster_header: x-outrigger-cluster");
    assert_eq!(envoy.status("/get", &[]), Some(200));
    assert_eq!(said(&envoy, "went to `httpbin`"), 1, "{}", envoy.log());

    let follows = json!([{"match": {"prefix": "/"}, "route": {"cluster_header": "x-outrigger-cluster"}}]);
    let envoy = OwnEnvoy::serving(&Setup { routes: Some(follows), ..setup() });
    assert_eq!(envoy.status("/get", &[]), Some(200));
    assert_eq!(said(&envoy, "cluster_header"), 0, "{}", envoy.log());
}

#[test]
fn paths_that_nobody_normalises_are_named_with_the_lines_to_add() {
    let setup = || {
        Setup::new([filter(
            "outrigger_authz",
            &policy(&json!({"to": [{"operation": {"paths": ["/headers"]}}]})),
        )])
    };
    let hostile = get(b"/get/../headers", b"x-a", b"b");
    let envoy = OwnEnvoy::serving(&setup());
    assert_eq!(said(&envoy, "normalize_path"), 0, "{}", envoy.log());
    for _ in 0..4 {
        status_of(envoy.client.address(), &hostile).unwrap();
    }
    envoy.wait_for_log("normalize_path: true");
    assert_eq!(said(&envoy, "normalize_path"), 1, "{}", envoy.log());

    let envoy = OwnEnvoy::serving(&Setup { manager: json!({"normalize_path": true}), ..setup() });
    assert_eq!(status_of(envoy.client.address(), &hostile).unwrap(), 403);
    assert_eq!(said(&envoy, "normalize_path"), 0, "{}", envoy.log());
}

/// The filter that keeps an address for ours.
fn kept(format: &str) -> Value {
    json!({
        "name": "envoy.filters.http.set_filter_state",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [{
                "object_key": "outrigger.source_ip", "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": format}},
            }],
        },
    })
}

/// What the configuration says of the listener counts: neither what else is kept nor what a client writes.
#[test]
fn where_the_client_is_said_to_be_the_peer_its_address_is_the_one_that_counts() {
    let here = policy(&json!({"from": [{"source": {"ipBlocks": ["127.0.0.0/8"]}}]}));
    let forged = [("x-forwarded-for", "192.0.2.1")];
    for (proxy, expected) in [(json!({}), 200), (json!({"clientIsPeer": true}), 403)] {
        let filters = [kept("192.0.2.1:1"), filter_of(proxy, "outrigger_authz", &here)];
        let envoy =
            OwnEnvoy::serving(&Setup { manager: json!({"use_remote_address": true}), ..Setup::new(filters) });
        assert_eq!(envoy.status("/get", &forged), Some(expected), "{}", envoy.log());
    }
    let filters = [filter_of(json!({"clientIsPeer": true}), "outrigger_authz", &here)];
    let envoy = OwnEnvoy::serving(&Setup::new(filters));
    assert_eq!(envoy.status("/get", &[]), Some(403));
    assert_eq!(said(&envoy, "outrigger.source_ip"), 0, "{}", envoy.log());
}

#[test]
fn addresses_that_a_client_may_have_made_up_are_named_with_the_lines_to_add() {
    let source = |field: &str| policy(&json!({"from": [{"source": {field: ["192.0.2.0/24"]}}]}));
    // Not knowing lets nobody in, whatever a client says of itself.
    let envoy = OwnEnvoy::serving(&Setup::new([filter("outrigger_authz", &source("ipBlocks"))]));
    assert_eq!(envoy.status("/get", &[("x-forwarded-for", "10.0.0.1")]), Some(403));
    envoy.wait_for_log("outrigger.source_ip");
    assert_eq!(said(&envoy, "xff_num_trusted_hops"), 0, "{}", envoy.log());

    let kept = kept("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%");
    let envoy = OwnEnvoy::serving(&Setup::new([kept, filter("outrigger_authz", &source("ipBlocks"))]));
    assert_eq!(envoy.status("/get", &[]), Some(200));
    assert_eq!(said(&envoy, "outrigger.source_ip"), 0, "{}", envoy.log());

    let envoy = OwnEnvoy::serving(&Setup::new([filter("outrigger_authz", &source("remoteIpBlocks"))]));
    assert_eq!(said(&envoy, "xff_num_trusted_hops"), 1, "{}", envoy.log());
}
