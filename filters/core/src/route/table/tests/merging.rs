//! Several VirtualServices on one host, and one VirtualService in several places.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::common::{ExportTo, GatewayRef, StringMatch};
use outrigger_api::types::virtual_service::{Delegate, HeaderKey, HttpMatchRequest, HttpRoute, RouteAction};

use super::super::super::testing::*;
use super::*;
use crate::jwt::Identity;

fn named(namespace: &str, name: &str) -> GatewayRef {
    GatewayRef::Named { namespace: namespace.into(), name: name.into() }
}

#[test]
fn routes_of_one_host_stand_in_order_of_age_and_export() {
    let only_here = |mut resource: Resource, namespace: &str| {
        spec_of(&mut resource).export_to = ExportTo::Namespaces(vec![namespace.into()]);
        resource
    };
    let at = |name: &str, age| virtual_service(name, age, &["a.com"], vec![on(says(name), &[prefix("/p")])]);
    for (services, winner) in [
        (vec![at("new", 2), at("old", 1)], "old"),
        (vec![at("b", 1), at("a", 1)], "a"),
        // The proxy is in `istio-system`: what is exported to it by name comes before what all may see.
        (vec![only_here(at("new", 2), "istio-system"), at("old", 1)], "new"),
        (vec![only_here(at("hidden", 0), "default"), at("old", 1)], "old"),
    ] {
        let resources: Vec<_> = std::iter::once(gateway(80, &["*"])).chain(services).collect();
        let table = table(&resources, &ingress());
        assert_eq!(goes_to(&table, &get("a.com", "/p", &[])).as_deref(), Some(winner));
    }
}

#[test]
fn in_the_mesh_the_oldest_of_a_host_counts_alone() {
    let first = virtual_service("first", 1, &["a.com"], vec![on(says("first"), &[prefix("/p")])]);
    let second = virtual_service("second", 2, &["a.com", "b.com"], vec![says("second")]);
    let table = table(&[second, first], &sidecar());
    for (host, path, expected) in
        [("a.com", "/p", Some("first")), ("a.com", "/q", None), ("b.com", "/q", Some("second"))]
    {
        assert_eq!(goes_to(&table, &get(host, path, &[])).as_deref(), expected, "{host}{path}");
    }
}

#[test]
fn hosts_are_chosen_by_the_longest_pattern_whatever_the_port() {
    let hosts = ["*", "*.com", "*.b.com", "a.b.com"];
    let services =
        hosts.iter().map(|host| virtual_service(&host.replace('*', "x"), 0, &[host], vec![says(host)]));
    let resources: Vec<_> = std::iter::once(gateway(80, &["*"])).chain(services).collect();
    let table = table(&resources, &ingress());
    for (authority, expected) in [
        ("a.b.com", "a.b.com"),
        ("A.B.com:8080", "a.b.com"),
        ("c.b.com:1", "*.b.com"),
        ("d.a.b.com", "*.b.com"),
        ("b.com", "*.com"),
        ("com", "*"),
        ("[::1]:80", "*"),
        ("", "*"),
    ] {
        assert_eq!(goes_to(&table, &get(authority, "/", &[])).as_deref(), Some(expected), "{authority}");
    }
}

#[test]
fn where_a_match_counts() {
    let any = HttpMatchRequest::default;
    let labels = |value: &str| [("istio".to_owned(), value.to_owned())].into();
    for (matched, at_gateway, in_mesh) in [
        (any(), true, true),
        (HttpMatchRequest { gateways: vec![GatewayRef::Mesh], ..any() }, false, true),
        (HttpMatchRequest { gateways: vec![named(NAMESPACE, "gw")], ..any() }, true, false),
        (HttpMatchRequest { gateways: vec![named("other", "gw")], ..any() }, false, false),
        (HttpMatchRequest { gateways: vec![named(NAMESPACE, "gw"), GatewayRef::Mesh], ..any() }, true, true),
        (HttpMatchRequest { source_labels: labels("ingressgateway"), ..any() }, true, false),
        (HttpMatchRequest { source_namespace: Some("istio-system".into()), ..any() }, true, false),
        (HttpMatchRequest { source_namespace: Some(NAMESPACE.into()), ..any() }, false, true),
        // Its own list of gateways silences the source, whatever that says.
        (
            HttpMatchRequest {
                gateways: vec![GatewayRef::Mesh],
                source_labels: labels("nothing"),
                source_namespace: Some("nowhere".into()),
                ..any()
            },
            false,
            true,
        ),
        // Both parts of the source must fit.
        (
            HttpMatchRequest {
                source_labels: labels("ingressgateway"),
                source_namespace: Some(NAMESPACE.into()),
                ..any()
            },
            false,
            false,
        ),
        (HttpMatchRequest { port: Some(80), ..any() }, true, true),
        (HttpMatchRequest { port: Some(81), ..any() }, false, false),
    ] {
        let text = format!("{matched:?}");
        let resources = [
            gateway(80, &["*"]),
            service("web", &[80]),
            virtual_service("vs", 0, &["web"], vec![on(says("hit"), &[matched]), says("miss")]),
        ];
        let host = format!("web.{NAMESPACE}.svc.cluster.local");
        for (proxy, expected) in [(ingress(), at_gateway), (sidecar(), in_mesh)] {
            let hit = goes_to(&table(&resources, &proxy), &get(&host, "/", &[])).as_deref() == Some("hit");
            assert_eq!(hit, expected, "{:?}: {text}", proxy.role);
        }
    }
}

/// A root of the gateway whose only rule leaves `/a` to `leaf`.
fn root(name: &str) -> Resource {
    let delegate = Delegate { name: "leaf".into(), namespace: NAMESPACE.into(), direct_response: None };
    virtual_service(name, 0, &["a.com"], vec![on(rule(RouteAction::Delegate(delegate)), &[prefix("/a")])])
}

/// A delegate, which has neither hosts nor gateways.
fn leaf(rules: Vec<HttpRoute>) -> Resource {
    let mut leaf = virtual_service("leaf", 0, &[], rules);
    spec_of(&mut leaf).gateways = vec![GatewayRef::Mesh];
    leaf
}

#[test]
fn a_delegate_counts_where_it_is_delegated_to_and_nowhere_else() {
    let rules = || vec![on(says("b"), &[prefix("/a/b")]), on(says("c"), &[prefix("/c")]), says("rest")];
    let resources = [gateway(80, &["*"]), root("root"), leaf(rules())];
    let compiled = table(&resources, &ingress());
    for (path, expected) in [("/a/b/1", Some("b")), ("/a/x", Some("rest")), ("/c", None), ("/", None)] {
        assert_eq!(goes_to(&compiled, &get("a.com", path, &[])).as_deref(), expected, "{path}");
    }
    let lines = get("a.com", "/a/b", &[]);
    let request = Request::new(&lines, &Connection::UNKNOWN);
    let route = compiled.find(&request).unwrap();
    let taken = route.rule().unwrap();
    assert_eq!((&*taken.reference.resource, taken.reference.rule), ("default/leaf", 0));
    assert_eq!(taken.root.as_ref().map(|root| (&*root.resource, root.rule)), Some(("default/root", 0)));
    // Alone it is nowhere.
    let alone = [gateway(80, &["*"]), leaf(rules())];
    for proxy in [ingress(), sidecar()] {
        let found = goes_to(&table(&alone, &proxy), &get("a.com", "/a", &[]));
        assert!(found.is_none_or(|to| to == "PassthroughCluster"));
    }
}

#[test]
fn claims_are_asked_for_where_some_rule_does() {
    let with_claim = HttpMatchRequest {
        headers: vec![(HeaderKey::Claim(vec!["sub".into()]), StringMatch::Exact("ann".into()))],
        ..HttpMatchRequest::default()
    };
    let plain = [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![says("any")])];
    assert_eq!(table(&plain, &ingress()).attributes(), Attributes::none());
    // A claim keeps the path `/` from being a catch-all.
    let rules = vec![on(says("ann"), &[with_claim]), says("any")];
    let resources = [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], rules)];
    let table = table(&resources, &ingress());
    assert_eq!(table.attributes(), Attributes::CLAIMS);
    let ann = Identity::from(serde_json::Map::from_iter([("sub".to_owned(), "ann".into())]));
    let lines = get("a.com", "/", &[]);
    for (identity, rule) in [(Some(&ann), 0), (None, 1)] {
        let request = Request::new(&lines, &Connection::UNKNOWN).with_identity(identity);
        assert_eq!(table.find(&request).and_then(|route| Some(route.rule()?.reference.rule)), Some(rule));
    }
    let request = Request::new(&lines, &Connection::UNKNOWN);
    assert_eq!(table.explain(&request)[0].failure.reason, "claim `sub` is absent, not `ann`");
}
