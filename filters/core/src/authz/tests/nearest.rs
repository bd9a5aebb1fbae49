#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{Call, resources};
use crate::authz::nearest;
use outrigger_api::Proxy;

/// The rule and its failed lists, as `p0[1]: to[0].operation.methods`.
fn found(specs: &[Value], call: &Call) -> String {
    let resources = resources(specs);
    let nearest = call.view(|request| nearest(&resources, &Proxy::default(), request));
    nearest.map_or("none".to_owned(), |nearest| {
        let below = format!("spec.rules[{}].", nearest.rule.rule);
        let failed: Vec<_> = nearest.failed.iter().map(|path| path.trim_start_matches(&below)).collect();
        let rule = nearest.rule.to_string();
        format!("{}: {}", rule.trim_start_matches("default/"), failed.join(" "))
    })
}

#[test]
fn the_fewest_lists_that_fail() {
    let to = |operation: Value| json!({"to": [{"operation": operation}]});
    let call = Call::get("/a").peer("spiffe://td/ns/here/sa/a").line("x", b"1");
    for (rules, expected) in [
        (json!([]), "none"),
        (json!([to(json!({"methods": ["POST"]}))]), "p0[0]: to[0].operation.methods"),
        (json!([to(json!({"notMethods": ["GET"], "paths": ["/a"]}))]), "p0[0]: to[0].operation.notMethods"),
        (
            json!([
                to(json!({"methods": ["POST"], "paths": ["/b"]})),
                to(json!({"methods": ["GET"], "paths": ["/b"]}))
            ]),
            "p0[1]: to[0].operation.paths",
        ),
        // Of several alternatives the best one counts.
        (
            json!([{"to": [{"operation": {"methods": ["POST"], "paths": ["/b"]}}, {"operation": {"methods": ["GET"], "paths": ["/b"]}}]}]),
            "p0[0]: to[1].operation.paths",
        ),
        (
            json!([{"from": [{"source": {"namespaces": ["there"], "principals": ["*"]}}],
                    "when": [{"key": "request.headers[x]", "values": ["1"]},
                             {"key": "request.headers[y]", "values": ["1"]}]}]),
            "p0[0]: from[0].source.namespaces when[1]",
        ),
        // An address that is not known fits no ALLOW rule.
        (
            json!([{"from": [{"source": {"notIpBlocks": ["10.0.0.0/8"]}}]}]),
            "p0[0]: from[0].source.notIpBlocks",
        ),
    ] {
        assert_eq!(found(&[json!({ "rules": rules })], &call), expected, "{rules}");
    }
}

#[test]
fn only_enforced_policies_that_allow() {
    let rule = json!([{"to": [{"operation": {"methods": ["POST"]}}]}]);
    let call = Call::get("/");
    assert_eq!(found(&[json!({"action": "DENY", "rules": rule})], &call), "none");
    assert_eq!(found(&[json!({"dryRun": "true", "rules": rule})], &call), "none");
    assert_eq!(found(&[json!({"selector": {"matchLabels": {"app": "x"}}, "rules": rule})], &call), "none");
}
