//! An EnvoyExtensionPolicy as Envoy Gateway hands it over.

use serde_json::{Value, json};

use super::documents::{modules, render};
use super::envoy::{Envoy, Parts};
use super::web::Server;
use super::{FAULT, decides, policies};

/// The filter that Envoy Gateway makes of the entry number `index`, in a VM of its own; it serves the module itself.
fn filter(entry: &Value, index: usize, served: &str, cluster: &str) -> Value {
    let name = format!("envoyextensionpolicy/shop/outrigger/wasm/{index}");
    json!({
        "name": format!("envoy.filters.http.wasm/{name}"),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": entry["name"],
                "root_id": entry["rootID"],
                "fail_open": entry["failOpen"],
                "vm_config": {
                    "vm_id": name,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"remote": {
                        "http_uri": {"uri": served, "cluster": cluster, "timeout": "10s"},
                        "sha256": entry["code"]["http"]["sha256"],
                        "retry_policy": {"num_retries": 10},
                    }},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": entry["config"].to_string(),
                },
            },
        },
    })
}

#[test]
fn its_filters_decide_in_order() {
    let resources = policies() + "---\n" + FAULT;
    let flags = ["--to", "envoy-gateway", "--namespace", "shop", "--target-ref", "Gateway/edge"];
    let flags = [&flags[..], &["--url", "https://files.example/{file}"]].concat();
    let documents = render(&resources, &flags);
    assert_eq!(documents.len(), 1);
    let entries = documents[0]["spec"]["wasm"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "{entries:?}");
    let mut parts = Parts::default();
    let mut servers = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let url = entry["code"]["http"]["url"].as_str().unwrap();
        let file = url.rsplit('/').next().unwrap();
        let server = Server::start(std::fs::read(format!("{}/{file}", modules())).unwrap());
        let (served, cluster) =
            (format!("http://127.0.0.1:{}/module.wasm", server.port), format!("wasm-{index}"));
        parts.clusters.push(super::envoy::cluster(&cluster, server.port));
        parts.filters.push(filter(entry, index, &served, &cluster));
        servers.push(server);
    }
    decides(&Envoy::start(parts));
}
