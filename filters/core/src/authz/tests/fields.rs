//! Every field, each kind of value.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{Call, negated, passes};

/// Whether an ALLOW rule with `part` matches; asserts that a DENY rule agrees.
fn matches(part: &Value, call: &Call) -> bool {
    let allowed = passes(&[json!({"rules": [part]})], call);
    assert_eq!(passes(&[json!({"action": "DENY", "rules": [part]})], call), !allowed, "{part}");
    allowed
}

fn source(field: &str, values: &[&str]) -> Value {
    json!({"from": [{"source": {field: values}}]})
}

fn operation(field: &str, values: &[&str]) -> Value {
    json!({"to": [{"operation": {field: values}}]})
}

fn when(key: &str, values: &[&str]) -> Value {
    json!({"when": [{"key": key, "values": values}]})
}

fn when_not(key: &str, values: &[&str]) -> Value {
    json!({"when": [{"key": key, "notValues": values}]})
}

/// The field, its `not…` twin and its `when` key, where there is one, must tell the same.
fn check_source(field: &str, key: Option<&str>, values: &[&str], call: &Call, expected: bool) {
    let negated = negated(field);
    assert_eq!(matches(&source(field, values), call), expected, "{field} {values:?} {call:?}");
    assert_eq!(matches(&source(&negated, values), call), !expected, "{negated} {values:?} {call:?}");
    if let Some(key) = key {
        check_when(key, values, call, expected);
    }
}

fn check_when(key: &str, values: &[&str], call: &Call, expected: bool) {
    assert_eq!(matches(&when(key, values), call), expected, "{key} {values:?} {call:?}");
    assert_eq!(matches(&when_not(key, values), call), !expected, "not {key} {values:?} {call:?}");
}

const PEER: &str = "spiffe://cluster.local/ns/foo/sa/bar";

#[test]
fn principals() {
    for (value, peer, expected) in [
        ("cluster.local/ns/foo/sa/bar", Some(PEER), true),
        ("cluster.local/ns/foo/sa/ba", Some(PEER), false),
        ("cluster.local/ns/foo/*", Some(PEER), true),
        ("cluster.local/ns/fo*", Some(PEER), true),
        ("*/sa/bar", Some(PEER), true),
        ("*/ns/foo/sa/bar", Some(PEER), true),
        ("*/ns/foo/*", Some(PEER), false),
        ("*", Some(PEER), true),
        ("*", Some("urn:x"), true),
        ("*", Some("cart.shop.example"), true),
        ("*", Some("CN=cart"), true),
        ("*x", Some("urn:x"), false),
        ("*", None, false),
        ("*/sa/bar", None, false),
        ("spiffe://cluster.local/ns/foo/sa/bar", Some(PEER), false),
        ("Cluster.local/ns/foo/sa/bar", Some(PEER), false),
    ] {
        let call = Call { peer: peer.map(Into::into), ..Call::get("/") };
        check_source("principals", Some("source.principal"), &[value], &call, expected);
    }
}

#[test]
fn cluster_local_stands_for_the_own_trust_domain() {
    let rule = |value: &str| json!({"rules": [source("principals", &[value])]});
    let resources = |value: &str| super::resources(&[rule(value)]);
    let proxy = outrigger_api::Proxy { trust_domain: "td".into(), ..Default::default() };
    for (value, peer, expected) in [
        ("cluster.local/ns/foo/sa/bar", "spiffe://td/ns/foo/sa/bar", true),
        ("cluster.local/ns/foo/sa/bar", PEER, false),
        ("cluster.local/ns/foo/sa/*", "spiffe://td/ns/foo/sa/bar", true),
        ("other/ns/foo/sa/bar", "spiffe://other/ns/foo/sa/bar", true),
        // Not in full form: Istio leaves it alone.
        ("cluster.local/ns/*", "spiffe://td/ns/foo/sa/bar", false),
        ("cluster.local/ns/*", PEER, true),
    ] {
        let policies = super::Policies::compile(&resources(value), &proxy, &[]).unwrap();
        let call = Call::get("/").peer(peer);
        assert_eq!(call.view(|request| policies.decide(request).allowed), expected, "{value} {peer}");
    }
}

#[test]
fn a_trust_domain_stands_for_the_others_of_the_mesh_too() {
    let proxy = outrigger_api::Proxy {
        trust_domain: "new".into(),
        trust_domain_aliases: vec!["old".into()],
        ..Default::default()
    };
    for (value, peer, expected) in [
        ("new", "spiffe://new/ns/foo/sa/bar", true),
        ("new", "spiffe://old/ns/foo/sa/bar", true),
        ("old", "spiffe://new/ns/foo/sa/bar", true),
        ("old", "spiffe://older/ns/foo/sa/bar", false),
        ("other", "spiffe://old/ns/foo/sa/bar", false),
        ("ol*", "spiffe://new/ns/foo/sa/bar", false),
    ] {
        for rule in [source("trustDomains", &[value]), when("source.trustDomain", &[value])] {
            let resources = super::resources(&[json!({"rules": [rule]})]);
            let policies = super::Policies::compile(&resources, &proxy, &[]).unwrap();
            let call = Call::get("/").peer(peer);
            assert_eq!(call.view(|request| policies.decide(request).allowed), expected, "{value} {peer}");
        }
    }
}

#[test]
fn namespaces() {
    for (value, peer, expected) in [
        ("foo", Some(PEER), true),
        ("fo", Some(PEER), false),
        ("foo", Some("spiffe://td/ns/foobar/sa/x"), false),
        ("foo", Some("spiffe://td/ns/foo"), false),
        ("foo", Some("spiffe://td/x/y/ns/foo/sa/x"), true),
        ("foo", Some("spiffe://td/ns/ns/foo/sa/x"), true),
        ("fo*", Some(PEER), true),
        ("*oo", Some(PEER), true),
        ("*", Some(PEER), true),
        ("f*o", Some(PEER), true),
        ("f*x", Some(PEER), false),
        // A star covers slashes, as in Istio's regex.
        ("f*bar", Some("spiffe://td/ns/foo/sa/bar/x"), true),
        ("*", Some("spiffe://td/sa/x"), false),
        ("foo", None, false),
        ("*", None, false),
    ] {
        let call = Call { peer: peer.map(Into::into), ..Call::get("/") };
        check_source("namespaces", Some("source.namespace"), &[value], &call, expected);
    }
}

#[test]
fn service_accounts() {
    for (value, peer, expected) in [
        ("foo/bar", Some(PEER), true),
        ("foo/ba", Some(PEER), false),
        ("bar", Some(PEER), false),
        ("bar", Some("spiffe://td/ns/default/sa/bar"), true),
        ("foo/bar", Some("spiffe://td/ns/foo/sa/bar/pod/x"), true),
        ("foo/bar", Some("spiffe://td/ns/foo/sa/bar/"), false),
        ("foo/bar", Some("spiffe://td/ns/foo/sa/barx"), false),
        ("foo/bar", Some("spiffe://td/ns/foo/x/y/sa/bar"), true),
        ("foo/bar", Some("spiffe:///ns/foo/sa/bar"), false),
        ("foo/bar", Some("spiffe://td/ns/x/ns/foo/sa/bar"), true),
        ("foo/bar", Some("td/ns/foo/sa/bar"), false),
        ("foo/bar", None, false),
    ] {
        let call = Call { peer: peer.map(Into::into), ..Call::get("/") };
        check_source("serviceAccounts", Some("source.serviceAccount"), &[value], &call, expected);
    }
}

#[test]
fn trust_domains() {
    for (value, peer, expected) in [
        ("cluster.local", Some(PEER), true),
        ("cluster", Some(PEER), false),
        ("cluster.*", Some(PEER), true),
        ("*.local", Some(PEER), true),
        ("*.loca", Some(PEER), false),
        ("*", Some(PEER), true),
        ("*", None, false),
        ("cluster.local", None, false),
        ("*bar", Some(PEER), false),
        // An ID that ends with its trust domain.
        ("*", Some("spiffe://cluster.local"), true),
        ("cluster.local", Some("spiffe://cluster.local"), false),
        ("cluster*", Some("spiffe://cluster.local"), false),
        ("*local", Some("spiffe://cluster.local"), false),
        ("*", Some("spiffe://"), true),
        ("*", Some("spiffe:///ns/foo/sa/bar"), true),
        ("*", Some("urn:x"), false),
        ("*", Some("CN=cart"), false),
    ] {
        let call = Call { peer: peer.map(Into::into), ..Call::get("/") };
        check_source("trustDomains", Some("source.trustDomain"), &[value], &call, expected);
    }
}

#[test]
fn request_principals_split_at_the_last_slash() {
    for (value, claims, expected) in [
        ("*", json!({"iss": "i", "sub": "s"}), true),
        ("*", json!({"iss": "i"}), false),
        ("*", json!({"iss": "i", "sub": ""}), false),
        ("i/s", json!({"iss": "i", "sub": "s"}), true),
        ("i/s", json!({"iss": "i", "sub": "t"}), false),
        ("https://i/x/s", json!({"iss": "https://i/x", "sub": "s"}), true),
        ("https://i/x/s", json!({"iss": "https://i", "sub": "x/s"}), false),
        ("*/s", json!({"iss": "any", "sub": "s"}), true),
        ("*/s", json!({"iss": "", "sub": "s"}), false),
        ("*i/s", json!({"iss": "xi", "sub": "s"}), true),
        ("*i/s", json!({"iss": "ix", "sub": "s"}), false),
        ("i/*", json!({"iss": "i", "sub": "any"}), true),
        ("i/*", json!({"iss": "i", "sub": ""}), false),
        ("i/s*", json!({"iss": "i", "sub": "sx"}), true),
        ("i/s*", json!({"iss": "ix", "sub": "sx"}), false),
        ("*s", json!({"iss": "any", "sub": "xs"}), true),
        ("*s", json!({"sub": "xs"}), false),
        ("i*", json!({"iss": "ix", "sub": "any"}), true),
        ("i*", json!({"iss": "ix"}), false),
        ("i", json!({"iss": "i", "sub": ""}), true),
        ("i", json!({"iss": "i", "sub": "s"}), false),
        ("i", json!({"iss": "i"}), false),
        ("i/s", json!({"iss": ["i"], "sub": "s"}), false),
        ("i/1", json!({"iss": "i", "sub": 1}), false),
    ] {
        let call = Call::get("/").with_claims(claims);
        check_source("requestPrincipals", Some("request.auth.principal"), &[value], &call, expected);
    }
    check_source("requestPrincipals", Some("request.auth.principal"), &["*"], &Call::get("/"), false);
}

#[test]
fn claims_are_strings_or_lists_of_strings() {
    let claims = json!({
        "groups": ["a", "b", 7], "name": "ann", "n": 7, "yes": true, "empty": "", "none": null,
        "nested": {"key": "v", "list": ["x y"]}, "a.b": "dotted", "azp": "client", "aud": ["one", "two"],
        "scope": ["read", "write"],
    });
    let call = Call::get("/").with_claims(claims);
    for (key, value, expected) in [
        ("request.auth.claims[groups]", "b", true),
        ("request.auth.claims[groups]", "c", false),
        ("request.auth.claims[groups]", "7", false),
        ("request.auth.claims[name]", "ann", true),
        ("request.auth.claims[name]", "a*", true),
        ("request.auth.claims[name]", "*n", true),
        ("request.auth.claims[name]", "*", true),
        ("request.auth.claims[name]", "Ann", false),
        ("request.auth.claims[n]", "7", false),
        ("request.auth.claims[n]", "*", false),
        ("request.auth.claims[yes]", "true", false),
        ("request.auth.claims[empty]", "*", false),
        ("request.auth.claims[none]", "*", false),
        ("request.auth.claims[missing]", "*", false),
        ("request.auth.claims[nested]", "*", false),
        ("request.auth.claims[nested][key]", "v", true),
        ("request.auth.claims[nested][list]", "x y", true),
        ("request.auth.claims[nested][key][deeper]", "*", false),
        ("request.auth.claims[groups][0]", "a", false),
        ("request.auth.claims[a.b]", "dotted", true),
        ("request.auth.claims[scope]", "read", true),
        ("request.auth.presenter", "client", true),
        ("request.auth.presenter", "other", false),
        ("request.auth.audiences", "two", true),
        ("request.auth.audiences", "three", false),
    ] {
        check_when(key, &[value], &call, expected);
    }
    check_when("request.auth.claims[name]", &["*"], &Call::get("/"), false);
}

#[test]
fn addresses() {
    let call = Call {
        source: Some("10.0.0.1"),
        remote: Some("2001:db8::1"),
        destination: Some(("::ffff:192.0.2.1", 8080)),
        ..Call::get("/")
    };
    for (field, key, value, expected) in [
        ("ipBlocks", "source.ip", "10.0.0.1", true),
        ("ipBlocks", "source.ip", "10.0.0.0/24", true),
        ("ipBlocks", "source.ip", "10.0.1.0/24", false),
        ("ipBlocks", "source.ip", "::ffff:10.0.0.0/120", true),
        ("ipBlocks", "source.ip", "2001:db8::/32", false),
        ("remoteIpBlocks", "remote.ip", "2001:db8::/32", true),
        ("remoteIpBlocks", "remote.ip", "10.0.0.0/8", false),
    ] {
        check_source(field, Some(key), &[value], &call, expected);
    }
    for (key, value, expected) in [
        ("destination.ip", "192.0.2.1", true),
        ("destination.ip", "192.0.2.2", false),
        ("destination.port", "8080", true),
        ("destination.port", "80", false),
    ] {
        check_when(key, &[value], &call, expected);
    }
    assert!(matches(&operation("ports", &["80", "8080"]), &call));
    assert!(!matches(&operation("notPorts", &["80", "8080"]), &call));
}

#[test]
fn what_is_not_known_never_lets_a_request_pass() {
    let call = Call::get("/");
    for part in [
        source("ipBlocks", &["10.0.0.0/8"]),
        source("notIpBlocks", &["10.0.0.0/8"]),
        source("remoteIpBlocks", &["10.0.0.0/8"]),
        source("notRemoteIpBlocks", &["10.0.0.0/8"]),
        operation("ports", &["80"]),
        operation("notPorts", &["80"]),
        when("destination.ip", &["10.0.0.0/8"]),
        when_not("destination.port", &["80"]),
    ] {
        assert!(!passes(&[json!({"rules": [part]})], &call), "ALLOW {part}");
        assert!(!passes(&[json!({"action": "DENY", "rules": [part]})], &call), "DENY {part}");
    }
}

#[test]
fn hosts_ignore_case_and_know_no_default_port() {
    for (value, host, expected) in [
        ("example.com", &b"example.com"[..], true),
        ("example.com", b"EXAMPLE.com", true),
        ("Example.com", b"example.com", true),
        ("example.com", b"example.com:80", false),
        ("example.com:*", b"example.com:80", true),
        ("*.example.com", b"A.Example.com", true),
        ("*.example.com", b"example.com", false),
        ("*", b"x", true),
        ("*", b"", true),
        ("example.com", b"\xff", false),
    ] {
        let call = Call::default().line(":method", b"GET").line(":authority", host).line(":path", b"/");
        assert_eq!(matches(&operation("hosts", &[value]), &call), expected, "{value}");
        assert_eq!(matches(&operation("notHosts", &[value]), &call), !expected, "{value}");
    }
}

#[test]
fn methods_and_paths() {
    for (field, value, path, expected) in [
        ("methods", "GET", "/", true),
        ("methods", "get", "/", false),
        ("methods", "G*", "/", true),
        ("methods", "*", "/", true),
        ("paths", "/a", "/a", true),
        ("paths", "/a", "/a?b=c", true),
        ("paths", "/a", "/a/", false),
        ("paths", "/A", "/a", false),
        ("paths", "/a*", "/ab/c", true),
        ("paths", "*/c", "/ab/c?x", true),
        ("paths", "*/c*", "/a/c*", true),
        ("paths", "*/c*", "/a/cd", false),
        ("paths", "*", "/", true),
        ("paths", "/a/{*}/c", "/a/b/c?x=/", true),
        ("paths", "/a/{*}/c", "/a/b/b/c", false),
        ("paths", "/allow/{**}", "/allow/", true),
        ("paths", "/allow/{**}", "/allow", false),
        ("paths", "/{*}", "/x", true),
    ] {
        let call = Call::get(path);
        let negated = negated(field);
        assert_eq!(matches(&operation(field, &[value]), &call), expected, "{value} {path}");
        assert_eq!(matches(&operation(&negated, &[value]), &call), !expected, "{value} {path}");
        // Among others, and behind the index.
        assert_eq!(matches(&operation(field, &["/x1", "/x2*", value]), &call), expected, "{value} {path}");
    }
}

#[test]
fn each_line_of_a_header_counts_on_its_own() {
    let call =
        Call::get("/").line("role", b"user").line("role", b"admin").line("none", b"").line("b", b"\xe9x");
    for (key, value, expected) in [
        ("request.headers[role]", "admin", true),
        ("request.headers[Role]", "user", true),
        ("request.headers[role]", "user,admin", false),
        ("request.headers[role]", "u*", true),
        ("request.headers[role]", "*min", true),
        ("request.headers[role]", "*", true),
        ("request.headers[role]", "ADMIN", false),
        ("request.headers[none]", "*", true),
        ("request.headers[none]", "x", false),
        ("request.headers[absent]", "*", false),
        ("request.headers[absent]", "x", false),
        ("request.headers[b]", "*x", true),
        ("request.headers[:method]", "GET", true),
        ("request.headers[:authority]", "httpbin", true),
        ("request.headers[host]", "httpbin", true),
        ("request.headers[Host]", "*bin", true),
        ("request.headers[host]", "HTTPBIN", false),
    ] {
        check_when(key, &[value], &call, expected);
    }
}

#[test]
fn server_names() {
    for (value, sni, expected) in [
        ("a.example.com", Some("a.example.com"), true),
        ("*.example.com", Some("a.example.com"), true),
        ("A.example.com", Some("a.example.com"), false),
        ("*", Some("a"), true),
        ("*", None, false),
        ("a", None, false),
    ] {
        let call = Call { sni: sni.map(Into::into), ..Call::get("/") };
        check_when("connection.sni", &[value], &call, expected);
    }
}
