#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::{
    parse_json,
    types::{
        common::{Port, Protocol, WorkloadSelector},
        gateway::ServerHost,
    },
};

fn proxy() -> Proxy {
    let mut proxy = Proxy::default();
    proxy.labels.insert("istio".to_owned(), "ingressgateway".to_owned());
    proxy.labels.insert(GATEWAY_NAME.to_owned(), "edge".to_owned());
    proxy.labels.insert("gateway.networking.k8s.io/gateway-class-name".to_owned(), "istio".to_owned());
    proxy
}

fn selector(key: &str, value: &str) -> Target {
    Target::Selector(WorkloadSelector([(key.to_owned(), value.to_owned())].into()))
}

fn target(kind: TargetKind, name: &str) -> Target {
    Target::Refs(vec![TargetRef { group: String::new(), kind, name: name.to_owned() }])
}

#[test]
fn policies() {
    for (target, namespace, expected) in [
        (Target::All, "default", true),
        (Target::All, "istio-system", true),
        (Target::All, "other", false),
        (selector("istio", "ingressgateway"), "default", true),
        (selector("istio", "ingressgateway"), "istio-system", true),
        (selector("istio", "ingressgateway"), "other", false),
        (selector("istio", "other"), "default", false),
        (selector("none", ""), "default", false),
        (target(TargetKind::Gateway, "edge"), "default", true),
        (target(TargetKind::Gateway, "edge"), "istio-system", false),
        (target(TargetKind::Gateway, "other"), "default", false),
        (target(TargetKind::GatewayClass, "istio"), "istio-system", false),
        (target(TargetKind::Service, "edge"), "default", false),
    ] {
        assert_eq!(applies(&target, namespace, &proxy()), expected, "{target:?} in {namespace}");
    }
}

#[test]
fn exports() {
    let named = ExportTo::Namespaces(vec!["a".to_owned()]);
    for (export_to, from, expected) in [
        (&ExportTo::Default, "x", true),
        (&ExportTo::All, "x", true),
        (&ExportTo::None, "own", false),
        (&named, "a", true),
        (&named, "own", false),
    ] {
        assert_eq!(is_visible(export_to, "own", from), expected, "{export_to:?} from {from}");
    }
}

fn server(hosts: &[(&str, &str)]) -> Server {
    let scope = |scope: &str| match scope {
        "*" => NamespaceScope::Any,
        namespace => NamespaceScope::Namespace(namespace.to_owned()),
    };
    Server {
        port: Port { number: 80, protocol: Protocol::Http, name: "http".to_owned(), target_port: None },
        bind: None,
        hosts: hosts
            .iter()
            .map(|(ns, host)| ServerHost { scope: scope(ns), host: HostPattern::parse(host) })
            .collect(),
        tls: None,
        name: None,
    }
}

fn service(hosts: &[&str]) -> VirtualService {
    VirtualService {
        annotations: Default::default(),
        hosts: hosts.iter().map(|host| HostPattern::parse(host)).collect(),
        gateways: vec![GatewayRef::Mesh],
        http: Vec::new(),
        tls: Vec::new(),
        tcp: Vec::new(),
        export_to: ExportTo::Default,
    }
}

#[test]
fn hosts_where_both_sides_meet() {
    for (server_hosts, hosts, expected) in [
        (&[("*", "*")][..], &["a.com"][..], &["a.com"][..]),
        (&[("*", "a.com")], &["*"], &["a.com"]),
        (&[("*", "*.com")], &["a.com", "b.org", "*.b.com"], &["a.com", "*.b.com"]),
        (&[("*", "a.com"), ("*", "*.com")], &["a.com"], &["a.com"]),
        (&[("x", "a.com")], &["a.com"], &[]),
        (&[("default", "a.com")], &["a.com"], &["a.com"]),
        (&[("*", "*.local")], &["reviews"], &["reviews.default.svc.cluster.local"]),
    ] {
        let found = attached_hosts(&server(server_hosts), &service(hosts), "default", "cluster.local");
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{server_hosts:?} {hosts:?}");
    }
}

#[test]
fn entries_of_a_match() {
    let named = |name: &str| GatewayRef::Named { namespace: "default".to_owned(), name: name.to_owned() };
    let mut entry = HttpMatchRequest::default();
    assert!(match_applies(&entry, &[GatewayRef::Mesh], &proxy()));
    entry.source_namespace = Some("other".to_owned());
    assert!(!match_applies(&entry, &[named("g")], &proxy()));
    entry.gateways = vec![named("g")];
    assert!(match_applies(&entry, &[named("g")], &proxy()), "its own gateways decide alone");
    assert!(!match_applies(&entry, &[GatewayRef::Mesh], &proxy()));
    entry = HttpMatchRequest::default();
    entry.source_labels.insert("istio".to_owned(), "ingressgateway".to_owned());
    assert!(match_applies(&entry, &[GatewayRef::Mesh], &proxy()));
    entry.source_labels.insert("version".to_owned(), "v1".to_owned());
    assert!(!match_applies(&entry, &[GatewayRef::Mesh], &proxy()));
}

#[test]
fn the_oldest_first() {
    let text = |name: &str, namespace: &str, time: &str| {
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
            "metadata":{{"name":"{name}","namespace":"{namespace}"{time}}},
            "spec":{{"hosts":["a.com"],"gateways":["x/g"],"http":[{{"route":[{{"destination":{{"host":"a"}}}}]}}]}}}}"#
        )
    };
    let late = r#","creationTimestamp":"2024-01-02T00:00:00Z""#;
    let early = r#","creationTimestamp":"2024-01-01T00:00:00Z""#;
    let items = [
        text("c", "n", late),
        text("b", "n", early),
        text("a", "n", early),
        text("a", "m", early),
        text("z", "n", ""),
    ];
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(","));
    let parsed = parse_json(list.as_bytes(), "default");
    assert_eq!(parsed.problems, []);
    let gateway = GatewayRef::Named { namespace: "x".to_owned(), name: "g".to_owned() };
    let order: Vec<_> = virtual_services(&parsed.resources, &gateway, &proxy())
        .iter()
        .map(|(resource, _)| resource.id())
        .collect();
    assert_eq!(order, ["n/z", "m/a", "n/a", "n/b", "n/c"]);
    assert!(virtual_services(&parsed.resources, &GatewayRef::Mesh, &proxy()).is_empty());
}

/// Istio keeps three lists: exported to its own namespace, exported to the proxy's by name, exported to all.
#[test]
fn what_is_exported_to_fewer_comes_first() {
    let text = |name: &str, namespace: &str, export_to: &str, year: u32| {
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
            "metadata":{{"name":"{name}","namespace":"{namespace}","creationTimestamp":"{year}-01-01T00:00:00Z"}},
            "spec":{{"hosts":["a.com"],"gateways":["x/g"],"exportTo":[{export_to}],
            "http":[{{"route":[{{"destination":{{"host":"a"}}}}]}}]}}}}"#
        )
    };
    let items = [
        text("public", "n", r#""*""#, 2020),
        text("unsaid", "default", "", 2021),
        text("named", "n", r#""m","default""#, 2022),
        text("named-too", "m", r#""default""#, 2019),
        text("own", "default", r#"".""#, 2023),
        text("own-by-name", "default", r#""x","default""#, 2018),
        text("hidden", "n", r#"".""#, 2017),
        text("elsewhere", "default", r#""n""#, 2016),
    ];
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(","));
    let parsed = parse_json(list.as_bytes(), "default");
    assert_eq!(parsed.problems, []);
    let gateway = GatewayRef::Named { namespace: "x".to_owned(), name: "g".to_owned() };
    let order: Vec<_> = virtual_services(&parsed.resources, &gateway, &proxy())
        .iter()
        .map(|(resource, _)| resource.meta.name.as_str())
        .collect();
    assert_eq!(order, ["own-by-name", "own", "named-too", "named", "public", "unsaid"]);
}

/// A VirtualService of namespace `ns` and the Gateways that its `gateways` name.
#[test]
fn gateways_are_named_in_three_ways() {
    for (written, expected) in [
        ("mesh", GatewayRef::Mesh),
        ("g", GatewayRef::Named { namespace: "ns".to_owned(), name: "g".to_owned() }),
        ("x/g", GatewayRef::Named { namespace: "x".to_owned(), name: "g".to_owned() }),
        ("x/mesh", GatewayRef::Named { namespace: "x".to_owned(), name: "mesh".to_owned() }),
        ("g.x.svc.cluster.local", GatewayRef::Named { namespace: "x".to_owned(), name: "g".to_owned() }),
        ("g.x", GatewayRef::Named { namespace: "x".to_owned(), name: "g".to_owned() }),
    ] {
        let text = format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
            "metadata":{{"name":"v","namespace":"ns"}},"spec":{{"hosts":["a.com"],"gateways":["{written}"],
            "http":[{{"match":[{{"gateways":["{written}"]}}],"route":[{{"destination":{{"host":"a"}}}}]}}]}}}}"#
        );
        let parsed = parse_json(text.as_bytes(), "default");
        let Some(Spec::VirtualService(service)) = parsed.resources.first().map(|found| &found.spec) else {
            panic!("{written}: {:?}", parsed.problems)
        };
        assert_eq!(service.gateways, std::slice::from_ref(&expected), "{written}");
        assert_eq!(service.http[0].matches[0].gateways, [expected], "{written}");
    }
}

/// Which DestinationRules count for a service of namespace `shop`, in order.
#[test]
fn destination_rules_that_count() {
    let rule = |id: &str, year: u32, rest: &str| {
        let (namespace, name) = id.split_once('/').unwrap();
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
            "metadata":{{"name":"{name}","namespace":"{namespace}","creationTimestamp":"{year}-01-01T00:00:00Z"}},
            "spec":{{"host":"reviews.shop.svc.cluster.local"{rest}}}}}"#
        )
    };
    let wide =
        |id: &str, rest: &str| rule(id, 2020, rest).replace("reviews.shop.svc.cluster.local", "*.local");
    let selecting = |value: &str| format!(r#","workloadSelector":{{"matchLabels":{{"istio":"{value}"}}}}"#);
    let (gateways, others) = (selecting("ingressgateway"), selecting("egressgateway"));
    let private = r#","exportTo":["."]"#;
    for (namespace, rules, expected) in [
        ("default", vec![rule("shop/a", 2020, ""), rule("default/b", 2021, "")], &["default/b"][..]),
        ("default", vec![rule("shop/a", 2020, private), wide("istio-system/b", "")], &["istio-system/b"]),
        // The oldest first, whatever the order of the files.
        ("default", vec![rule("shop/a", 2021, ""), rule("shop/b", 2020, "")], &["shop/b", "shop/a"]),
        // What the root namespace exports comes last, also for a proxy that is there.
        ("istio-system", vec![wide("istio-system/a", ""), rule("shop/b", 2020, "")], &["shop/b"]),
        (
            "istio-system",
            vec![wide("istio-system/a", private), rule("shop/b", 2020, "")],
            &["istio-system/a"],
        ),
        ("istio-system", vec![wide("istio-system/a", "")], &["istio-system/a"]),
        (
            "istio-system",
            vec![wide("istio-system/a", &gateways), rule("shop/b", 2020, "")],
            &["istio-system/a"],
        ),
        // One that selects the proxy counts alone, but for what is private as it is.
        ("shop", vec![rule("shop/a", 2020, ""), rule("shop/b", 2021, &gateways)], &["shop/b"]),
        ("shop", vec![rule("shop/a", 2020, ""), rule("shop/b", 2021, &others)], &["shop/a"]),
        ("shop", vec![rule("shop/a", 2020, private), rule("shop/b", 2021, &gateways)], &["shop/b", "shop/a"]),
        ("other", vec![rule("shop/a", 2020, &gateways), wide("shop/b", "")], &["shop/b"]),
    ] {
        let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, rules.join(","));
        let parsed = parse_json(list.as_bytes(), "default");
        assert_eq!(parsed.problems, []);
        let proxy = Proxy { namespace: namespace.to_owned(), ..proxy() };
        let found = DestinationRules::find(&parsed.resources, &proxy, "reviews.shop.svc.cluster.local");
        let found: Vec<_> = found.resources().map(Resource::id).collect();
        assert_eq!(found, expected, "{namespace}: {rules:#?}");
    }
}

#[test]
fn a_service_is_of_the_entry_that_names_it_best() {
    let object = |kind: &str, namespace: &str, spec: &str| {
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"{kind}","metadata":{{"name":"{namespace}","namespace":"{namespace}"}},
            "spec":{{{spec}}}}}"#
        )
    };
    let entry = |namespace: &str, spec: &str| {
        object("ServiceEntry", namespace, &format!(r#""ports":[{{"number":80,"name":"http"}}],{spec}"#))
    };
    let rule = |namespace: &str| object("DestinationRule", namespace, r#""host":"api.example.com""#);
    let items = [
        entry("a", r#""hosts":["*.example.com"]"#),
        entry("b", r#""hosts":["api.example.com"],"exportTo":["."]"#),
        entry("c", r#""hosts":["*.com","api.example.com"]"#),
        rule("a"),
        rule("b"),
        rule("c"),
    ];
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(","));
    let parsed = parse_json(list.as_bytes(), "default");
    assert!(!parsed.problems.iter().any(crate::Problem::is_error), "{:?}", parsed.problems);
    let found = DestinationRules::find(&parsed.resources, &proxy(), "api.example.com");
    let found: Vec<_> = found.resources().map(Resource::id).collect();
    assert_eq!(found, ["c/c"]);
}
