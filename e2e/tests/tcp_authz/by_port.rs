//! Plain TCP: ports, addresses, and what is about HTTP.

use super::proxy::Proxy;
use super::{annotated, policy};

#[test]
fn rules_hold_for_connections() {
    let to = |ports: &str, more: &str| format!("to: [{{operation: {{ports: {ports}{more}}}}}]");
    let deny = |name: &str, rule: &str| policy(name, &format!("{{action: DENY, rules: [{{{rule}}}]}}"));
    let resources = [
        deny("port", &to("['9001']", "")),
        // What is about HTTP is left out: the rule is wider.
        deny("wide", &to("['9002']", ", methods: [GET]")),
        deny("own", &format!("from: [{{source: {{ipBlocks: [127.0.0.0/8]}}}}], {}", to("['9003']", ""))),
        deny("other", &format!("from: [{{source: {{ipBlocks: [10.0.0.0/8]}}}}], {}", to("['9004']", ""))),
        deny(
            "not",
            &format!("from: [{{source: {{notRemoteIpBlocks: [127.0.0.1]}}}}], {}", to("['9004']", "")),
        ),
        deny(
            "here",
            "when: [{key: destination.ip, values: [127.0.0.1]}, {key: destination.port, values: ['9005']}]",
        ),
        deny("nobody", &format!("from: [{{source: {{namespaces: ['*']}}}}], {}", to("['9004']", ""))),
        annotated(&deny("tried", &to("['9004']", "")), "istio.io/dry-run"),
        policy("audit", "{action: AUDIT, rules: [{}]}"),
    ];
    let proxy = Proxy::start(&[9000, 9001, 9002, 9003, 9004, 9005], "", "", &resources);
    for (port, expected) in
        [(9000, true), (9001, false), (9002, false), (9003, false), (9004, true), (9005, false)]
    {
        assert_eq!(proxy.passes(port), expected, "{port}");
    }
    assert_eq!(proxy.stat("tcp.rbac.denied"), 4);
    assert_eq!(proxy.stat("istio_dry_run_deny_.shadow_denied"), 1, "9004 would be refused");
    assert_eq!(proxy.stat("istio_dry_run_deny_.shadow_allowed"), 5);
}

#[test]
fn who_is_not_let_in_stays_out() {
    let allow = |name: &str, rule: &str| policy(name, &format!("{{action: ALLOW, rules: [{{{rule}}}]}}"));
    let resources = [
        allow("port", "to: [{operation: {ports: ['9000']}}]"),
        // On connections nothing is known of methods, so that nobody can be let in by it.
        allow("http", "to: [{operation: {ports: ['9001'], methods: [GET]}}, {operation: {ports: ['9001']}}]"),
        allow(
            "token",
            "to: [{operation: {ports: ['9001']}}], when: [{key: 'request.auth.claims[a]', notValues: [b]}]",
        ),
        annotated(&allow("tried", "to: [{operation: {ports: ['9001']}}]"), "istio.io/dry-run"),
    ];
    let proxy = Proxy::start(&[9000, 9001], "", "", &resources);
    assert!(proxy.passes(9000));
    assert!(!proxy.passes(9001));
    assert_eq!(proxy.stat("tcp.rbac.allowed"), 1);
    assert_eq!(proxy.stat("istio_dry_run_allow_.shadow_allowed"), 1);
    assert_eq!(proxy.stat("istio_dry_run_allow_.shadow_denied"), 1);

    // One that is tried out alone keeps nobody out; one without rules keeps everybody out.
    let tried = annotated(&allow("tried", "to: [{operation: {ports: ['9000']}}]"), "istio.io/dry-run");
    assert!(Proxy::start(&[9000, 9001], "", "", &[tried]).passes(9001));
    assert!(!Proxy::start(&[9000], "", "", &[policy("nothing", "{}")]).passes(9000));
}
