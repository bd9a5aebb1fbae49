use std::time::Duration;

use outrigger_api::types::common::StringMatch;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::Connection;
use crate::request::HeaderLine;

fn exact(text: &str) -> StringMatch {
    StringMatch::Exact(text.to_owned())
}

fn prefix(text: &str) -> StringMatch {
    StringMatch::Prefix(text.to_owned())
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// Everything that a policy can say.
fn full() -> CorsPolicy {
    CorsPolicy {
        allow_origins: vec![exact("https://a.com"), prefix("https://b.")],
        allow_methods: names(&["GET", "POST"]),
        allow_headers: names(&["x-a", "x-b"]),
        expose_headers: names(&["x-c", "x-d"]),
        max_age: Some(Duration::from_secs(86_400)),
        allow_credentials: Some(true),
        unmatched_preflights: UnmatchedPreflights::Forward,
    }
}

/// What becomes of a request with these headers: a preflight's answer, the changes to the response, `refused`, or
/// nothing.
fn judged(policy: &CorsPolicy, method: &str, headers: &[(&str, &str)]) -> String {
    let cors = Cors::new(policy).unwrap();
    let lines: Vec<HeaderLine<'_>> = std::iter::once(&(":method", method))
        .chain(headers)
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let line = |name: &str, value: &[u8]| {
        format!("{}: {}", name.strip_prefix("access-control-").unwrap(), value.escape_ascii())
    };
    match cors.judge(&Request::new(&lines, &Connection::UNKNOWN)) {
        None => "nothing".to_owned(),
        Some(Judgement::Refused) => "refused".to_owned(),
        Some(Judgement::Preflight(reply)) => {
            assert_eq!((reply.status, &*reply.details), (200, "cors_response"));
            assert!(reply.body.is_empty());
            let lines = reply.headers.iter().map(|(name, value)| line(name, value));
            format!("200 {}", lines.collect::<Vec<_>>().join("; "))
        }
        Some(Judgement::Allowed(ops)) => {
            let lines = ops.iter().map(|op| match op {
                HeaderOp::Set(name, value) => line(name, value),
                other => panic!("{other:?}"),
            });
            lines.collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn the_full_policy() {
    let a = ("origin", "https://a.com");
    let asks = ("access-control-request-method", "PUT");
    let preflight = "200 allow-origin: https://a.com; allow-credentials: true; allow-methods: GET,POST; \
                     allow-headers: x-a,x-b; max-age: 86400; expose-headers: x-c,x-d";
    let allowed = "allow-origin: https://a.com; allow-credentials: true; expose-headers: x-c,x-d";
    for (method, headers, expected) in [
        ("OPTIONS", &[a, asks][..], preflight),
        ("OPTIONS", &[a], allowed),
        ("OPTIONS", &[a, ("access-control-request-method", "")], allowed),
        ("OPTIONS", &[asks], "nothing"),
        ("OPTIONS", &[("origin", ""), asks], "nothing"),
        ("OPTIONS", &[("origin", "https://c.com"), asks], "refused"),
        ("options", &[a, asks], allowed),
        ("GET", &[a], allowed),
        ("GET", &[a, asks], allowed),
        ("GET", &[], "nothing"),
        ("GET", &[("origin", "https://a.com.evil.example")], "refused"),
        ("GET", &[("origin", "https://A.com")], "refused"),
    ] {
        assert_eq!(judged(&full(), method, headers), expected, "{method} {headers:?}");
    }
}

#[test]
fn any_matcher_that_takes_a_star_lets_every_origin_in() {
    let regex = |source: &str| {
        // A regex of the types can only be made by reading one.
        let policy = serde_json::json!({"allowOrigins": [{"regex": source}]});
        let route = serde_json::json!([{"destination": {"host": "b"}}]);
        let text = serde_json::json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "x"},
            "spec": {"hosts": ["a.com"], "http": [{"route": route, "corsPolicy": policy}]},
        });
        let resource = outrigger_api::parse_json(text.to_string().as_bytes(), "default").resources.remove(0);
        match resource.spec {
            outrigger_api::Spec::VirtualService(service) => {
                service.http[0].cors_policy.as_ref().unwrap().allow_origins[0].clone()
            }
            other => panic!("{other:?}"),
        }
    };
    for (origins, origin, allowed) in [
        (vec![exact("*")], "https://x.com", true),
        (vec![exact("https://a.com"), exact("*")], "null", true),
        (vec![prefix("*")], "https://x.com", true),
        (vec![regex(".*")], "https://x.com", true),
        (vec![regex("https://.*")], "https://x.com", true),
        (vec![regex("https://.*")], "http://x.com", false),
        (vec![regex(r"https://[a-z]+\.x\.com")], "https://ab.x.com", true),
        (vec![regex(r"https://[a-z]+\.x\.com")], "https://ab.x.com.evil", false),
        (vec![prefix("https://x")], "https://x.com", true),
        (vec![exact("null")], "null", true),
        (Vec::new(), "https://x.com", false),
    ] {
        let policy = CorsPolicy { allow_origins: origins.clone(), ..CorsPolicy::default() };
        let expected = if allowed { format!("allow-origin: {origin}") } else { "refused".to_owned() };
        assert_eq!(judged(&policy, "GET", &[("origin", origin)]), expected, "{origins:?}");
    }
}

#[test]
fn a_star_is_answered_with_what_is_asked_for() {
    let asks = [("origin", "o"), ("access-control-request-method", "PUT")];
    let with_headers = [asks[0], asks[1], ("access-control-request-headers", "x-1, x-2")];
    let policy = |methods: &[&str], headers: &[&str]| CorsPolicy {
        allow_origins: vec![exact("*")],
        allow_methods: names(methods),
        allow_headers: names(headers),
        ..CorsPolicy::default()
    };
    let star = policy(&["*"], &["*"]);
    for (policy, headers, expected) in [
        (&star, &with_headers[..], "200 allow-origin: o; allow-methods: PUT; allow-headers: x-1, x-2"),
        (&star, &asks[..], "200 allow-origin: o; allow-methods: PUT; allow-headers: "),
        (
            &policy(&["*", "GET"], &["*", "x"]),
            &asks[..],
            "200 allow-origin: o; allow-methods: *,GET; allow-headers: *,x",
        ),
        (&policy(&[], &[]), &with_headers[..], "200 allow-origin: o"),
    ] {
        assert_eq!(judged(policy, "OPTIONS", headers), expected);
    }
}

#[test]
fn credentials_are_allowed_only_if_the_policy_says_so() {
    for (credentials, header) in [(None, ""), (Some(false), ""), (Some(true), "; allow-credentials: true")] {
        let policy = CorsPolicy {
            allow_origins: vec![exact("o")],
            allow_credentials: credentials,
            ..CorsPolicy::default()
        };
        assert_eq!(judged(&policy, "GET", &[("origin", "o")]), format!("allow-origin: o{header}"));
    }
}

#[test]
fn an_unmatched_preflight_is_forwarded_or_answered_without_an_origin() {
    let preflight = [("origin", "https://c.com"), ("access-control-request-method", "PUT")];
    assert_eq!(judged(&full(), "OPTIONS", &preflight), "refused");
    let ignore = CorsPolicy { unmatched_preflights: UnmatchedPreflights::Ignore, ..full() };
    let expected =
        "200 allow-credentials: true; allow-methods: GET,POST; allow-headers: x-a,x-b; max-age: 86400";
    assert_eq!(judged(&ignore, "OPTIONS", &preflight), expected);
    assert_eq!(judged(&ignore, "GET", &preflight), "refused");
}
