//! Resources as a tutorial of Istio has them, read as the filters read them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use outrigger_api::Config;

use super::*;
use crate::Now;
use crate::fault::{self, Moment, NoneActive};

const GATEWAY: &str = r#"{
    "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "httpbin-gateway"},
    "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["daniel.cifuentes.com"]}]}}"#;

fn virtual_service(name: &str, spec: &str) -> String {
    format!(
        r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
             "metadata": {{"name": "{name}"}}, "spec": {spec}}}"#
    )
}

fn compiled(proxy: &str, resources: &[&str]) -> Result<Table, Vec<Problem>> {
    let text = format!(r#"{{"proxy": {proxy}, "resources": [{}]}}"#, resources.join(","));
    let config = Config::from_json(text.as_bytes())?;
    Table::compile(&config.resources, &config.proxy)
}

fn ingress(resources: &[&str]) -> Table {
    compiled(r#"{"role": "gateway", "labels": {"istio": "ingressgateway"}}"#, resources).unwrap()
}

fn sidecar(resources: &[&str]) -> Table {
    compiled(r#"{"role": "sidecar", "direction": "outbound", "namespace": "default"}"#, resources).unwrap()
}

#[test]
fn httpbin_and_myapp_share_a_host() {
    let httpbin = virtual_service(
        "httpbin",
        r#"{"hosts": ["daniel.cifuentes.com"], "gateways": ["httpbin-gateway"], "http": [
            {"match": [{"uri": {"prefix": "/status"}}, {"uri": {"prefix": "/delay"}}],
             "route": [{"destination": {"port": {"number": 8000}, "host": "httpbin"}}]}]}"#,
    );
    let myapp = virtual_service(
        "myapp",
        r#"{"hosts": ["daniel.cifuentes.com"], "gateways": ["httpbin-gateway"], "http": [
            {"match": [{"uri": {"prefix": "/myapp"}}], "rewrite": {"uri": "/"}, "route": [
                {"destination": {"host": "myapp", "port": {"number": 8080}, "subset": "v1"}, "weight": 80},
                {"destination": {"host": "myapp", "port": {"number": 8080}, "subset": "v2"}, "weight": 20}]}]}"#,
    );
    let table = ingress(&[GATEWAY, &httpbin, &myapp]);
    for (path, draw, cluster, sent) in [
        ("/status/418", 0, "outbound|8000||httpbin.default.svc.cluster.local", None),
        ("/delay/5", 999_999, "outbound|8000||httpbin.default.svc.cluster.local", None),
        ("/myapp", 799_999, "outbound|8080|v1|myapp.default.svc.cluster.local", Some("/")),
        ("/myapp?a", 800_000, "outbound|8080|v2|myapp.default.svc.cluster.local", Some("/?a")),
    ] {
        let seen = outcome(&table, &get("daniel.cifuentes.com", path, &[]), draw).unwrap();
        assert!(seen.lines().any(|line| line == format!("x-outrigger-cluster: {cluster}")), "{seen}");
        let rewritten = seen.lines().find_map(|line| line.strip_prefix(":path: "));
        assert_eq!(rewritten, sent);
    }
    assert_eq!(outcome(&table, &get("daniel.cifuentes.com", "/other", &[]), 0), None);
    assert_eq!(table.destinations().count(), 3);
}

#[test]
fn reviews_by_header_else_by_weight() {
    let reviews = virtual_service(
        "reviews",
        r#"{"hosts": ["reviews"], "http": [
            {"match": [{"headers": {"End-User": {"exact": "daniel-user"}}}],
             "route": [{"destination": {"host": "reviews", "subset": "v2"}}]},
            {"route": [{"destination": {"host": "reviews", "subset": "v1"}, "weight": 75},
                       {"destination": {"host": "reviews", "subset": "v3"}, "weight": 25}]}]}"#,
    );
    let table = sidecar(&[&reviews]);
    for (headers, draw, subset) in [
        (&[("end-user", "daniel-user")][..], 0, "v2"),
        (&[("end-user", "daniel")], 0, "v1"),
        (&[], 749_999, "v1"),
        (&[], 750_000, "v3"),
    ] {
        let seen = outcome(&table, &get("reviews", "/", headers), draw).unwrap();
        let cluster = format!("x-outrigger-cluster: outbound|80|{subset}|reviews.default.svc.cluster.local");
        assert_eq!(seen, cluster);
    }
}

#[test]
fn faults_timeouts_and_retries() {
    let ratings = virtual_service(
        "ratings",
        r#"{"hosts": ["ratings"], "http": [
            {"fault": {"delay": {"percentage": {"value": 50}, "fixedDelay": "5s"},
                       "abort": {"percentage": {"value": 50}, "httpStatus": 400}},
             "timeout": "3s", "retries": {"attempts": 3, "perTryTimeout": "2s"},
             "route": [{"destination": {"host": "ratings"}}]}]}"#,
    );
    let table = sidecar(&[&ratings]);
    let seen = outcome(&table, &get("ratings", "/", &[]), 0).unwrap();
    for line in
        ["x-envoy-upstream-rq-timeout-ms: 3000", "x-envoy-max-retries: 3", "x-outrigger-own-retries: 1"]
    {
        assert!(seen.lines().any(|seen| seen == line), "{seen}");
    }
    let rule = table.rules().next().unwrap();
    let request = Request::new(&[], &Connection::UNKNOWN);
    let moment = Moment { now: Now(Duration::ZERO), active: &NoneActive };
    let drawn = |point| fault::draw(rule, &request, &mut Draws::Fixed(point), moment);
    let hit = drawn(499_999).unwrap();
    assert_eq!((hit.delay.map(|delay| delay.as_secs()), hit.abort_status()), (Some(5), Some(400)));
    assert!(drawn(500_000).is_none());
}

#[test]
fn regexes_match_whole_values_and_rewrite() {
    let regexes = virtual_service(
        "regexes",
        r#"{"hosts": ["daniel.cifuentes.com"], "gateways": ["httpbin-gateway"], "http": [
            {"match": [{"uri": {"regex": "/v[0-9]+"}, "headers": {"x-a": {"regex": "caf."}}}],
             "rewrite": {"uri": "/whole"}, "route": [{"destination": {"host": "a"}}]},
            {"match": [{"uri": {"regex": "/(a|ab)/.*"}}],
             "rewrite": {"uriRegexRewrite": {"match": "^/(a|ab)/(.*)$", "rewrite": "/\\2/\\1"}},
             "route": [{"destination": {"host": "b"}}]},
            {"match": [{"uri": {"exact": "/n"}, "withoutHeaders": {"x-a": {"regex": ".*"}}}],
             "route": [{"destination": {"host": "c"}}]}]}"#,
    );
    let table = ingress(&[GATEWAY, &regexes]);
    for (path, header, sent) in [
        ("/v12?q", "caf\u{e9}", None),
        ("/v12?q", "cafe", Some("/whole?q")),
        ("/v12/x", "cafe", None),
        ("/ab/c?q", "", Some("/c/ab?q")),
        ("/abc/c", "", None),
        // An absent header counts as an empty one, which `.*` matches.
        ("/n", "", None),
    ] {
        let lines = get("daniel.cifuentes.com", path, &[("x-a", header)]);
        let seen = outcome(&table, &lines, 0);
        let rewritten =
            seen.as_deref().and_then(|seen| seen.lines().find_map(|line| line.strip_prefix(":path: ")));
        assert_eq!(rewritten, sent, "{path}");
    }
    let mut latin = get("daniel.cifuentes.com", "/v1", &[]);
    latin.push((b"x-a", b"caf\xe9"));
    assert!(outcome(&table, &latin, 0).is_some());
}

#[test]
fn a_service_entry_is_a_service() {
    let entry = r#"{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "se"},
        "spec": {"hosts": ["api.example.com", "*.wild.example.com"], "location": "MESH_EXTERNAL",
            "ports": [{"number": 8080, "name": "http", "protocol": "HTTP"},
                      {"number": 443, "name": "tls", "protocol": "TLS"}], "resolution": "NONE"}}"#;
    let table = sidecar(&[entry]);
    for (authority, cluster) in [
        ("api.example.com:8080", "outbound|8080||api.example.com"),
        ("api.example.com", "outbound|8080||api.example.com"),
        ("x.wild.example.com:8080", "outbound|8080||*.wild.example.com"),
        ("api.example.com:443", "PassthroughCluster"),
        ("api.example.com:80", "PassthroughCluster"),
        ("wild.example.com", "PassthroughCluster"),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(cluster), "{authority}");
    }
}

#[test]
fn refusals_carry_the_path_of_the_field() {
    let refused = virtual_service(
        "refused",
        r#"{"hosts": ["reviews"], "http": [
            {"route": [{"destination": {"host": "a"}}],
             "headers": {"request": {"set": {"x-ip": "%HOSTNAME%"}}}}]}"#,
    );
    let sidecar = r#"{"role": "sidecar", "direction": "outbound", "namespace": "default"}"#;
    let problems = compiled(sidecar, &[&refused]).unwrap_err();
    let seen: Vec<_> = problems.iter().map(|problem| problem.path.to_string()).collect();
    assert_eq!(seen, ["spec.http[0].headers.request.set.x-ip"]);
}
