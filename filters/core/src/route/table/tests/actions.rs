//! What a rule does with the request.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use outrigger_api::types::common::{HeaderOperations, StringMatch};
use outrigger_api::types::virtual_service::{
    DirectResponse, HttpMatchRequest, HttpRetry, HttpRoute, Redirect, RedirectCode, RedirectPath,
    RedirectPort, Rewrite, RewritePath, RouteAction,
};

use super::super::super::testing::*;
use super::*;

fn served(rule: HttpRoute) -> Table {
    table(&[gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![rule])], &ingress())
}

fn destinations(rule: &mut HttpRoute) -> &mut Vec<outrigger_api::types::virtual_service::RouteDestination> {
    match &mut rule.action {
        RouteAction::Route(destinations) => destinations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_destination_is_drawn_by_weight_and_zero_weights_are_dropped() {
    let table = served(forward(&[("v1", 75), ("off", 0), ("v2", 25)]));
    for (draw, host) in [(0, "v1"), (749_999, "v1"), (750_000, "v2"), (999_999, "v2")] {
        let expected = format!("x-outrigger-cluster: outbound|80||{host}.default.svc.cluster.local");
        assert_eq!(outcome(&table, &get("a.com", "/", &[]), draw), Some(expected));
    }
    let lines = get("a.com", "/", &[]);
    let request = Request::new(&lines, &Connection::UNKNOWN);
    let choice = table.find(&request).unwrap().choose(&request, &mut Draws::Fixed(0));
    let weights: Vec<_> = choice.alternatives().map(|(to, weight)| (to.host.as_str(), weight)).collect();
    let expected = [("v1.default.svc.cluster.local", 75), ("v2.default.svc.cluster.local", 25)];
    assert_eq!(weights, expected);
    assert_eq!(table.destinations().count(), 2);
    // Of a single destination any weight will do.
    assert!(outcome(&served(forward(&[("v1", 0)])), &lines, 999_999).is_some());
}

#[test]
fn timeout_and_retries_become_the_routers_headers() {
    let mut rule = forward(&[("v1", 0)]);
    rule.timeout = Some(Duration::from_secs(3));
    rule.retries = Some(HttpRetry {
        attempts: 3,
        per_try_timeout: Some(Duration::from_secs(2)),
        retry_on: None,
        retry_remote_localities: None,
        retry_ignore_previous_hosts: Some(true),
        backoff: None,
    });
    let expected = "x-outrigger-cluster: outbound|80||v1.default.svc.cluster.local
x-outrigger-own-retries: 1
x-envoy-retry-on: connect-failure,refused-stream,retriable-status-codes
x-envoy-retry-grpc-on: unavailable,cancelled
x-envoy-max-retries: 3
x-envoy-upstream-rq-per-try-timeout-ms: 2000
x-envoy-upstream-rq-timeout-ms: 3000";
    assert_eq!(outcome(&served(rule), &get("a.com", "/", &[]), 0).as_deref(), Some(expected));
}

#[test]
fn a_rewrite_replaces_what_has_matched() {
    let rewrite = |path: &str, authority: Option<&str>| Rewrite {
        path: (!path.is_empty()).then(|| RewritePath::Uri(path.to_owned())),
        authority: authority.map(str::to_owned),
    };
    let any = HttpMatchRequest::default;
    for (matched, rewritten, sent, path, authority) in [
        (prefix("/myapp"), rewrite("/", None), "/myapp", "/", "a.com"),
        (prefix("/myapp"), rewrite("/", None), "/myapp/x?q=1", "//x?q=1", "a.com"),
        (prefix("/x/"), rewrite("/y", None), "/x/a", "/ya", "a.com"),
        (any(), rewrite("/new", None), "/foo", "/newfoo", "a.com"),
        (exact("/foo"), rewrite("/bar", None), "/foo?q", "/bar?q", "a.com"),
        (any(), rewrite("", Some("b.com")), "/foo", "/foo", "b.com"),
    ] {
        let mut rule = on(forward(&[("v1", 0)]), &[matched]);
        rule.rewrite = Some(rewritten);
        let table = served(rule);
        let lines = get("a.com", sent, &[]);
        let request = Request::new(&lines, &Connection::UNKNOWN);
        let choice = table.find(&request).unwrap().choose(&request, &mut Draws::Fixed(0));
        assert_eq!(choice.path(&request), path.as_bytes(), "{sent}");
        assert_eq!(choice.authority(&request), authority.as_bytes());
        let ops = outcome(&table, &lines, 0).unwrap();
        let has = |line: String| ops.lines().any(|op| op == line);
        assert_eq!(has(format!("x-envoy-original-path: {sent}")), has(format!(":path: {path}")));
        assert_eq!(has("x-envoy-original-host: a.com".into()), authority == "b.com");
        assert_eq!(has(format!(":path: {path}")), matches!(authority, "a.com"));
    }
}

#[test]
fn case_is_ignored_where_asked_and_the_prefix_still_goes() {
    let matched = HttpMatchRequest { ignore_uri_case: true, ..prefix("/API") };
    let mut rule = on(forward(&[("v1", 0)]), &[matched]);
    rule.rewrite = Some(Rewrite { path: Some(RewritePath::Uri("/v1".into())), authority: None });
    let table = served(rule);
    let sent = outcome(&table, &get("a.com", "/api/X", &[]), 0).unwrap();
    assert!(sent.contains(":path: /v1/X"), "{sent}");
}

/// With one destination its headers win over the rule's; with several the rule's win.
#[test]
fn header_precedence_flips_with_the_number_of_destinations() {
    let changed = |hosts: &[(&str, u32)]| {
        let mut rule = forward(hosts);
        rule.headers.request = HeaderOperations { remove: vec!["x-c".into()], ..set(&[("x-a", "rule")]) };
        for destination in destinations(&mut rule) {
            let own = set(&[("x-a", "destination"), ("x-c", "set")]);
            destination.headers.request = HeaderOperations { remove: vec!["x-a".into()], ..own };
        }
        let sent = outcome(&served(rule), &get("a.com", "/", &[]), 0).unwrap();
        let ours = sent.lines().filter(|line| !line.contains("outrigger"));
        ours.map(str::to_owned).collect::<Vec<_>>()
    };
    let single = ["-x-c", "-x-a", "x-a: rule", "x-a: destination", "x-c: set"];
    assert_eq!(changed(&[("v1", 0)]), single);
    let several = ["-x-a", "x-a: destination", "x-c: set", "-x-c", "x-a: rule"];
    assert_eq!(changed(&[("v1", 1), ("v2", 1)]), several);
}

#[test]
fn the_rules_authority_beats_the_destinations() {
    for hosts in [&[("v1", 0)][..], &[("v1", 1), ("v2", 1)]] {
        let mut rule = forward(hosts);
        for destination in destinations(&mut rule) {
            destination.headers.request = set(&[(":authority", "destination.com")]);
        }
        let sent = outcome(&served(rule.clone()), &get("a.com", "/", &[]), 0).unwrap();
        assert!(sent.lines().any(|line| line == ":authority: destination.com"), "{sent}");
        rule.headers.request = set(&[("host", "rule.com")]);
        let sent = outcome(&served(rule.clone()), &get("a.com", "/", &[]), 0).unwrap();
        assert!(sent.lines().any(|line| line == ":authority: rule.com"), "{sent}");
        rule.rewrite = Some(Rewrite { path: None, authority: Some("rewrite.com".into()) });
        let sent = outcome(&served(rule), &get("a.com", "/", &[]), 0).unwrap();
        assert!(sent.lines().any(|line| line == ":authority: rewrite.com"), "{sent}");
    }
}

/// A weighted cluster of Envoy's does not tell the upstream of the authority that it replaces.
#[test]
fn the_original_authority_is_told_as_envoy_tells_it() {
    for (hosts, of_rule, told) in [
        (&[("v1", 0)][..], false, Some("a.com")),
        (&[("v1", 0)], true, Some("a.com")),
        (&[("v1", 1), ("v2", 1)], false, None),
        (&[("v1", 1), ("v2", 0)], false, None),
        (&[("v1", 1), ("v2", 1)], true, Some("destination.com")),
    ] {
        let mut rule = forward(hosts);
        for destination in destinations(&mut rule) {
            destination.headers.request = set(&[("host", "destination.com")]);
        }
        if of_rule {
            rule.headers.request = set(&[("host", "rule.com")]);
        }
        let sent = outcome(&served(rule), &get("a.com", "/", &[]), 0).unwrap();
        let seen = sent.lines().find_map(|line| line.strip_prefix("x-envoy-original-host: "));
        assert_eq!(seen, told, "{hosts:?}");
    }
}

#[test]
fn redirects_carry_a_location_and_the_rules_headers() {
    let mut rule = rule(RouteAction::Redirect(Redirect {
        path: Some(RedirectPath::Full("/new".into())),
        authority: Some("b.com".into()),
        port: RedirectPort::FromRequest,
        scheme: None,
        code: RedirectCode::PermanentRedirect,
    }));
    rule.headers.response = set(&[("x-a", "1")]);
    let answered = outcome(&served(rule.clone()), &get("a.com", "/old?q", &[]), 0);
    assert_eq!(answered.as_deref(), Some("308\nlocation: http://b.com/new?q\nx-a: 1\n"));
    rule.headers.response = set(&[("location", "/x")]);
    let answered = outcome(&served(rule), &get("a.com", "/old", &[]), 0);
    assert_eq!(answered.as_deref(), Some("308\nlocation: /x\n"));
}

#[test]
fn direct_responses_are_plain_text_unless_the_rule_says_otherwise() {
    let mut rule = says("hello");
    let lines = get("a.com", "/", &[]);
    let plain = "200\ncontent-type: text/plain\nhello";
    assert_eq!(outcome(&served(rule.clone()), &lines, 0).as_deref(), Some(plain));
    rule.headers.response = HeaderOperations {
        add: vec![("content-type".into(), "a/b".into())],
        remove: vec!["content-type".into()],
        ..set(&[("x-a", "100%%")])
    };
    let changed = "200\nx-a: 100%\ncontent-type: a/b\nhello";
    assert_eq!(outcome(&served(rule), &lines, 0).as_deref(), Some(changed));
}

/// Envoy names the place of what was created, and of anything in the three hundreds.
#[test]
fn a_direct_response_that_speaks_of_a_place_names_it() {
    for (status, location) in
        [(201, true), (300, true), (399, true), (200, false), (202, false), (400, false)]
    {
        let direct = DirectResponse { status, body: None };
        let answered =
            outcome(&served(rule(RouteAction::DirectResponse(direct))), &get("a.com", "/x?q", &[]), 0);
        let header = if location { "location: http://a.com/x?q\n" } else { "" };
        assert_eq!(answered, Some(format!("{status}\n{header}")));
    }
}

#[test]
fn direct_responses_that_redirect_lead_to_where_the_request_went() {
    for (status, headers) in
        [(200, ""), (201, "location: http://a.com/x?q\n"), (304, "location: http://a.com/x?q\n")]
    {
        let rule = rule(RouteAction::DirectResponse(DirectResponse { status, body: None }));
        let answered = outcome(&served(rule), &get("a.com", "/x?q", &[]), 0);
        assert_eq!(answered, Some(format!("{status}\n{headers}")));
    }
}

#[test]
fn hostile_bytes_are_routed_like_any_others() {
    let mut rule = on(forward(&[("v1", 0)]), &[prefix("/a"), prefix("")]);
    rule.rewrite = Some(Rewrite { path: Some(RewritePath::Uri("/b".into())), authority: None });
    rule.matches[0].headers =
        vec![(outrigger_api::types::virtual_service::HeaderKey::Name("x".into()), StringMatch::Present)];
    let table = served(rule);
    for bytes in [&b"/\xff\x80%%%"[..], b"", b"?", b"%", b"/a\0", &[b'a'; 70_000]] {
        let lines =
            [(&b":authority"[..], &b"a.com"[..]), (b":path", bytes), (b"x", bytes), (b":method", bytes)];
        let hostile = [(&b":authority"[..], bytes), (b":path", bytes)];
        assert!(outcome(&table, &lines, 0).is_some());
        assert_eq!(outcome(&table, &hostile, 0), None);
    }
}
