#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn errors(text: &str) -> Vec<String> {
    Config::from_json(text.as_bytes())
        .map(|_| Vec::new())
        .unwrap_or_else(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn who_the_proxy_is() {
    let text = r#"{"proxy": {"role": "sidecar", "workload": "w", "namespace": "n", "labels": {"a": "b"}, "serviceAccount": "s",
        "trustDomain": "td", "trustDomainAliases": ["old"], "rootNamespace": "root", "clusterDomain": "c.d", "direction": "inbound", "port": 8080, "clientIsPeer": true}}"#;
    let config = Config::from_json(text.as_bytes()).unwrap();
    assert_eq!(
        config.proxy,
        Proxy {
            role: Role::Sidecar,
            workload: "w".to_owned(),
            namespace: "n".to_owned(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            service_account: Some("s".to_owned()),
            trust_domain: "td".to_owned(),
            trust_domain_aliases: vec!["old".to_owned()],
            root_namespace: "root".to_owned(),
            cluster_domain: "c.d".to_owned(),
            direction: Some(Direction::Inbound),
            port: Some(8080),
            client_is_peer: true,
        }
    );
    assert_eq!(Config::from_json(config.to_json().to_string().as_bytes()).unwrap(), config);
    let least = Config::from_json(br#"{"proxy": {"role": "gateway"}, "resources": []}"#).unwrap();
    assert_eq!(least.proxy, Proxy::default());
}

#[test]
fn where_decisions_are_told() {
    let read = |record: &str| {
        let text =
            format!(r#"{{"proxy": {{"role": "gateway"}}, "resources": [], "decisionRecord": {record}}}"#);
        let config = Config::from_json(text.as_bytes()).unwrap();
        assert_eq!(Config::from_json(config.to_json().to_string().as_bytes()).unwrap(), config);
        (config.decision_record.filter_state, config.decision_record.response_header)
    };
    assert_eq!(read("{}"), (true, None));
    assert_eq!(read(r#"{"filterState": false}"#), (false, None));
    assert_eq!(read(r#"{"responseHeader": "X-By"}"#), (true, Some("x-by".to_owned())));
}

#[test]
fn everything_must_be_usable() {
    for (text, said) in [
        ("{", "EOF while parsing"),
        ("proxy:", "expected value, where a `StringValue` with JSON belongs"),
        ("[]", "expected a mapping, found a list"),
        ("{}", "missing `proxy`"),
        (r#"{"proxy": {}}"#, "missing `role`"),
        (r#"{"proxy": {"role": "gatway"}}"#, "did you mean `gateway`?"),
        (r#"{"proxy": {"role": "gateway", "ports": 1}}"#, "did you mean `port`?"),
        (
            r#"{"proxy": {"role": "gateway"}, "decisionRecord": {"responseHeader": ":x"}}"#,
            "is not the name of a header",
        ),
        (
            r#"{"proxy": {"role": "gateway"}, "decisionRecord": {"filterstate": true}}"#,
            "did you mean `filterState`?",
        ),
        (r#"{"proxy": {"role": "gateway"}, "resource": []}"#, "did you mean `resources`?"),
        (r#"{"proxy": {"role": "gateway"}, "resources": {}}"#, "expected a list"),
        (r#"{"proxy": {"role": "gateway"}, "resources": [1]}"#, "(resources[0])"),
        (
            r#"{"proxy": {"role": "gateway"}, "resources": [{"apiVersion": "v1", "kind": "ConfigMap"}]}"#,
            "`ConfigMap` of `v1` has no effect",
        ),
        (
            r#"{"proxy": {"role": "gateway"}, "resources": [{"apiVersion": "networking.istio.io/v1", "kind": "EnvoyFilter", "metadata": {"name": "x"}}]}"#,
            "`EnvoyFilter` is not supported",
        ),
    ] {
        let said_now = errors(text);
        assert!(said_now.len() == 1 && said_now[0].contains(said), "{text}\n{said_now:#?}");
    }
}

#[test]
fn a_resource_without_a_namespace_is_in_the_proxys() {
    let text = r#"{"resources": [
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "a"}, "spec": {}},
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "b", "namespace": "other"}, "spec": {}}],
        "proxy": {"role": "gateway", "namespace": "shop"}}"#;
    let config = Config::from_json(text.as_bytes()).unwrap();
    assert_eq!(config.resources.iter().map(Resource::id).collect::<Vec<_>>(), ["shop/a", "other/b"]);
    let stray = |resource| crate::select::is_stray(resource, &config.proxy);
    assert_eq!(config.resources.iter().map(stray).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn paths_begin_at_the_configuration() {
    let text = r#"{"proxy": {"role": "gateway"}, "resources": [
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "a"}},
        {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
         "spec": {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}}], "timeout": "5x"}]}}]}"#;
    let problems = Config::from_json(text.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path.to_string(), "resources[1].spec.http[0].timeout");
    assert_eq!(problems[0].resource.name.as_deref(), Some("a"));
}

#[test]
fn a_warning_does_not_refuse() {
    let text = r#"{"proxy": {"role": "gateway"}, "resources": [
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "a"}, "spec": {"selector": {}}}]}"#;
    assert_eq!(Config::from_json(text.as_bytes()).unwrap().resources.len(), 1);
}

#[test]
fn other_filters_kinds_are_left_out_unread() {
    let text = r#"{"proxy": {"role": "gateway"}, "resources": [
        {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "a"},
         "spec": {"host": "a", "trafficPolicy": {"connectionPool": 3}}},
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "b"}, "spec": {}},
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "c"}, "spec": {"mtls": 3}}]}"#;
    assert_eq!(errors(text).len(), 2);
    let names = |decoders: &[Decoder]| -> Vec<String> {
        let config = Config::read(text.as_bytes(), decoders).unwrap();
        config.resources.into_iter().map(|resource| resource.meta.name).collect()
    };
    assert_eq!(names(&[Decoder::AUTHORIZATION_POLICY]), ["b"]);
    assert_eq!(names(&[Decoder::AUTHORIZATION_POLICY, Decoder::DESTINATION_RULE_HASHES]), ["a", "b"]);
    let problems = Config::read(text.as_bytes(), &[Decoder::DESTINATION_RULE]).unwrap_err();
    assert_eq!(problems[0].path.to_string(), "resources[0].spec.trafficPolicy.connectionPool");
    let nameless = r#"{"proxy": {"role": "gateway"}, "resources": [
        {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "a"}, "spec": {}}]}"#;
    let problems = Config::read(nameless.as_bytes(), &[Decoder::DESTINATION_RULE_HASHES]).unwrap_err();
    assert_eq!(problems[0].message, "missing `host`");
    let unknown = text.replace("PeerAuthentication", "PeerAuthentications");
    assert_eq!(Config::read(unknown.as_bytes(), &[]).unwrap_err().len(), 1);
}

#[test]
fn a_filter_holds_on_to_nothing_that_it_does_not_use() {
    let text = br#"{"proxy": {"role": "gateway"}, "resources": [{"apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService", "metadata": {"name": "a"},
        "spec": {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "b"}}]}]}}]}"#;
    let written = Config::from_json(text).unwrap();
    let read = Config::read(text, &[Decoder::VIRTUAL_SERVICE]).unwrap();
    let [kept, dropped] = [&written, &read].map(|config| config.resources.first().unwrap());
    assert_eq!(kept.spec, dropped.spec);
    assert!(!kept.node.is_null() && dropped.node.is_null());
}
