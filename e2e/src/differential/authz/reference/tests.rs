//! Whole policies, by facts that istiod's own tests show too.

use super::*;

fn policy(name: &str, annotations: Value, spec: Value) -> Value {
    json!({
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": spec,
    })
}

fn configs(resources: Vec<Value>) -> Vec<Value> {
    let filters = filters(&Configuration { tag: String::new(), resources }).unwrap();
    filters.into_iter().map(|filter| filter["typed_config"].clone()).collect()
}

fn never() -> Value {
    json!({"permissions": [{"not_rule": {"any": true}}], "principals": [{"not_id": {"any": true}}]})
}

fn always() -> Value {
    json!({
        "permissions": [{"and_rules": {"rules": [{"any": true}]}}],
        "principals": [{"and_ids": {"ids": [{"any": true}]}}],
    })
}

#[test]
fn a_policy_without_rules_never_matches_and_an_empty_rule_always_does() {
    for (spec, action, id, expected) in [
        (json!({}), "ALLOW", "ns[default]-policy[p]-rule[0]", never()),
        (json!({"rules": []}), "ALLOW", "ns[default]-policy[p]-rule[0]", never()),
        (json!({"action": "DENY", "rules": [{}]}), "DENY", "ns[default]-policy[p]-rule[0]", always()),
    ] {
        let configs = configs(vec![policy("p", json!({}), spec)]);
        assert_eq!(configs[0]["rules"], json!({"action": action, "policies": {id: expected}}));
        assert!(configs[0].get("shadow_rules").is_none() && configs.len() == 1);
    }
}

#[test]
fn filters_stand_in_order_and_dry_rules_beside_the_others() {
    let dry = json!({"istio.io/dry-run": "true"});
    let rules = json!([{}]);
    let configs = configs(vec![
        policy("allow", json!({}), json!({"rules": rules})),
        policy("dry", dry.clone(), json!({"rules": rules})),
        policy("audit", json!({}), json!({"action": "AUDIT", "rules": rules})),
        policy("deny", dry, json!({"action": "DENY", "rules": rules})),
        policy("real", json!({"istio.io/dry-run": "false"}), json!({"rules": rules})),
    ]);
    let names = |config: &Value, field: &str| {
        pairs(&config[field], "policies").into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(configs.len(), 3);
    assert_eq!(configs[0]["rules"]["action"], "LOG");
    assert_eq!(names(&configs[0], "rules"), ["ns[default]-policy[audit]-rule[0]"]);
    // Without a policy that is enforced, nothing is refused.
    assert!(configs[1].get("rules").is_none());
    assert_eq!(names(&configs[1], "shadow_rules"), ["ns[default]-policy[deny]-rule[0]"]);
    assert_eq!(configs[1]["shadow_rules_stat_prefix"], "istio_dry_run_deny_");
    assert_eq!(
        names(&configs[2], "rules"),
        ["ns[default]-policy[allow]-rule[0]", "ns[default]-policy[real]-rule[0]"]
    );
    assert_eq!(names(&configs[2], "shadow_rules"), ["ns[default]-policy[dry]-rule[0]"]);
    assert_eq!(configs[2]["shadow_rules_stat_prefix"], "istio_dry_run_allow_");
}

#[test]
fn conditions_go_with_each_alternative_of_their_half() {
    let rule = json!({
        "from": [{"source": {"namespaces": ["a"], "notIpBlocks": ["10.0.0.0/8"]}}, {"source": {"trustDomains": ["td"]}}],
        "to": [{"operation": {"methods": ["GET"], "notPaths": ["/x"]}}],
        "when": [
            {"key": "request.headers[X-Role]", "values": ["admin", "op*"], "notValues": ["*"]},
            {"key": "destination.port", "values": ["80"]},
        ],
    });
    let configs = configs(vec![policy("p", json!({}), json!({"action": "DENY", "rules": [rule]}))]);
    let policy = &configs[0]["rules"]["policies"]["ns[default]-policy[p]-rule[0]"];
    let header = |matcher: Value| json!({"header": matcher});
    let when = [
        json!({"or_ids": {"ids": [
            header(json!({"name": "X-Role", "string_match": {"exact": "admin"}})),
            header(json!({"name": "X-Role", "string_match": {"prefix": "op"}})),
        ]}}),
        json!({"not_id": {"or_ids": {"ids": [header(json!({"name": "X-Role", "present_match": true}))]}}}),
    ];
    let principals = policy["principals"].as_array().unwrap();
    assert_eq!(principals.len(), 2);
    for (principal, own) in principals.iter().zip([2, 1]) {
        let all = principal["and_ids"]["ids"].as_array().unwrap();
        assert_eq!(all[own..], when);
    }
    assert_eq!(
        principals[0]["and_ids"]["ids"][1],
        json!({"not_id": {"or_ids": {"ids": [
            {"direct_remote_ip": {"address_prefix": "10.0.0.0", "prefix_len": 8}},
        ]}}})
    );
    assert_eq!(
        policy["permissions"],
        json!([{"and_rules": {"rules": [
            {"or_rules": {"rules": [{"header": {"name": ":method", "string_match": {"exact": "GET"}}}]}},
            {"not_rule": {"or_rules": {"rules": [{"url_path": {"path": {"exact": "/x"}}}]}}},
            {"or_rules": {"rules": [{"destination_port": 80}]}},
        ]}}])
    );
}

#[test]
fn what_is_not_translated_is_refused() {
    for spec in [
        json!({"action": "CUSTOM", "rules": [{}]}),
        json!({"rules": [{"when": [{"key": "experimental.envoy.filters.a[b]", "values": ["c"]}]}]}),
        json!({"rules": [{"from": [{"source": {"users": ["a"]}}]}]}),
        json!({"targetRefs": [], "rules": [{}]}),
    ] {
        let resources = vec![policy("p", json!({}), spec.clone())];
        assert!(filters(&Configuration { tag: String::new(), resources }).is_err(), "{spec}");
    }
}
