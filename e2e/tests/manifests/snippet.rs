//! Snippets pasted into a configuration that somebody has written by hand.

use outrigger_e2e::services::Processes;
use serde_json::Value;

use super::documents::{modules, render};
use super::envoy::{Envoy, Parts, cluster};
use super::web::Server;
use super::{FAULT, decides, policies, token};

/// Each document goes where its comment says.
fn pasted(documents: &[Value]) -> Parts {
    let mut parts = Parts::default();
    for document in documents {
        let list = |field: &str| document[field].as_array().cloned().unwrap_or_default();
        if document.get("http_filters").is_some() {
            parts.filters = list("http_filters");
        } else if document.get("routes").is_some() {
            parts.routes = list("routes");
        } else if document.get("clusters").is_some() {
            parts.clusters = list("clusters");
        } else if document.get("stats_config").is_some() {
            parts.bootstrap = document.clone();
        } else {
            assert!(document.get("normalize_path").is_some(), "{document}");
            parts.manager = document.clone();
        }
    }
    parts
}

#[test]
fn the_suite_routes_and_decides() {
    let services = Processes::start().unwrap();
    let routes =
        FAULT.replace("{host: shop}", "{host: httpbin.default.svc.cluster.local, port: {number: 8000}}");
    let resources = [policies(), routes, services.service_entries()].join("\n---\n");
    let modules = modules();
    let flags = ["--to", "envoy", "--snippet", "--namespace", "shop", "--module-path", &modules];
    let envoy = Envoy::start(pasted(&render(&resources, &flags)));
    let ann = format!("Bearer {}", token("ann"));
    let seen = envoy.get("/get", &[("authorization", &ann)]);
    assert_eq!((seen.status, seen.forward.as_deref()), (Some(200), Some("httpbin-v1")), "{seen:?}");
    // `//` is left, dots are not, as Istio has it.
    assert_eq!(envoy.get("/x/../admin", &[("authorization", &ann)]).status, Some(403));
    assert_eq!(envoy.get("/", &[("authorization", &ann), ("x-fault", "1")]).status, Some(418));
    let metrics = envoy.metrics();
    let counted = |line: &str| {
        line.starts_with("istio_requests_total{")
            && line.contains("response_code=\"418\"")
            && line.contains("response_flags=\"FI\"")
    };
    assert!(metrics.lines().any(counted), "{metrics}");
}

#[test]
fn modules_of_their_own_decide_before_ones_own_routes() {
    let modules = modules();
    let resources = policies() + "---\n" + FAULT;
    let flags = ["--to", "envoy", "--snippet", "--namespace", "shop", "--module-path", &modules];
    let flags = [&flags[..], &["--modules", "jwt-authn,authz,fault"]].concat();
    decides(&Envoy::start(pasted(&render(&resources, &flags))));
}

#[test]
fn a_module_that_is_fetched_decides_and_another_one_is_not_taken() {
    let module = std::fs::read(format!("{}/outrigger_authz.wasm", modules())).unwrap();
    let other = std::fs::read(format!("{}/outrigger_metrics.wasm", modules())).unwrap();
    let resources = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}
";
    for (served, statuses) in [(module, [200, 403]), (other, [503, 503])] {
        let server = Server::start(served);
        let url = format!("http://127.0.0.1:{}/outrigger_authz.wasm", server.port);
        let flags =
            ["--to", "envoy", "--snippet", "--namespace", "shop", "--modules", "authz", "--url", &url];
        let mut parts = pasted(&render(resources, &flags));
        if statuses[0] == 503 {
            // Nobody has to wait for tries that can't help.
            let config = &mut parts.filters[0]["typed_config"]["config"]["vm_config"]["code"]["remote"];
            config["retry_policy"]["num_retries"] = 1.into();
        }
        assert_eq!(parts.clusters.len(), 1);
        let envoy = Envoy::start(parts);
        let seen = ["/", "/admin"].map(|path| envoy.get(path, &[]).status.unwrap());
        assert_eq!(seen, statuses);
    }
}

#[test]
fn a_cluster_of_ones_own_can_take_the_place_of_the_snippets() {
    let module = std::fs::read(format!("{}/outrigger_authz.wasm", modules())).unwrap();
    let server = Server::start(module);
    let resources = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: shop}
spec: {}
";
    let flags = ["--to", "envoy", "--snippet", "--namespace", "shop", "--modules", "authz"];
    let more = ["--url", "http://files.example/outrigger_authz.wasm", "--fetch-cluster", "mine"];
    let mut parts = pasted(&render(resources, &[&flags[..], &more].concat()));
    assert_eq!(parts.clusters[0]["name"], "mine");
    parts.clusters = vec![cluster("mine", server.port)];
    assert_eq!(Envoy::start(parts).get("/", &[]).status, Some(403));
}
