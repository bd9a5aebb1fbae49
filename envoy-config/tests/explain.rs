//! `outrigger explain` from outside: the JSON of the contract, exit codes, the story.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::{assert_golden, json, outcome};
use serde_json::{Value, json};

const SHOP: &[&str] = &["-f", "explain/shop.yaml"];
const SECURE: &[&str] =
    &["-f", "explain/shop.yaml", "-f", "explain/security.yaml", "--now", "2030-01-01T00:00:00Z"];

fn explain(flags: &[&str], request: &[&str]) -> (i32, Value) {
    json(&[&["explain", "-o", "json"], request, flags].concat(), "")
}

fn bearer() -> String {
    format!(
        "Authorization: Bearer {}",
        std::fs::read_to_string(common::fixture("explain/token.txt")).unwrap().trim()
    )
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
fn an_access_log_tells_what_policies_on_dry_run_would_change() {
    let same = "[t] \"GET / HTTP/1.1\" 200 \"allowed ALLOW a/b[0]\" \"dry-run allowed DENY none\"\n";
    let other =
        "[t] \"GET /x HTTP/1.1\" 200 \"-\" \"dry-run denied DENY default/known-users[0] (differs)\"\n";
    let arguments = [&["explain", "--shadow", "-", "-o", "json"], &SECURE[2..]].concat();
    let (code, told) = json(&arguments, same);
    assert_eq!((code, &told["seen"]), (0, &json!(1)));
    let (code, told) = json(&arguments, &(same.to_owned() + other));
    let rule = &told["rules"][1];
    assert_eq!((code, &rule["differs"], &rule["file"]), (1, &json!(1), &json!("explain/security.yaml")));
    assert_eq!(rule["examples"][0], json!({"time": "t", "request": "GET /x", "status": "200"}));
    let (code, _, said) = outcome(&["explain", "--shadow", "nowhere.log", "-f", "explain/shop.yaml"], "");
    assert!(code == 2 && said.contains("can't read nowhere.log"), "{said}");
}

#[test]
fn a_forwarded_request_is_told_whole() {
    let request = ["GET http://shop.example/v1/cart?id=7", "-H", "X-Debug: 1"];
    let (code, answer) = explain(SHOP, &request);
    assert_eq!(code, 0);
    let place =
        |subset: &str| json!({"host": "cart.default.svc.cluster.local", "subset": subset, "port": 8080});
    let expected = json!({
        "outcome": "forward", "status": null, "body": null, "details": null,
        "headers": {
            "set": {"x-stage": "live", "x-envoy-original-path": "/v1/cart?id=7"},
            "add": {"x-trail": ["edge"]},
            "remove": ["x-debug"],
        },
        "jwt": null, "authz": null, "fault": null, "faultChances": null, "faultGuards": null, "shadow": [], "audit": null,
        "route": {
            "virtualService": "default/shop", "rule": 2, "match": 1, "destination": place("v1"),
            "alternatives": [
                {"destination": place("v1"), "weight": 75},
                {"destination": place("v2"), "weight": 25},
            ],
            "stickyBy": null, "setsCookie": null,
            "path": "/cart?id=7", "authority": "shop.example", "timeoutMs": 3000,
            "retries": {"attempts": 3, "perTryTimeoutMs": 2000, "on": "5xx"},
            "mirrors": [],
            "file": "explain/shop.yaml", "line": 30, "delegatedBy": null,
        },
        "passedOver": [
            {"virtualService": "default/shop", "rule": 0, "match": 0, "condition": "path", "reason": "path is `/v1/cart`, not prefix `/slow/`"},
            {"virtualService": "default/shop", "rule": 1, "match": 0, "condition": "path", "reason": "path is `/v1/cart`, not exact `/old`"},
            {"virtualService": "default/shop", "rule": 2, "match": 0, "condition": "header `end-user`", "reason": "header `end-user` is absent, not `daniel`"},
        ],
    });
    assert_eq!(answer, expected, "{answer:#}");
}

/// A flag wins over the mesh configuration.
#[test]
fn paths_are_normalised_as_the_flag_says() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh.config");
    std::fs::write(&mesh, "pathNormalization: {normalization: MERGE_SLASHES}\n").unwrap();
    let in_file = ["--mesh-config", mesh.to_str().unwrap()];
    let matched = |flags: &[&str], path: &str| {
        let request = [format!("GET http://shop.example{path}")];
        let (_, answer) = explain(&[SHOP, flags].concat(), &[&request[0], "-H", "X-Debug: 1"]);
        answer["route"]["rule"].as_u64().zip(answer["route"]["match"].as_u64())
    };
    let cart = Some((2, 1));
    assert_eq!(matched(&[], "/v1/cart"), cart);
    for (path, none, base, merged, decoded) in [
        ("/x/../v1/cart", false, true, true, true),
        ("//v1/cart", false, false, true, true),
        ("/%2Fv1/cart", false, false, false, true),
    ] {
        for (flag, expected) in [
            ("none", none),
            ("base", base),
            ("DEFAULT", base),
            ("merge-slashes", merged),
            ("DECODE_AND_MERGE_SLASHES", decoded),
        ] {
            let flags = [&in_file[..], &["--path-normalization", flag]].concat();
            assert_eq!(matched(&flags, path) == cart, expected, "{path} {flag}");
        }
        assert_eq!(matched(&in_file, path) == cart, merged, "{path} by the file");
    }
}

#[test]
fn copies_and_the_ways_of_retrying_are_told() {
    let actions = &["-f", "explain/actions.yaml"];
    let request = ["GET http://copied.example/"];
    let (_, answer) = explain(actions, &request);
    let place =
        |host: &str| json!({"host": format!("{host}.default.svc.cluster.local"), "subset": null, "port": 80});
    let mirrors = json!([
        {"destination": place("all"), "percent": 100.0},
        {"destination": place("some"), "percent": 25.0},
    ]);
    assert_eq!(answer["route"]["mirrors"], mirrors);
    let retries = json!({
        "attempts": 4, "perTryTimeoutMs": null, "on": "reset", "backOffMs": 1500,
        "remoteLocalities": true, "sameHosts": true,
    });
    assert_eq!(answer["route"]["retries"], retries);
    // What the router reads is not for the next hop.
    assert_eq!(answer["headers"]["set"], json!({}));
    let (_, story, _) = outcome(&[&["explain"][..], &request, actions].concat(), "");
    for line in [
        "100 % are copied to all.default.svc.cluster.local:80",
        "25 % are copied to some.default.svc.cluster.local:80",
        "up to 4 retries on reset, first after up to 1500 ms, in other localities, the same host too",
    ] {
        assert!(story.contains(line), "{story}");
    }
}

/// By a header that counts where proxies in front of the gateway are trusted.
#[test]
fn who_came_by_https_is_not_sent_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let resources = file(
        "shop.yaml",
        "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: [shop.example], gateways: [edge], http: [{route: [{destination: {host: shop}}]}]}
",
    );
    for (trusted, proto, outcome) in
        [(1, "https", "forward"), (1, "http", "reply"), (0, "https", "reply"), (2, "https", "forward")]
    {
        let text = format!("defaultConfig: {{gatewayTopology: {{numTrustedProxies: {trusted}}}}}\n");
        let mesh = file("mesh.config", &text);
        let header = format!("x-forwarded-proto: {proto}");
        let flags = ["-f", &resources, "--mesh-config", &mesh, "-H", &header];
        let (_, answer) = explain(&flags, &["GET http://shop.example/"]);
        assert_eq!(answer["outcome"], outcome, "{trusted} {proto}");
        assert_eq!(answer["status"], if outcome == "reply" { json!(301) } else { Value::Null });
    }
}

/// A rule without retries has those of the mesh configuration, if that has some, and a rule with its own keeps them.
#[test]
fn the_meshs_retries_are_those_that_envoy_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let resources = file(
        "shop.yaml",
        "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
  - {match: [{uri: {prefix: /own}}], retries: {attempts: 1, retryOn: reset}, route: [{destination: {host: shop}}]}
  - {route: [{destination: {host: shop}}]}
",
    );
    for (policy, path, expected) in [
        (
            "{attempts: 5, retryOn: '5xx,404', perTryTimeout: 2s, retryIgnorePreviousHosts: false}",
            "/",
            json!({"attempts": 5, "perTryTimeoutMs": 2000, "on": "5xx,retriable-status-codes", "sameHosts": true}),
        ),
        ("{attempts: 0}", "/", json!({"attempts": 0, "perTryTimeoutMs": null, "on": ""})),
        ("{attempts: 5}", "/own", json!({"attempts": 1, "perTryTimeoutMs": null, "on": "reset"})),
    ] {
        let mesh = file("mesh.config", &format!("defaultHttpRetryPolicy: {policy}\n"));
        let url = format!("GET http://shop.example{path}");
        let (_, answer) = explain(&["-f", &resources, "--mesh-config", &mesh], &[&url]);
        assert_eq!(answer["route"]["retries"], expected, "{policy} {path}");
    }
}

#[test]
fn draws_are_fixed_by_their_flag() {
    for (draw, delay, abort, subset) in [
        ("0", Some(5000), Some(418), "v1"),
        ("200000", Some(5000), None, "v1"),
        ("500000", None, None, "v1"),
        ("749999", None, None, "v1"),
        ("750000", None, None, "v2"),
    ] {
        let (code, answer) =
            explain(&[SHOP, &["--draw", draw]].concat(), &["GET http://shop.example/slow/x"]);
        assert_eq!(answer["fault"]["delayMs"].as_u64(), delay, "{draw}");
        assert_eq!(answer["fault"]["abortStatus"].as_u64(), abort, "{draw}");
        assert_eq!(
            (code, answer["outcome"].as_str()),
            if abort.is_some() { (1, Some("reply")) } else { (0, Some("forward")) }
        );
        let (_, answer) = explain(&[SHOP, &["--draw", draw]].concat(), &["GET http://shop.example/v1/"]);
        assert_eq!(answer["route"]["destination"]["subset"], subset, "{draw}");
    }
}

#[test]
fn replies_of_the_proxy_end_with_1() {
    let (code, answer) = explain(SHOP, &["GET http://shop.example/old"]);
    assert_eq!((code, answer["outcome"].as_str(), answer["status"].as_u64()), (1, Some("reply"), Some(301)));
    assert_eq!(answer["headers"]["set"]["location"], "http://shop.example/new");
    for (request, status) in [
        ("GET http://shop.example/other", 404),
        ("GET http://other.example/", 404),
        ("GET http://shop.example/%00", 400),
    ] {
        let (code, answer) = explain(SHOP, &[request]);
        assert_eq!(
            (code, answer["status"].as_u64(), &answer["route"]),
            (1, Some(status), &Value::Null),
            "{request}"
        );
    }
}

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
fn the_story_is_told_for_people() {
    let v1 = "GET http://shop.example/v1/cart?id=7";
    let bearer = bearer();
    let mut stories = String::new();
    for (request, flags) in [
        (&[v1][..], SHOP),
        (&["GET http://shop.example/slow/x"], SHOP),
        (&["GET http://shop.example/old"], SHOP),
        (&["GET http://nobody.example/"], SHOP),
        (&[v1, "-H", &bearer], SECURE),
        (&[v1], SECURE),
    ] {
        let (_, stdout, stderr) = outcome(&[&["explain"], request, flags].concat(), "");
        assert_eq!(stderr, "");
        stories += &format!("{stdout}\n");
    }
    assert_golden("explain/stories.txt", &stories);
}

#[test]
fn wrong_usage_and_resources_with_errors_end_with_2() {
    for wrong in [
        &["GET /path"][..],
        &["GET http://a/", "--draw", "1000000"],
        &["GET http://a/", "-H", "no colon"],
        &["GET http://a/", "--now", "yesterday"],
        &["GET http://a/", "--from-ip", "x"],
        &["GET http://a/", "-f", "absent"],
        &["GET http://a/", "-f", "eight-mistakes"],
    ] {
        let (code, stdout, stderr) = outcome(&[&["explain"], wrong, SHOP].concat(), "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong:?}");
        assert!(stderr.contains("error"), "{stderr}");
    }
}

#[test]
fn a_delegated_rule_is_told_with_the_one_that_delegates() {
    let resources = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: edge}
spec:
  hosts: [a.com]
  gateways: [default/gw]
  http:
  - directResponse: {status: 404}
    match: [{uri: {prefix: /none}}]
  - match: [{uri: {prefix: /a}}]
    delegate: {name: leaf, namespace: default}
    fault: {abort: {percentage: {value: 50}, httpStatus: 503}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: leaf}
spec:
  http:
  - match: [{headers: {x: {exact: '1'}}}, {uri: {prefix: /a/b}}]
    route: [{destination: {host: web.example}}]
";
    let ask = ["explain", "-f", "-", "-o", "json", "GET http://a.com/a/b", "--draw", "999999"];
    let (code, answer) = json(&ask, resources);
    let route = &answer["route"];
    assert_eq!(
        (code, &route["virtualService"], &route["match"]),
        (0, &"default/leaf".into(), &1.into()),
        "{answer:#}"
    );
    let root = json!({"virtualService": "edge/root", "rule": 1, "file": "<stdin>", "line": 18});
    assert_eq!(route["delegatedBy"], root, "{answer:#}");
    assert_eq!(answer["faultChances"]["abortPercent"], 50.0);
}

/// What PeerAuthentications make of the connection, before any request is read.
#[test]
fn a_connection_that_the_port_does_not_take_is_closed() {
    let policy = |mode: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n\
             metadata: {{name: default, namespace: istio-system}}\nspec: {{mtls: {{mode: {mode}}}}}\n"
        )
    };
    let own = "spiffe://cluster.local/ns/demo/sa/a";
    for (mode, peer, expected) in [
        ("STRICT", None, "reset"),
        ("STRICT", Some(own), "forward"),
        ("STRICT", Some("spiffe://evil.test/ns/demo/sa/a"), "reset"),
        ("STRICT", Some("spiffe://cluster.local.evil.test/ns/demo/sa/a"), "reset"),
        ("PERMISSIVE", None, "forward"),
        ("PERMISSIVE", Some(own), "forward"),
        ("DISABLE", None, "forward"),
        ("DISABLE", Some(own), "reset"),
    ] {
        let mut arguments = vec!["explain", "GET http://a:8080/", "-f", "-", "--role", "sidecar"];
        arguments.extend(["--direction", "inbound", "-o", "json"]);
        arguments.extend(peer.into_iter().flat_map(|peer| ["--peer", peer]));
        let (code, answer) = common::json(&arguments, &policy(mode));
        assert_eq!(answer["outcome"], expected, "{mode} {peer:?}");
        assert_eq!(code, i32::from(expected == "reset"), "{mode} {peer:?}");
        assert_eq!(answer["mtls"]["mode"], mode);
        assert_eq!(
            (&answer["mtls"]["policy"], &answer["mtls"]["line"]),
            (&"istio-system/default".into(), &4.into())
        );
    }
}

/// What the Sidecar's egress makes of a host.
#[test]
fn a_sidecar_knows_the_hosts_that_it_imports() {
    let mesh = |egress: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: default}}\n\
             spec: {{egress: [{{hosts: ['./*']}}], outboundTrafficPolicy: {egress}}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: mine}}\n\
             spec: {{hosts: [mine.com], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: theirs, namespace: other}}\n\
             spec: {{hosts: [theirs.com], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}\n"
        )
    };
    let proxy = "{mode: ALLOW_ANY, egressProxy: {host: mine.com, port: {number: 80}}}";
    for (policy, host, outcome, status, to) in [
        ("{mode: REGISTRY_ONLY}", "mine.com", "forward", None, Some("mine.com")),
        ("{mode: REGISTRY_ONLY}", "theirs.com", "reply", Some(502), None),
        ("{mode: ALLOW_ANY}", "theirs.com", "forward", None, None),
        ("{mode: ALLOW_ANY}", "theirs.com:15001", "reply", Some(502), None),
        (proxy, "theirs.com", "forward", None, Some("mine.com")),
    ] {
        let request = format!("GET http://{host}/");
        let arguments = ["explain", &request, "-f", "-", "--role", "sidecar", "-o", "json"];
        let (_, answer) = common::json(&arguments, &mesh(policy));
        let found =
            (&answer["outcome"], answer["status"].as_u64(), answer["route"]["destination"]["host"].as_str());
        assert_eq!(found, (&outcome.into(), status, to), "{policy} {host}");
    }
}
