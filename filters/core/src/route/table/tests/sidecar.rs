//! At a sidecar.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::virtual_service::HttpMatchRequest;

use super::super::super::testing::*;
use super::*;

const REVIEWS: &str = "outbound|9080||reviews.default.svc.cluster.local";

#[test]
fn services_are_reached_by_every_form_of_their_name() {
    let resources = [service("reviews", &[9080]), service("ratings", &[80, 9080])];
    let table = table(&resources, &sidecar());
    for (authority, cluster) in [
        ("reviews:9080", REVIEWS),
        ("Reviews.default:9080", REVIEWS),
        ("reviews.default.svc:9080", REVIEWS),
        ("reviews.default.svc.cluster.local:9080", REVIEWS),
        // No port: the only one.
        ("reviews", REVIEWS),
        ("ratings", "outbound|80||ratings.default.svc.cluster.local"),
        ("ratings:9080", "outbound|9080||ratings.default.svc.cluster.local"),
        // Neither port nor host are known.
        ("reviews:1", PASSTHROUGH),
        ("reviews.other", PASSTHROUGH),
        ("example.com", PASSTHROUGH),
        ("", PASSTHROUGH),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(cluster), "{authority}");
    }
    assert_eq!(table.destinations().count(), 3);
}

const PASSTHROUGH: &str = "PassthroughCluster";

#[test]
fn unknown_hosts_pass_through_without_the_meshs_retries() {
    let table = table(&[service("reviews", &[80])], &sidecar());
    let passed = outcome(&table, &get("example.com", "/", &[]), 0).unwrap();
    assert_eq!(passed, "x-outrigger-cluster: PassthroughCluster\nx-outrigger-own-retries: 1");
    let known = outcome(&table, &get("reviews", "/", &[]), 0).unwrap();
    assert_eq!(known, "x-outrigger-cluster: outbound|80||reviews.default.svc.cluster.local");
}

#[test]
fn hosts_that_are_only_named_have_a_route_too() {
    let mut rule = forward(&[("reviews-v1", 0)]);
    if let outrigger_api::types::virtual_service::RouteAction::Route(to) = &mut rule.action {
        to[0].destination.port = Some(9080);
    }
    let table = table(&[virtual_service("reviews", 0, &["reviews"], vec![rule])], &sidecar());
    let v1 = "outbound|9080||reviews-v1.default.svc.cluster.local";
    for (authority, cluster) in [
        ("reviews", v1),
        ("reviews.default:80", v1),
        ("reviews-v1", v1),
        // Istio serves a host without a service on port 80 alone.
        ("reviews:9080", PASSTHROUGH),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(cluster), "{authority}");
    }
}

#[test]
fn a_virtual_service_decides_alone_over_its_host() {
    let resources = [
        service("reviews", &[80, 9080]),
        virtual_service("young", 2, &["reviews"], vec![says("young")]),
        virtual_service("old", 1, &["reviews"], vec![on(says("old"), &[prefix("/a")])]),
    ];
    let table = table(&resources, &sidecar());
    for (authority, path, expected) in [
        ("reviews", "/a", Some("old")),
        ("reviews.default.svc.cluster.local:9080", "/a", Some("old")),
        ("reviews", "/b", None),
        ("reviews:1", "/a", Some(PASSTHROUGH)),
    ] {
        assert_eq!(goes_to(&table, &get(authority, path, &[])).as_deref(), expected, "{authority}{path}");
    }
}

#[test]
fn the_longest_wildcard_serves_services_and_other_hosts() {
    let resources = [
        service("reviews", &[80]),
        virtual_service("all", 1, &["*.cluster.local"], vec![says("all")]),
        virtual_service("default", 2, &["*.default.svc.cluster.local"], vec![says("default")]),
    ];
    let table = table(&resources, &sidecar());
    for (authority, expected) in [
        ("reviews", "default"),
        ("unknown.default.svc.cluster.local", "default"),
        ("unknown.other.svc.cluster.local:80", "all"),
        ("unknown.other.svc.cluster.local:81", PASSTHROUGH),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(expected), "{authority}");
    }
}

#[test]
fn match_port_is_the_services_port() {
    let on_port = HttpMatchRequest { port: Some(9080), ..HttpMatchRequest::default() };
    let rules = vec![on(says("9080"), &[on_port]), says("rest")];
    let resources = [service("reviews", &[80, 9080]), virtual_service("vs", 0, &["reviews"], rules)];
    let table = table(&resources, &sidecar());
    assert_eq!(goes_to(&table, &get("reviews:9080", "/", &[])).as_deref(), Some("9080"));
    assert_eq!(goes_to(&table, &get("reviews", "/", &[])).as_deref(), Some("rest"));
}

#[test]
fn without_a_rule_for_its_port_a_service_has_its_default_route() {
    let on_port = |port| HttpMatchRequest { port: Some(port), ..HttpMatchRequest::default() };
    let rules = vec![on(says("80"), &[on_port(80)]), on(says("9090"), &[on_port(9090)])];
    let resources = [service("reviews", &[80, 9080, 9090]), virtual_service("vs", 0, &["reviews"], rules)];
    let table = table(&resources, &sidecar());
    for (authority, expected) in
        [("reviews", "80"), ("reviews:9080", REVIEWS), ("reviews:9090", "9090"), ("reviews:1", PASSTHROUGH)]
    {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(expected), "{authority}");
    }
    assert_eq!(table.destinations().count(), 1);
}

#[test]
fn a_port_that_is_left_open_is_the_one_that_the_request_is_for() {
    let on_port = |port| HttpMatchRequest { port: Some(port), ..HttpMatchRequest::default() };
    let open = || forward(&[("reviews", 1)]);
    let rules = vec![on(says("9080"), &[on_port(9080)]), on(open(), &[prefix("/a"), on_port(9090)]), open()];
    let resources = [
        service("reviews", &[9080, 9090, 9091]),
        service("one", &[9080]),
        virtual_service("vs", 0, &["reviews", "foreign.example"], rules),
        virtual_service("one", 0, &["one"], vec![open()]),
    ];
    let table = table(&resources, &sidecar());
    let cluster = |port: &str| format!("outbound|{port}||reviews.default.svc.cluster.local");
    for (authority, path, expected) in [
        ("reviews:9080", "/a", "9080".to_owned()),
        ("reviews:9090", "/a", cluster("9090")),
        ("reviews:9090", "/b", cluster("9090")),
        ("reviews:9091", "/b", cluster("9091")),
        // By a host of their own, which is served on port 80: there is no such port of the service.
        ("foreign.example", "/b", cluster("80")),
        ("one:9080", "/", cluster("9080")),
    ] {
        let found = goes_to(&table, &get(authority, path, &[]));
        assert_eq!(found.as_deref(), Some(expected.as_str()), "{authority}{path}");
    }
    let ports: Vec<_> = table.destinations().map(|destination| destination.port).collect();
    assert_eq!(ports, [80, 9080, 9090, 9091]);
}

/// As Istio serves hosts without a service there.
#[test]
fn rules_count_on_port_80_though_the_service_has_other_ports_alone() {
    let entry = r#"{"apiVersion":"networking.istio.io/v1","kind":"ServiceEntry","metadata":{"name":"a"},
        "spec":{"hosts":["a.example"],"ports":[{"number":443,"name":"https","protocol":"HTTPS"}]}}"#;
    let entry = outrigger_api::parse_json(entry.as_bytes(), "default").resources.remove(0);
    let resources = [
        entry,
        service("reviews", &[9080]),
        virtual_service("vs", 0, &["a.example", "reviews"], vec![says("rule")]),
    ];
    let table = table(&resources, &sidecar());
    for (authority, expected) in [
        ("a.example", "rule"),
        ("a.example:80", "rule"),
        ("a.example:443", PASSTHROUGH),
        ("reviews:80", "rule"),
        ("reviews:9080", "rule"),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(expected), "{authority}");
    }
}
