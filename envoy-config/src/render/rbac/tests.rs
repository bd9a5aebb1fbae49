//! What rules become.

use outrigger_api::Spec;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::render::testing::resources;

/// The rule of a policy, written in YAML.
fn rule(text: &str) -> Rule {
    let policy = format!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: ns}}\nspec: {{rules: [{text}]}}\n"
    );
    let resources = resources(&[&policy]);
    let Spec::AuthorizationPolicy(policy) = &resources[0].spec else { panic!("no policy") };
    policy.rules.clone().unwrap().remove(0)
}

fn mapped(text: &str, layer: Layer, action: RbacAction, port: Option<u16>) -> Option<Value> {
    let proxy = Proxy { port, trust_domain_aliases: vec!["old".to_owned()], ..Proxy::default() };
    let mapping = Mapping { layer, action, proxy: &proxy };
    policy(&rule(text), mapping).map(|policy| serde_json::to_value(policy).unwrap())
}

/// The one condition on either side of a DENY rule on connections, or `true`.
fn condition(text: &str, side: &str, layer: Layer) -> Value {
    let policy = mapped(text, layer, RbacAction::Deny, None).unwrap();
    let (and, list) = if side == "permissions" { ("and_rules", "rules") } else { ("and_ids", "ids") };
    assert_eq!(policy[side].as_array().unwrap().len(), 1);
    let all = policy[side][0][and][list].as_array().unwrap();
    assert_eq!(all.len(), 1, "{policy:#}");
    all[0].clone()
}

fn peer(matcher: Value) -> Value {
    json!({"or_ids": {"ids": [{"authenticated": {"principal_name": matcher}}]}})
}

#[rstest]
#[case("[td/ns/a/sa/b]", json!({"exact": "spiffe://td/ns/a/sa/b"}))]
#[case("[td/ns/a*]", json!({"prefix": "spiffe://td/ns/a"}))]
#[case("['*/sa/b.c']", json!({"safe_regex": {"regex": r"spiffe://.*/sa/b\.c"}}))]
#[case("['*']", json!({"safe_regex": {"regex": ".+"}}))]
fn principals_have_their_scheme(#[case] values: &str, #[case] expected: Value) {
    let text = format!("{{from: [{{source: {{principals: {values}}}}}]}}");
    assert_eq!(condition(&text, "principals", Layer::Tcp), peer(expected.clone()));
    let text = format!("{{when: [{{key: source.principal, values: {values}}}]}}");
    assert_eq!(condition(&text, "principals", Layer::Tcp), peer(expected));
}

#[rstest]
#[case("namespaces: [a]", json!({"safe_regex": {"regex": ".*/ns/a/.*"}}))]
#[case("namespaces: ['a*b']", json!({"safe_regex": {"regex": ".*/ns/a.*b/.*"}}))]
#[case("serviceAccounts: [sa]", json!({"safe_regex": {"regex": "spiffe://.+/ns/ns/(.+/|)sa/sa(/.+)?"}}))]
#[case("serviceAccounts: [o/s.a]", json!({"safe_regex": {"regex": r"spiffe://.+/ns/o/(.+/|)sa/s\.a(/.+)?"}}))]
#[case("trustDomains: [td]", json!({"prefix": "spiffe://td/"}))]
#[case("trustDomains: ['*']", json!({"prefix": "spiffe://"}))]
#[case("trustDomains: ['t*']", json!({"safe_regex": {"regex": "spiffe://t[^/]*/.*"}}))]
#[case("trustDomains: ['*.org']", json!({"safe_regex": {"regex": r"spiffe://[^/]*\.org/.*"}}))]
fn parts_of_an_identity(#[case] field: &str, #[case] expected: Value) {
    let text = format!("{{from: [{{source: {{{field}}}}}]}}");
    assert_eq!(condition(&text, "principals", Layer::Tcp), peer(expected));
}

#[test]
fn the_meshs_own_domain_stands_for_its_aliases() {
    let found =
        condition("{from: [{source: {principals: [old/ns/a/sa/b]}}]}", "principals", Layer::Tcp).to_string();
    assert!(found.contains("spiffe://cluster.local/ns/a/sa/b") && found.contains("spiffe://old/ns/a/sa/b"));
    let found = condition("{from: [{source: {trustDomains: [old]}}]}", "principals", Layer::Tcp).to_string();
    assert!(found.contains("spiffe://cluster.local/") && found.contains("spiffe://old/"), "{found}");
}

#[rstest]
#[case("{from: [{source: {ipBlocks: [10.1.2.3/8]}}]}", "direct_remote_ip", "10.0.0.0", 8)]
#[case("{when: [{key: source.ip, values: [10.1.2.3]}]}", "direct_remote_ip", "10.1.2.3", 32)]
#[case("{from: [{source: {remoteIpBlocks: ['2001:db8::/32']}}]}", "remote_ip", "2001:db8::", 32)]
#[case("{when: [{key: remote.ip, values: [10.1.2.3]}]}", "remote_ip", "10.1.2.3", 32)]
fn addresses_of_the_client(#[case] text: &str, #[case] kind: &str, #[case] ip: &str, #[case] bits: u8) {
    let block = json!({"address_prefix": ip, "prefix_len": bits});
    assert_eq!(condition(text, "principals", Layer::Tcp), json!({"or_ids": {"ids": [{kind: block}]}}));
}

#[rstest]
#[case("{when: [{key: destination.ip, values: [10.1.2.3]}]}",
    json!({"destination_ip": {"address_prefix": "10.1.2.3", "prefix_len": 32}}))]
#[case("{when: [{key: destination.port, values: ['80']}]}", json!({"destination_port": 80}))]
#[case("{to: [{operation: {ports: ['80']}}]}", json!({"destination_port": 80}))]
#[case("{when: [{key: connection.sni, values: ['*.a']}]}", json!({"requested_server_name": {"suffix": ".a"}}))]
#[case("{when: [{key: connection.sni, values: ['*']}]}",
    json!({"requested_server_name": {"safe_regex": {"regex": ".+"}}}))]
#[case("{when: [{key: 'experimental.envoy.filters.a.b[c]', values: ['[d]']}]}",
    json!({"sourced_metadata": {"metadata_source": "DYNAMIC", "metadata_matcher": {"filter": "envoy.filters.a.b",
    "path": [{"key": "c"}], "value": {"list_match": {"one_of": {"string_match": {"exact": "d"}}}}}}}))]
fn the_connections_end_here(#[case] text: &str, #[case] expected: Value) {
    let found = condition(text, "permissions", Layer::Tcp);
    assert_eq!(found, json!({"or_rules": {"rules": [expected]}}));
    let negated = text.replace("values:", "notValues:").replace("ports:", "notPorts:");
    assert_eq!(condition(&negated, "permissions", Layer::Tcp), json!({"not_rule": found}));
}

#[rstest]
#[case("hosts: [A.com]", json!({"header": {"name": ":authority", "string_match": {"exact": "A.com", "ignore_case": true}}}))]
#[case("hosts: ['*']", json!({"header": {"name": ":authority", "present_match": true}}))]
#[case("methods: [GET]", json!({"header": {"name": ":method", "string_match": {"exact": "GET"}}}))]
#[case("paths: [/a*]", json!({"url_path": {"path": {"prefix": "/a"}}}))]
#[case("paths: ['/a/{*}/b/{**}']", json!({"uri_template": {"name": "uri-template", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
    "path_template": "/a/*/b/**"}}}))]
fn what_only_requests_have(#[case] field: &str, #[case] expected: Value) {
    let text = format!("{{to: [{{operation: {{{field}}}}}]}}");
    let found = condition(&text, "permissions", Layer::Http);
    assert_eq!(found, json!({"or_rules": {"rules": [expected]}}));
    assert_eq!(condition(&text, "permissions", Layer::Tcp), json!({"any": true}), "left out");
}

#[test]
fn headers_are_conditions_on_the_client() {
    let text = "{when: [{key: 'request.headers[X-A]', values: ['*'], notValues: [b]}]}";
    let policy = mapped(text, Layer::Http, RbacAction::Deny, None).unwrap();
    let header = |matches: Value| {
        let mut header = json!({"name": "x-a"});
        header.as_object_mut().unwrap().append(&mut matches.as_object().unwrap().clone());
        json!({"or_ids": {"ids": [{"header": header}]}})
    };
    assert_eq!(
        policy["principals"][0]["and_ids"]["ids"],
        json!([
            header(json!({"present_match": true})),
            {"not_id": header(json!({"string_match": {"exact": "b"}}))}
        ])
    );
}

/// Rules that let pass are left out where a part of them can't be told; others become wider.
#[rstest]
#[case("{to: [{operation: {methods: [GET], ports: ['80']}}]}")]
#[case("{to: [{operation: {notPaths: [/a], ports: ['80']}}]}")]
#[case("{to: [{operation: {ports: ['80']}}], from: [{source: {requestPrincipals: [a/b]}}]}")]
#[case("{to: [{operation: {ports: ['80']}}], when: [{key: 'request.headers[a]', notValues: [b]}]}")]
#[case("{to: [{operation: {ports: ['80']}}], when: [{key: 'request.auth.claims[a]', values: [b]}]}")]
#[case("{to: [{operation: {ports: ['80']}}, {operation: {ports: ['80'], hosts: [a]}}]}")]
fn what_is_not_known_of_connections(#[case] text: &str) {
    assert_eq!(mapped(text, Layer::Tcp, RbacAction::Allow, None), None);
    for action in [RbacAction::Deny, RbacAction::Log] {
        let found = mapped(text, Layer::Tcp, action, None).unwrap();
        for permission in found["permissions"].as_array().unwrap() {
            let port = json!({"and_rules": {"rules": [{"or_rules": {"rules": [{"destination_port": 80}]}}]}});
            assert_eq!(*permission, port);
        }
        assert_eq!(found["principals"], json!([{"and_ids": {"ids": [{"any": true}]}}]));
    }
}

#[test]
fn a_known_port_is_no_question() {
    let text = "{to: [{operation: {ports: ['80']}}]}";
    let of =
        |port| mapped(text, Layer::Tcp, RbacAction::Allow, Some(port)).unwrap()["permissions"][0].clone();
    let or = |rule: Value| json!({"and_rules": {"rules": [{"or_rules": {"rules": [rule]}}]}});
    assert_eq!(of(80), or(json!({"any": true})));
    assert_eq!(of(8080), or(json!({"not_rule": {"any": true}})));
}

#[test]
fn fields_of_requests_are_found() {
    let all = "{from: [{source: {ipBlocks: [1.1.1.1], notRequestPrincipals: [a]}}], to: [{operation: {hosts: [a], \
               notHosts: [b], methods: [c], notPaths: [/d], ports: ['1']}}], when: [{key: source.ip, values: [1.1.1.1]}, \
               {key: request.auth.audiences, values: [e]}]}";
    assert_eq!(
        http_only(&rule(all), 3, Some(1)),
        [
            "spec.rules[3].from[0].source.notRequestPrincipals",
            "spec.rules[3].to[0].operation.hosts",
            "spec.rules[3].to[0].operation.notHosts",
            "spec.rules[3].to[0].operation.methods",
            "spec.rules[3].to[0].operation.notPaths",
            "spec.rules[3].when[1].key",
        ]
    );
    assert_eq!(
        http_only(&rule(all), 0, Some(2)),
        ["spec.rules[0].from[0].source.notRequestPrincipals", "spec.rules[0].when[1].key"]
    );
}

#[test]
fn rules_are_for_the_ports_that_they_name() {
    for (text, port, expected) in [
        ("{}", Some(1), true),
        ("{to: [{operation: {ports: ['1']}}]}", Some(1), true),
        ("{to: [{operation: {ports: ['1']}}]}", Some(2), false),
        ("{to: [{operation: {ports: ['1']}}]}", None, true),
        ("{to: [{operation: {ports: ['1']}}, {operation: {methods: [GET]}}]}", Some(2), true),
        ("{to: [{operation: {notPorts: ['1']}}]}", Some(1), false),
        ("{when: [{key: destination.port, values: ['1']}]}", Some(2), false),
        ("{when: [{key: destination.port, notValues: ['1']}]}", Some(2), true),
    ] {
        assert_eq!(is_for(&rule(text), port), expected, "{text} {port:?}");
    }
}

#[test]
fn fields_about_peers_are_found() {
    let all = "{from: [{source: {principals: [a], notNamespaces: [b], ipBlocks: [1.1.1.1]}}, {source: {notServiceAccounts: \
               [c], trustDomains: [d]}}], when: [{key: source.principal, notValues: [e]}, {key: source.ip, values: [1.1.1.1]}, \
               {key: source.serviceAccount, values: [f]}]}";
    let found: Vec<_> =
        peers(&rule(all), 0).into_iter().map(|asking| (asking.path, asking.negative)).collect();
    let expected = [
        ("from[0].source.principals", false),
        ("from[0].source.notNamespaces", true),
        ("from[1].source.notServiceAccounts", true),
        ("from[1].source.trustDomains", false),
        ("when[0].notValues", true),
        ("when[2].values", false),
    ];
    assert_eq!(found, expected.map(|(path, negative)| (format!("spec.rules[0].{path}"), negative)));
}

#[test]
fn a_policy_without_rules_matches_nothing_and_counts() {
    let text = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {}\n";
    let resources = resources(&[text]);
    let Spec::AuthorizationPolicy(policy) = &resources[0].spec else { panic!("no policy") };
    let proxy = Proxy::default();
    let mapping = Mapping { layer: Layer::Tcp, action: RbacAction::Allow, proxy: &proxy };
    let rbac = rbac(&[(&resources[0], policy)], mapping, rule_name);
    assert_eq!(
        serde_json::to_value(&rbac).unwrap(),
        json!({"action": "ALLOW", "policies": {"ns[default]-policy[p]-rule[0]": {
            "permissions": [{"not_rule": {"any": true}}], "principals": [{"not_id": {"any": true}}]}}})
    );
}
