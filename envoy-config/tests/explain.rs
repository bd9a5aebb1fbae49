//! `outrigger explain` from outside: the JSON of the contract, exit codes, the story.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::explain::{SECURE, bearer, explain};
use common::{assert_golden, json, outcome};
use serde_json::{Value, json};

const SHOP: &[&str] = &["-f", "explain/shop.yaml"];
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

#[test]
fn where_nothing_would_run_there_is_no_answer() {
    let yaml = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n  \
                http:\n  - route: [{destination: {host: shop, subset: none}}]\n";
    let asked = ["explain", "http://other/", "--role", "sidecar", "--direction", "outbound", "-f", "-"];
    let (code, printed, said) = outcome(&asked, yaml);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(said.contains("error[IST0101]") && said.contains("`run` refuses these resources"), "{said}");
}

#[test]
fn a_destination_that_nobody_has_is_not_found() {
    let yaml = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n\
                metadata: {name: shop, annotations: {galley.istio.io/analyze-suppress: IST0101}}\nspec:\n  hosts: [shop]\n  \
                http:\n  - route: [{destination: {host: shop, subset: v1}}]\n\
                ---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: shop}\nspec: {host: shop, \
                exportTo: [elsewhere], subsets: [{name: v1}]}\n";
    let asked = ["explain", "http://shop/", "--role", "sidecar", "--direction", "outbound", "-f", "-"];
    let (code, answer) = json(&[&asked[..], &["-o", "json"]].concat(), yaml);
    assert_eq!((code, &answer["status"], &answer["details"]), (1, &json!(503), &json!("cluster_not_found")));
    let (_, story, _) = outcome(&asked, yaml);
    let expected = "answered with 503 (there is no shop.default.svc.cluster.local:80 subset v1)\n";
    assert!(story.ends_with(expected), "{story}");
}

#[test]
fn a_request_need_not_stand_in_quotes() {
    let quoted = explain(SHOP, &["GET http://shop.example/v1/cart"]);
    assert_eq!(explain(SHOP, &["GET", "http://shop.example/v1/cart"]), quoted);
    assert_eq!(explain(SHOP, &["http://shop.example/v1/cart"]), quoted);
    let (code, _, said) = outcome(&[&["explain", "GET shop.example"], SHOP].concat(), "");
    assert!(code == 2 && said.contains("not a URL that begins with `http://`"), "{said}");
}

#[test]
fn what_no_client_of_http_1_can_ask_is_refused_before_any_filter() {
    for request in
        ["get http://shop.example/v1/cart", "FOO http://shop.example/v1/cart", "GET http://shop.example/v1/ü"]
    {
        let (code, answer) = explain(SHOP, &[request]);
        let expected = (1, &json!(400), &json!("http1.codec_error"));
        assert_eq!((code, &answer["status"], &answer["details"]), expected, "{request}");
    }
}
