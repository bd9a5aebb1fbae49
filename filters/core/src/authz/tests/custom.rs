//! Policies with `action: CUSTOM`: when a server is asked, what it is asked, and what its answer means.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::extension_provider::{ExtAuthzHttp, ExtensionProvider, ProviderKind};
use outrigger_api::{Config, Decoder, Spec};
use serde_json::{Value, json};

use super::{Call, Policies, Proxy, resource};
use crate::authz::ext_authz::{self, Answer};
use crate::verdict::HeaderOp;

fn providers(fields: &Value) -> Vec<ExtensionProvider> {
    let mut http = json!({"service": "authz.example", "port": 8000});
    for (name, value) in fields.as_object().expect("fields") {
        http[name] = value.clone();
    }
    let config = json!({
        "proxy": {"role": "gateway"},
        "resources": [],
        "extensionProviders": [
            {"name": "web", "envoyExtAuthzHttp": http},
            {"name": "rpc", "envoyExtAuthzGrpc": {"service": "authz.example", "port": 9000}},
        ],
    });
    let config = Config::read(config.to_string().as_bytes(), &[Decoder::AUTHORIZATION_POLICY]);
    config.expect("a configuration").extension_providers
}

fn http(fields: &Value) -> ExtAuthzHttp {
    match providers(fields).swap_remove(0).kind {
        ProviderKind::ExtAuthzHttp(http) => *http,
        ProviderKind::ExtAuthzGrpc(_) => panic!("not HTTP"),
    }
}

fn custom(provider: &str, path: &str) -> Value {
    json!({
        "action": "CUSTOM",
        "provider": {"name": provider},
        "rules": [{"to": [{"operation": {"paths": [path]}}]}],
    })
}

#[test]
fn a_server_is_asked_if_a_rule_matches() {
    let resources = [resource("b", &custom("web", "/asked*")), resource("a", &custom("web", "/asked/twice"))];
    let policies = Policies::compile(&resources, &Proxy::default(), &providers(&json!({}))).unwrap();
    for (path, expected) in
        [("/", None), ("/asked", Some("default/b[0]")), ("/asked/twice", Some("default/a[0]"))]
    {
        Call::get(path).view(|request| {
            let [custom] = policies.customs() else { panic!("one server") };
            let ask = custom.ask(request);
            assert_eq!(ask.map(|ask| ask.rule.to_string()).as_deref(), expected, "{path}");
            assert!(ask.is_none_or(|ask| ask.provider.name == "web" && !ask.dry_run));
            // The other policies have nothing to do with it.
            assert!(policies.decide(request).allowed);
        });
    }
}

#[test]
fn a_server_that_is_tried_out_is_asked_besides() {
    let mut tried = resource("tried", &custom("rpc", "/asked*"));
    if let Spec::AuthorizationPolicy(policy) = &mut tried.spec {
        policy.dry_run = true;
    }
    let resources = [resource("real", &custom("web", "/asked*")), tried];
    let policies = Policies::compile(&resources, &Proxy::default(), &providers(&json!({}))).unwrap();
    Call::get("/asked").view(|request| {
        let asks: Vec<_> = policies.customs().iter().filter_map(|custom| custom.ask(request)).collect();
        let seen: Vec<_> = asks.iter().map(|ask| (ask.provider.name.as_str(), ask.dry_run)).collect();
        assert_eq!(seen, [("rpc", true), ("web", false)]);
    });
}

#[test]
fn a_server_that_is_not_there_and_a_second_one_are_refused() {
    for (resources, message) in [
        (vec![resource("a", &custom("wep", "/"))], "there is no extension provider `wep`"),
        (
            vec![resource("a", &custom("web", "/")), resource("b", &custom("rpc", "/"))],
            "a workload can ask one extension provider, not `web` and `rpc`",
        ),
    ] {
        let problems = Policies::compile(&resources, &Proxy::default(), &providers(&json!({}))).unwrap_err();
        let told: Vec<_> =
            problems.iter().map(|problem| (problem.path.to_string(), problem.message.as_str())).collect();
        assert_eq!(told, [("spec.provider.name".to_owned(), message)]);
    }
}

#[test]
fn what_a_filter_can_not_ask_is_named() {
    let refused = |fields: Value, responds| ext_authz::unaskable(&providers(&fields)[0], responds).is_some();
    assert!(ext_authz::unaskable(&providers(&json!({}))[1], true).is_some_and(|why| why.contains("gRPC")));
    assert!(!refused(json!({"timeout": "1s", "headersToUpstreamOnAllow": ["x-*"]}), false));
    assert!(refused(json!({"includeRequestBodyInCheck": {"maxRequestBytes": 10}}), true));
    assert!(refused(json!({"includeAdditionalHeadersInCheck": {"x": "%PROTOCOL%"}}), true));
    let downstream = json!({"headersToDownstreamOnAllow": ["x"]});
    assert!(refused(downstream.clone(), false) && !refused(downstream, true));
}

#[test]
fn the_question_has_the_headers_asked_for() {
    let http = http(&json!({
        "pathPrefix": "/check",
        "includeRequestHeadersInCheck": ["Cookie", "x-*", "*-id", "content-length"],
        "includeAdditionalHeadersInCheck": {"X-By": "outrigger"},
    }));
    let mut call = Call::get("/a?b=c");
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("cookie", "c=1"),
        ("x-one", "1"),
        ("x-one", "2"),
        ("x-by", "eve"),
        ("request-id", "7"),
        ("content-length", "99"),
        ("other", "no"),
    ] {
        call = call.line(name, value.as_bytes());
    }
    call.view(|request| {
        let lines = ext_authz::question(&http, request);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lines: Vec<_> =
            lines.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect();
        assert_eq!(
            lines,
            [
                ":method: GET",
                ":path: /check/a?b=c",
                ":authority: httpbin",
                ":scheme: http",
                "content-length: 0",
                "authorization: Bearer t",
                "cookie: c=1",
                "x-one: 1,2",
                "request-id: 7",
                "x-by: outrigger",
            ]
        );
        assert_eq!(ext_authz::cluster(&http), "outbound|8000||authz.example");
    });
}

#[test]
fn answers() {
    let http = http(&json!({
        "statusOnError": "503",
        "headersToUpstreamOnAllow": ["x-*", "host"],
        "headersToDownstreamOnAllow": ["set-cookie"],
        "headersToDownstreamOnDeny": ["x-why"],
    }));
    let lines = |status: &'static str| {
        let more: [(&[u8], &[u8]); 9] = [
            (b"x-envoy-auth-headers-to-remove", b" Authorization ,x-key,:path, Host"),
            (b"x-user", b"ann"),
            (b"x-envoy-auth-headers-to-remove", b"x-secret"),
            (b"set-cookie", b"c=1"),
            (b"set-cookie", b"d=2"),
            (b"x-why", b"no"),
            (b"location", b"/login"),
            (b"host", b"evil"),
            (b"content-length", b"2"),
        ];
        [&[(&b":status"[..], status.as_bytes())][..], &more].concat()
    };
    let set = |name: &'static str, value: &'static [u8]| HeaderOp::Set(name.into(), value.into());
    let add = |value: &'static [u8]| HeaderOp::Add("set-cookie".into(), value.into());
    let gone = |name: &'static str| HeaderOp::Remove(name.into());
    let allowed = ext_authz::answer(&http, &lines("200"), b"");
    let removed = [gone("authorization"), gone("x-key"), gone("x-secret")];
    let upstream = [&[set("x-user", b"ann"), set("x-why", b"no")][..], &removed].concat();
    let downstream = vec![add(b"c=1"), add(b"d=2")];
    assert_eq!(allowed, Answer::Allowed { upstream, downstream });
    for (answer, status, headers, body, details) in [
        ("302", 302, vec!["x-why", "location"], "no", "ext_authz_denied"),
        ("401", 401, vec!["x-why", "location"], "no", "ext_authz_denied"),
        ("201", 201, vec!["x-why", "location"], "no", "ext_authz_denied"),
        ("600", 600, vec!["x-why", "location"], "no", "ext_authz_denied"),
        ("500", 503, vec![], "", "ext_authz_error"),
        ("599", 503, vec![], "", "ext_authz_error"),
        ("garbage", 503, vec![], "", "ext_authz_error"),
    ] {
        let Answer::Denied(reply) = ext_authz::answer(&http, &lines(answer), b"no") else {
            panic!("{answer} lets it pass")
        };
        let names: Vec<_> = reply.headers.iter().map(|(name, _)| &**name).collect();
        assert_eq!((reply.status, names, &*reply.details), (status, headers, details), "{answer}");
        assert_eq!(&*reply.body, body.as_bytes());
    }
    assert!(matches!(ext_authz::answer(&http, &[], b""), Answer::Denied(reply) if reply.status == 503));
}

#[test]
fn an_error_lets_pass_only_where_asked_to() {
    let open = http(&json!({"failOpen": true}));
    let nothing = Answer::Allowed { upstream: Vec::new(), downstream: Vec::new() };
    assert_eq!(ext_authz::answer(&open, &[], b""), nothing);
    assert_eq!(ext_authz::answer(&open, &[(b":status", b"500"), (b"x", b"y")], b""), nothing);
    assert!(matches!(ext_authz::answer(&open, &[(b":status", b"403")], b""), Answer::Denied(_)));
    let closed = http(&json!({}));
    assert!(matches!(ext_authz::answer(&closed, &[], b""), Answer::Denied(reply) if reply.status == 403));
    // All headers but those of the message itself, if no list is given.
    let lines: [(&[u8], &[u8]); 3] =
        [(b":status", b"403"), (b"x-any", b"1"), (b"transfer-encoding", b"chunked")];
    let Answer::Denied(reply) = ext_authz::answer(&closed, &lines, b"") else { panic!("passes") };
    assert_eq!(reply.headers.len(), 1);
}
