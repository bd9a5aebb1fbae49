//! At a gateway.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::common::{GatewayRef, StringMatch};
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest};

use super::super::super::testing::*;
use super::*;

#[test]
fn the_tutorials_gateway_routes_by_host_and_prefix() {
    let matches = [prefix("/status"), prefix("/delay")];
    let mut rule = on(forward(&[("httpbin", 0)]), &matches);
    if let outrigger_api::types::virtual_service::RouteAction::Route(to) = &mut rule.action {
        to[0].destination.port = Some(8000);
    }
    let resources = [
        gateway(80, &["daniel.cifuentes.com"]),
        virtual_service("httpbin", 0, &["daniel.cifuentes.com"], vec![rule]),
    ];
    let table = table(&resources, &ingress());
    let httpbin = Some("outbound|8000||httpbin.default.svc.cluster.local".to_owned());
    for (authority, path, expected) in [
        ("daniel.cifuentes.com", "/status/200", &httpbin),
        ("daniel.cifuentes.com:8080", "/delay/3?x", &httpbin),
        ("DANIEL.cifuentes.COM", "/statuses", &httpbin),
        ("daniel.cifuentes.com", "/headers", &None),
        ("daniel.cifuentes.com", "/", &None),
        ("other.com", "/status/200", &None),
        ("", "/status/200", &None),
    ] {
        assert_eq!(goes_to(&table, &get(authority, path, &[])), *expected, "{authority}{path}");
    }
    let clusters: Vec<_> = table.destinations().map(Destination::cluster_name).collect();
    assert_eq!(clusters, httpbin.into_iter().collect::<Vec<_>>());
    assert_eq!(table.attributes(), Attributes::none());
}

#[test]
fn the_most_specific_host_decides_alone() {
    let resources = [
        gateway(80, &["*"]),
        virtual_service("any", 0, &["*"], vec![says("any")]),
        virtual_service("wild", 1, &["*.foo.com"], vec![says("wild")]),
        virtual_service("exact", 2, &["a.foo.com"], vec![on(says("exact"), &[prefix("/only")])]),
    ];
    let table = table(&resources, &ingress());
    for (host, path, expected) in [
        ("a.foo.com", "/only", Some("exact")),
        // The rules of the wildcard's virtual host are no second chance.
        ("a.foo.com", "/other", None),
        ("b.foo.com", "/", Some("wild")),
        ("foo.com", "/", Some("any")),
    ] {
        assert_eq!(goes_to(&table, &get(host, path, &[])).as_deref(), expected, "{host}{path}");
    }
}

#[test]
fn a_virtual_service_stands_where_gateway_host_and_namespace_allow() {
    let service = || virtual_service("vs", 0, &["*.foo.com", "bar.org"], vec![says("vs")]);
    for (hosts, host, stands) in [
        (&["*"][..], "a.foo.com", true),
        (&["a.foo.com"], "a.foo.com", true),
        (&["a.foo.com"], "b.foo.com", false),
        (&["default/*"], "bar.org", true),
        (&["elsewhere/*"], "bar.org", false),
        (&["*.org"], "bar.org", true),
    ] {
        let table = table(&[gateway(80, hosts), service()], &ingress());
        assert_eq!(goes_to(&table, &get(host, "/", &[])).is_some(), stands, "{hosts:?} {host}");
    }
    let mut mesh_only = service();
    spec_of(&mut mesh_only).gateways = vec![GatewayRef::Mesh];
    assert_eq!(
        goes_to(&table(&[gateway(80, &["*"]), mesh_only], &ingress()), &get("bar.org", "/", &[])),
        None
    );
    let elsewhere = Proxy { labels: Default::default(), ..ingress() };
    assert_eq!(
        goes_to(&table(&[gateway(80, &["*"]), service()], &elsewhere), &get("bar.org", "/", &[])),
        None
    );
}

#[test]
fn catch_alls_move_behind_the_rules_of_other_virtual_services() {
    let without = HttpMatchRequest {
        without_headers: vec![(HeaderKey::Name("x-no".into()), StringMatch::Present)],
        ..prefix("/")
    };
    for (first, path, headers, expected) in [
        // A real catch-all moves.
        (vec![says("all")], "/b", &[][..], "second"),
        (vec![says("all")], "/c", &[], "all"),
        (vec![on(says("all"), &[prefix("/")])], "/b", &[], "second"),
        // These are no catch-alls by the way they are written.
        (vec![on(says("empty"), &[prefix("")])], "/b", &[], "empty"),
        (vec![on(says("without"), &[without])], "/b", &[], "without"),
        // After the first catch-all of its own a VirtualService has no rules: the later one can't come before it.
        (vec![says("all"), on(says("late"), &[prefix("/c")])], "/c", &[], "all"),
    ] {
        let resources = [
            gateway(80, &["*"]),
            virtual_service("two", 2, &["a.com"], vec![on(says("second"), &[prefix("/b")])]),
            virtual_service("one", 1, &["a.com"], first),
        ];
        let table = table(&resources, &ingress());
        assert_eq!(goes_to(&table, &get("a.com", path, headers)).as_deref(), Some(expected), "{path}");
    }
}

#[test]
fn every_kind_of_match_is_looked_at() {
    let value = |text: &str| Some(StringMatch::Exact(text.to_owned()));
    let any = HttpMatchRequest::default;
    let header = |name: &str, spec| vec![(HeaderKey::Name(name.to_owned()), spec)];
    let absent = || header("x-a", StringMatch::Present);
    let x = || StringMatch::Exact("1".to_owned());
    for (matched, fits) in [
        (any(), true),
        (HttpMatchRequest { uri: Some(StringMatch::Present), ..any() }, true),
        (HttpMatchRequest { method: value("GET"), ..any() }, true),
        (HttpMatchRequest { method: value("get"), ..any() }, false),
        (HttpMatchRequest { scheme: value("http"), ..any() }, true),
        (HttpMatchRequest { scheme: value("https"), ..any() }, false),
        (HttpMatchRequest { authority: value("a.com:80"), ..any() }, true),
        (HttpMatchRequest { authority: value("a.com"), ..any() }, false),
        (HttpMatchRequest { headers: header("x-a", x()), ..any() }, true),
        (HttpMatchRequest { headers: header("x-b", x()), ..any() }, false),
        (HttpMatchRequest { without_headers: absent(), ..any() }, false),
        (HttpMatchRequest { query_params: vec![("q".into(), x())], ..any() }, true),
        (HttpMatchRequest { query_params: vec![("r".into(), x())], ..any() }, false),
        (HttpMatchRequest { port: Some(80), ..any() }, true),
        (HttpMatchRequest { port: Some(81), ..any() }, false),
        (HttpMatchRequest { source_namespace: Some("istio-system".into()), ..any() }, true),
        (HttpMatchRequest { source_namespace: Some("default".into()), ..any() }, false),
        (HttpMatchRequest { source_labels: [("a".into(), "b".into())].into(), ..any() }, false),
        (HttpMatchRequest { gateways: vec![GatewayRef::Mesh], ..any() }, false),
        // Two conditions must both hold.
        (HttpMatchRequest { method: value("GET"), scheme: value("https"), ..any() }, false),
    ] {
        let text = format!("{matched:?}");
        let resources =
            [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![on(says("hit"), &[matched])])];
        let found = goes_to(&table(&resources, &ingress()), &get("a.com:80", "/p?q=1", &[("x-a", "1")]));
        assert_eq!(found.is_some(), fits, "{text}");
    }
}

#[test]
fn match_gateways_replace_the_list_and_silence_the_source() {
    let gw = GatewayRef::Named { namespace: NAMESPACE.into(), name: "gw".into() };
    let matched = HttpMatchRequest {
        gateways: vec![gw],
        source_namespace: Some("nowhere".into()),
        ..HttpMatchRequest::default()
    };
    let service = virtual_service("vs", 0, &["a.com"], vec![on(says("hit"), &[matched])]);
    let resources = [gateway(80, &["*"]), service];
    assert!(goes_to(&table(&resources, &ingress()), &get("a.com", "/", &[])).is_some());
    // Without a rule that counts the VirtualService is not there.
    let passed = goes_to(&table(&resources, &sidecar()), &get("a.com", "/", &[]));
    assert_eq!(passed.as_deref(), Some("PassthroughCluster"));
}

#[test]
fn several_ports_are_told_apart_by_the_connection() {
    let mut second = gateway(8443, &["a.com"]);
    second.meta.name = "other".into();
    let on_second = GatewayRef::Named { namespace: NAMESPACE.into(), name: "other".into() };
    let mut service = virtual_service("b", 0, &["a.com"], vec![says("second")]);
    spec_of(&mut service).gateways = vec![on_second];
    let first = virtual_service("a", 0, &["a.com"], vec![says("first")]);
    let resources = [gateway(80, &["a.com"]), second, first, service];
    let both = table(&resources, &ingress());
    assert_eq!(both.attributes(), Attributes::DESTINATION_PORT);
    let lines = get("a.com", "/", &[]);
    let matched = |port| {
        let connection = Connection { destination_port: port, ..Connection::UNKNOWN };
        both.find(&Request::new(&lines, &connection))
            .and_then(|route| Some(route.rule()?.reference.resource.clone()))
    };
    assert_eq!(matched(Some(80)).as_deref(), Some("default/a"));
    assert_eq!(matched(Some(8443)).as_deref(), Some("default/b"));
    assert_eq!(matched(Some(81)), None);
    assert_eq!(matched(None), None);
    let one = table(&resources, &Proxy { port: Some(8443), ..ingress() });
    assert_eq!(one.attributes(), Attributes::none());
    assert_eq!(goes_to(&one, &lines).as_deref(), Some("second"));
}

#[test]
fn losers_are_explained_up_to_the_winner() {
    let jason = HttpMatchRequest {
        headers: vec![(HeaderKey::Name("end-user".into()), StringMatch::Exact("jason".into()))],
        ..HttpMatchRequest::default()
    };
    let rules = vec![on(says("one"), &[exact("/a"), jason]), says("two")];
    let resources = [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], rules)];
    let table = table(&resources, &ingress());
    let lines = get("a.com", "/b", &[("end-user", "eve")]);
    let request = Request::new(&lines, &Connection::UNKNOWN);
    let lost: Vec<_> = table
        .explain(&request)
        .into_iter()
        .map(|lost| (lost.rule.rule, lost.match_index, lost.failure.reason))
        .collect();
    assert_eq!(
        lost,
        [
            (0, Some(0), "path is `/b`, not exact `/a`".to_owned()),
            (0, Some(1), "header `end-user` is `eve`, not `jason`".to_owned())
        ]
    );
    assert_eq!(goes_to(&table, &lines).as_deref(), Some("two"));
}

/// Ten thousand hosts and rules compile in linear time, and each is found.
#[test]
fn ten_thousand_virtual_services_compile() {
    let services = (0..10_000).map(|number| {
        let host = format!("host-{number}.example.com");
        virtual_service(&host, 0, &[&host], vec![on(forward(&[("to", 0)]), &[exact(&format!("/{number}"))])])
    });
    let resources: Vec<_> = std::iter::once(gateway(80, &["*"])).chain(services).collect();
    for proxy in [ingress(), sidecar()] {
        let table = table(&resources, &proxy);
        let to = Some("outbound|80||to.default.svc.cluster.local".to_owned());
        assert_eq!(goes_to(&table, &get("host-9999.example.com", "/9999", &[])), to);
        assert_eq!(goes_to(&table, &get("host-9999.example.com", "/1", &[])), None);
    }
}
