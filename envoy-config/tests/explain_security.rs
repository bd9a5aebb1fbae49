//! What `outrigger explain` says of peers, tokens and policies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::explain::{SECURE, bearer, explain};
use common::{json, outcome};
use serde_json::{Value, json};

const SHOP: &[&str] = &["-f", "explain/shop.yaml"];

#[test]
fn authentication_and_authorization_name_their_rule() {
    let cart = "GET http://shop.example/v1/cart";
    let deny = |answer: &Value| {
        (answer["status"].as_u64(), answer["body"].as_str().map(ToOwned::to_owned), answer["authz"].clone())
    };
    let rbac = || Some("RBAC: access denied".to_owned());
    let (code, answer) = explain(SECURE, &[cart]);
    let none = json!({"decision": "deny", "action": "ALLOW", "policy": null, "rule": null, "file": null, "line": null});
    assert_eq!((code, deny(&answer)), (1, (Some(403), rbac(), none)));
    assert_eq!((&answer["jwt"], &answer["route"]), (&Value::Null, &Value::Null));

    let (code, answer) = explain(SECURE, &[cart, "-H", &bearer()]);
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(
        answer["jwt"],
        json!({"principal": "https://issuer.example/daniel", "failure": null, "rule": "default/tokens[0]"})
    );
    let known = json!({"decision": "allow", "action": "ALLOW", "policy": "default/known-users", "rule": 0,
        "file": "explain/security.yaml", "line": 30});
    assert_eq!(answer["authz"], known);

    let (code, answer) = explain(SECURE, &["GET http://shop.example/v1/./admin/../admin/x", "-H", &bearer()]);
    let admin = json!({"decision": "deny", "action": "DENY", "policy": "default/no-admin", "rule": 1,
        "file": "explain/security.yaml", "line": 20});
    assert_eq!((code, deny(&answer)), (1, (Some(403), rbac(), admin)));

    let late = [&SECURE[..4], &["--now", "2030-03-18T00:00:00+01:00"]].concat();
    let (code, answer) = explain(&late, &[cart, "-H", &bearer()]);
    assert_eq!(
        (code, answer["status"].as_u64(), answer["body"].as_str()),
        (1, Some(401), Some("Jwt is expired"))
    );
    assert_eq!(answer["jwt"]["failure"], "Jwt is expired");
}

#[test]
fn dry_runs_and_audits_change_nothing_but_are_told() {
    let policy = |name: &str, action: &str, dry_run: &str| {
        format!(
            "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, annotations: \
             {{istio.io/dry-run: '{dry_run}'}}}}\nspec: {{action: {action}, rules: [{{}}]}}\n"
        )
    };
    let resources = policy("dry", "DENY", "true")
        + &policy("watch", "AUDIT", "false")
            .replace("annotations: {istio.io/dry-run: 'false'}", "labels: {}");
    let (code, answer) = json(
        &["explain", "GET http://a/", "-f", "-", "--role", "sidecar", "--direction", "inbound", "-o", "json"],
        &resources,
    );
    assert_eq!((code, &answer["authz"]), (0, &Value::Null), "{answer:#}");
    assert_eq!(answer["shadow"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&answer["shadow"][0]["decision"], &answer["shadow"][0]["policy"]),
        (&json!("deny"), &json!("default/dry"))
    );
    assert_eq!(answer["audit"]["policy"], "default/watch");
}

#[test]
fn keys_can_be_given_by_hand() {
    let resources = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec:\n  jwtRules:\n  \
                     - {issuer: 'https://issuer.example', jwksUri: 'https://issuer.example/keys'}\n";
    let ask = |keys: &str| {
        let flags = [
            "explain",
            "http://a/",
            "-f",
            "-",
            "--role",
            "sidecar",
            "--direction",
            "inbound",
            "-o",
            "json",
            "--now",
            "2030-01-01T00:00:00Z",
            "-H",
            &bearer(),
            "--jwks",
            keys,
        ];
        outcome(&flags, resources)
    };
    let (code, stdout, stderr) = ask("https://issuer.example=explain/jwks.json");
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("https://issuer.example/daniel"), "{stdout}");
    for wrong in [
        "https://other.example=explain/jwks.json",
        "https://issuer.example=absent.json",
        "https://issuer.example=explain/shop.yaml",
    ] {
        let (code, stdout, stderr) = ask(wrong);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

/// A gateway whose routes, policies and rules look at what a token leaves in a request.
const CLAIMED: &[&str] = &["-f", "explain/claimed.yaml", "--now", "2030-01-01T00:00:00Z"];

#[test]
fn routes_see_the_request_as_rules_about_tokens_leave_it() {
    let bearer = bearer();
    let token = bearer.rsplit(' ').next().unwrap();
    let of_token = ["GET http://claims.example/by-header", "-H", &bearer];
    for (request, status, rule, path) in [
        (&of_token[..], None, json!(0), json!("/by-header")),
        // The client's own is taken away.
        (
            &["GET http://claims.example/by-header", "-H", "x-user: daniel"],
            Some(404),
            Value::Null,
            Value::Null,
        ),
        (
            &[&format!("GET http://claims.example/by-token?access_token={token}")],
            Some(404),
            Value::Null,
            Value::Null,
        ),
        (
            &[&format!("GET http://claims.example/rest?a=1&access_token={token}")],
            None,
            json!(2),
            json!("/rest?a=1"),
        ),
    ] {
        let (code, answer) = explain(CLAIMED, request);
        assert_eq!(
            (code, answer["status"].as_u64()),
            (i32::from(status.is_some()), status),
            "{request:?}: {answer:#}"
        );
        assert_eq!((&answer["route"]["rule"], &answer["route"]["path"]), (&rule, &path), "{request:?}");
    }
    let (_, answer) = explain(CLAIMED, &["GET http://claims.example/rest", "-H", &bearer]);
    assert_eq!(answer["passedOver"][0]["reason"], "path is `/rest`, not prefix `/by-header`");
}

#[test]
fn the_nearest_rule_is_told_what_a_token_has_left_in_headers() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: known-users}\nspec:\n  \
                  rules: [{when: [{key: 'request.headers[x-user]', values: [ann]}]}]\n";
    let flags = [
        &["explain", "-o", "json", "GET http://claims.example/rest", "-H", &bearer()],
        CLAIMED,
        &["-f", "-"],
    ];
    let (code, answer) = json(&flags.concat(), policy);
    assert_eq!(code, 1, "{answer:#}");
    assert_eq!(answer["nearest"]["failed"][0]["has"], "daniel", "{answer:#}");
}

#[test]
fn rules_are_told_of_no_token_that_a_client_sends_where_another_rule_writes() {
    let bearer = bearer();
    let own = format!("x-payload: {}", bearer.rsplit(' ').next().unwrap());
    let (code, answer) = explain(CLAIMED, &["GET http://claims.example/rest", "-H", &own]);
    assert_eq!((code, &answer["jwt"]), (0, &Value::Null));
    let of = |name: &str| {
        let rules = answer["jwtRules"].as_array().unwrap().iter();
        rules.clone().find(|rule| rule["rule"] == name).unwrap_or_else(|| panic!("{answer:#}")).clone()
    };
    assert_eq!(of("default/elsewhere[1]")["tokens"], json!([]));
    let other = format!("x-token: {}", &own[11..]);
    let (_, answer) = explain(CLAIMED, &["GET http://claims.example/rest", "-H", &other]);
    assert_eq!(answer["jwt"]["rule"], "default/elsewhere[1]", "{answer:#}");
}

#[test]
fn lines_that_envoy_joins_are_one_token() {
    let bearer = bearer();
    let (code, answer) = explain(SECURE, &["GET http://shop.example/v1/cart", "-H", &bearer, "-H", &bearer]);
    assert_eq!((code, answer["status"].as_u64()), (1, Some(401)), "{answer:#}");
}

/// As Envoy has it: the one port of the application is the one that is asked.
#[test]
fn inbound_the_port_is_one_of_the_applications() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec:\n  action: DENY\n  \
                  rules: [{to: [{operation: {ports: ['8080']}}]}]\n";
    let ask = |url: &str, more: &[&str]| {
        let request = format!("GET {url}");
        let inbound = ["explain", &request, "-f", "-", "--role", "sidecar", "--direction", "inbound"];
        let (code, _, stderr) = outcome(&[&inbound[..], more].concat(), policy);
        (code, stderr)
    };
    let (one, two) = (["--app-port", "8080"], ["--app-port", "8080", "--app-port", "9090=15007"]);
    assert_eq!(ask("http://x/", &one).0, 1);
    assert_eq!(ask("http://x:9999/", &one).0, 1);
    assert_eq!(ask("http://x:9090/", &two).0, 0);
    assert_eq!(ask("http://x:8080/", &two).0, 1);
    let (code, stderr) = ask("http://x/", &two);
    assert_eq!(code, 2);
    assert!(stderr.contains("the application has no port 80: write 8080 or 9090"), "{stderr}");
    assert_eq!(ask("http://x/", &[]).0, 0);
}

#[test]
fn a_peer_is_known_by_its_identity() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec:\n  rules:\n  \
                  - from: [{source: {namespaces: [demo-app]}}]\n    to: [{operation: {methods: [GET]}}]\n";
    let ask = |request: &str, peer: &str| {
        outcome(&["explain", request, "-f", "-", "--role", "sidecar", "--peer", peer, "-o", "json"], policy).0
    };
    assert_eq!(ask("GET http://a/", "spiffe://cluster.local/ns/demo-app/sa/x"), 0);
    assert_eq!(ask("POST http://a/", "spiffe://cluster.local/ns/demo-app/sa/x"), 1);
    assert_eq!(ask("GET http://a/", "spiffe://cluster.local/ns/other/sa/x"), 1);
    assert_eq!(ask("GET http://a/", "cluster.local/ns/demo-app/sa/x"), 2);
}

#[test]
fn a_server_that_is_asked_is_named() {
    let flags = [SHOP, &["-f", "explain/asked.yaml", "--mesh-config", "explain/mesh.config"]].concat();
    let (code, answer) = explain(&flags, &["GET http://shop.example/v1/cart"]);
    let expected = json!({
        "provider": "gatekeeper", "policy": "default/ask-first", "rule": 0, "dryRun": false,
        "file": "explain/asked.yaml", "line": 10,
    });
    assert_eq!((code, &answer["custom"]), (0, &expected));
    let (_, answer) = explain(&flags, &["GET http://shop.example/old"]);
    assert_eq!(answer["custom"], Value::Null);
    let (code, story, _) =
        outcome(&[&["explain", "GET http://shop.example/v1/cart"], &flags[..]].concat(), "");
    assert!(
        code == 0 && story.contains("custom     `gatekeeper` is asked, as policy default/ask-first"),
        "{story}"
    );
}

#[test]
fn what_two_servers_would_have_to_be_asked_about_is_refused() {
    let policies = ["-f", "explain/asked.yaml", "-f", "explain/asked_of_another.yaml"];
    let both = [SHOP, &policies, &["--mesh-config", "explain/two_providers.config"]].concat();
    // A workload may ask one provider.
    for (path, policy, provider) in
        [("/old", "ask-another", "other"), ("/v1/cart", "ask-first", "gatekeeper")]
    {
        let request = format!("GET http://shop.example{path}");
        let (code, answer) = explain(&both, &[&request]);
        assert_eq!((code, &answer["status"], &answer["custom"]["refused"]), (1, &json!(403), &json!(true)));
        let name = format!("istio-ext-authz-{provider}-ns[default]-policy[{policy}]-rule[0]");
        let details = format!("rbac_access_denied_matched_policy[{name}-deny-due-to-bad-CUSTOM-action]");
        assert_eq!(answer["details"], details);
        let (_, story, _) = outcome(&[&["explain", &request], &both[..]].concat(), "");
        assert!(
            story.contains(&format!("`{provider}` can't be asked, as policy default/{policy}")),
            "{story}"
        );
    }
    let unasked = ["GET http://shop.example/v2"];
    assert_eq!(explain(&both, &unasked), explain(SHOP, &unasked));
}

#[test]
fn there_are_no_requests_where_bytes_are_passed_on() {
    const SERVICES: &str = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {app: db}, ports: \
                            [{name: tcp-x, port: 8000}, {name: http-y, port: 8080}]}}";
    for (port, expected) in [(8000, 2), (8080, 0)] {
        let request = format!("GET http://h:{port}/");
        let sidecar = ["--role", "sidecar", "--label", "app=db", "--direction", "inbound", "-f", "-"];
        let (code, _, said) = outcome(&[&["explain", &request], &sidecar[..]].concat(), SERVICES);
        assert_eq!(
            (code, said.contains("port 8000 of the application is no HTTP")),
            (expected, expected == 2),
            "{said}"
        );
    }
}
