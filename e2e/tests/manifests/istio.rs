//! WasmPlugins as istiod and its agent hand them over, and EnvoyFilters as istiod applies them.

use outrigger_e2e::services::Processes;
use serde_json::{Value, json};

use super::documents::{modules, render};
use super::envoy::{Envoy, Parts, cluster};
use super::web::Server;
use super::{FAULT, KEYS, decides, policies, token};

/// The filter that istiod makes of a WasmPlugin: `PluginConfig` by its fields, and the configuration as compact JSON.
fn filter(plugin: &Value) -> Value {
    let (metadata, spec) = (&plugin["metadata"], &plugin["spec"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let failure_policy = match spec["failStrategy"].as_str() {
        Some("FAIL_CLOSE") => "FAIL_CLOSED",
        Some("FAIL_RELOAD") => "FAIL_RELOAD",
        other => panic!("{other:?}"),
    };
    // The agent has put the file where a `file` URL is from the start.
    let file = text(&spec["url"]).strip_prefix("file://").unwrap().to_owned();
    let name = format!("{}.{}", text(&metadata["namespace"]), text(&metadata["name"]));
    json!({
        "name": format!("extensions.istio.io/trafficextension/{name}"),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "root_id": spec["pluginName"],
                "failure_policy": failure_policy,
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": file}},
                    "environment_variables": {"key_values": {}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": spec["pluginConfig"].to_string(),
                },
            },
        },
    })
}

/// Where istiod puts plugins: by phase, and within one by priority.
fn place(plugin: &Value) -> (usize, i64) {
    let phase = plugin["spec"]["phase"].as_str();
    let phases = [Some("AUTHN"), Some("AUTHZ"), Some("STATS"), None];
    let place = phases.iter().position(|known| *known == phase).unwrap();
    (place, -plugin["spec"]["priority"].as_i64().unwrap())
}

/// The proxy as istiod makes it of these documents.
fn configured(documents: &[Value]) -> Parts {
    let of = |kind: &'static str| documents.iter().filter(move |document| document["kind"] == kind);
    let mut plugins: Vec<_> = of("WasmPlugin").collect();
    plugins.sort_by_key(|plugin| place(plugin));
    let mut parts = Parts { filters: plugins.into_iter().map(filter).collect(), ..Parts::default() };
    for patch in of("EnvoyFilter").flat_map(|object| object["spec"]["configPatches"].as_array().unwrap()) {
        let value = patch["patch"]["value"].clone();
        match (patch["applyTo"].as_str().unwrap(), patch["patch"]["operation"].as_str().unwrap()) {
            ("CLUSTER", "ADD") => parts.clusters.push(value),
            ("HTTP_FILTER", "INSERT_FIRST") => parts.filters.insert(0, value),
            ("HTTP_ROUTE", "INSERT_FIRST") => parts.routes.insert(0, value),
            other => panic!("{other:?}"),
        }
    }
    // As the annotation `bootstrapOverride` has a proxy do it.
    for object in of("ConfigMap") {
        parts.bootstrap =
            serde_json::from_str(object["data"]["custom_bootstrap.json"].as_str().unwrap()).unwrap();
    }
    parts
}

/// For istiod with `file` URLs, whose module is there already.
fn url() -> String {
    format!("file://{}/{{file}}", modules())
}

#[test]
fn three_plugins_decide_in_istios_order() {
    let resources = policies() + "---\n" + FAULT;
    let flags = ["--to", "wasmplugin", "--namespace", "shop", "--url", &url()];
    let documents = render(&resources, &flags);
    assert_eq!(documents.len(), 3, "{documents:?}");
    decides(&Envoy::start(configured(&documents)));
}

#[test]
fn the_suite_beside_a_workload_decides_in_one_plugin() {
    let flags = ["--to", "wasmplugin", "--role", "sidecar", "--selector", "app=cart", "--namespace", "shop"];
    let url = url();
    let flags = [&flags[..], &["--modules", "suite", "--url", &url]].concat();
    let envoy = Envoy::start(configured(&render(&policies(), &flags)));
    let ann = format!("Bearer {}", token("ann"));
    assert_eq!(envoy.get("/", &[("authorization", &ann)]).status, Some(200));
    assert_eq!(envoy.get("/admin", &[("authorization", &ann)]).status, Some(403));
    assert_eq!(envoy.get("/", &[("authorization", "Bearer a.b.c")]).status, Some(401));
    // The ConfigMap that came with it makes labels.
    let metrics = envoy.metrics();
    let counted =
        |line: &&str| line.starts_with("istio_requests_total{") && line.contains("response_code=\"403\"");
    assert!(
        metrics.lines().any(|line| counted(&line) && line.contains("reporter=\"destination\"")),
        "{metrics}"
    );
}

#[test]
fn keys_are_fetched_through_the_cluster_of_the_envoy_filter() {
    let server = Server::start(KEYS.as_bytes().to_vec());
    let resources = policies().replace(
        &format!("jwks: {}", serde_json::to_string(KEYS).unwrap()),
        &format!("jwksUri: 'http://127.0.0.1:{}/keys'", server.port),
    );
    assert!(resources.contains("jwksUri"), "{resources}");
    let flags = ["--to", "wasmplugin", "--namespace", "shop", "--url", &url()];
    let envoy = Envoy::start(configured(&render(&resources, &flags)));
    let ann = format!("Bearer {}", token("ann"));
    assert_eq!(envoy.get("/", &[("authorization", &ann)]).status, Some(200));
    assert_eq!(envoy.get("/", &[("authorization", "Bearer a.b.c")]).status, Some(401));
}

#[test]
fn no_header_makes_another_peer_of_a_client() {
    let known = |block: &str| {
        let resources = format!(
            "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: known, namespace: shop}}
spec: {{action: DENY, rules: [{{from: [{{source: {{notIpBlocks: [{block}]}}}}]}}]}}
"
        );
        let flags =
            ["--to", "wasmplugin", "--role", "sidecar", "--selector", "app=cart", "--namespace", "shop"];
        configured(&render(&resources, &[&flags[..], &["--url", &url()]].concat()))
    };
    // A sidecar believes `x-forwarded-for`: what it says is the client's address to everybody but this filter.
    let forged = [("x-forwarded-for", "10.0.0.1")];
    assert_eq!(Envoy::start(known("10.0.0.0/8")).get("/", &forged).status, Some(403));
    assert_eq!(Envoy::start(known("127.0.0.0/8")).get("/", &forged).status, Some(200));
    let mut without = known("127.0.0.0/8");
    without.filters.remove(0);
    assert_eq!(Envoy::start(without).get("/", &forged).status, Some(403), "what the EnvoyFilter is for");
}

#[test]
fn the_router_sends_requests_to_istiods_clusters() {
    let services = Processes::start().unwrap();
    let resources = FAULT.replace("{host: shop}", "{host: httpbin, port: {number: 8000}}");
    let flags = ["--to", "wasmplugin", "--namespace", "shop", "--modules", "router", "--url", &url()];
    let mut parts = configured(&render(&resources, &flags));
    // As istiod names it, and as the router does.
    let name = "outbound|8000||httpbin.shop.svc.cluster.local";
    parts.clusters.push(cluster(name, services.port("httpbin", "v1").unwrap()));
    parts.clusters.push(cluster("secret", 1));
    let envoy = Envoy::start(parts);
    let seen = envoy.get("/get", &[("x-outrigger-cluster", "secret")]);
    assert_eq!((seen.status, seen.forward.is_some()), (Some(200), true), "{seen:?}");
    assert!(!seen.request_headers.unwrap().contains_key("x-outrigger-cluster"));
}
