//! Whole rules against whole requests. What is expected of Envoy's behaviour was seen on `jwt_authn` of Envoy 1.40.

mod decide;
mod dry_run;
mod fetched;
mod hostile;
mod mint;
mod record;
mod refused;
mod rfc;
mod signatures;
mod strange_signatures;

use std::sync::Arc;
use std::time::Duration;

use outrigger_api::node::Node;
use outrigger_api::resource::{Metadata, Source};
use outrigger_api::types::common::Target;
use outrigger_api::types::request_authentication::{ClaimToHeader, JwtHeader, JwtRule, KeySource};
use outrigger_api::types::request_authentication::{JwtAnnotations, RequestAuthentication};
use outrigger_api::{Kind, Proxy, Resource, Spec};

use super::*;
use crate::Connection;

/// The public keys of [`mint`].
const JWKS: &str = include_str!("tests/keys/jwks.json");

/// One key of every kind, likewise.
const ALL_KEYS: &str = include_str!("tests/keys/jwks-all.json");

/// When the tests take place: 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// A rule for `issuer` with the default places.
fn rule(issuer: &str) -> JwtRule {
    JwtRule {
        issuer: issuer.to_owned(),
        audiences: Vec::new(),
        keys: KeySource::Inline(JWKS.to_owned()),
        from_headers: Vec::new(),
        from_params: Vec::new(),
        from_cookies: Vec::new(),
        output_payload_to_header: None,
        output_claim_to_headers: Vec::new(),
        forward_original_token: false,
        timeout: None,
        space_delimited_claims: Vec::new(),
    }
}

/// Rules for issuer `i` with these keys.
fn rules_with_keys(jwks: &str) -> Rules {
    rules(vec![JwtRule { keys: KeySource::Inline(jwks.to_owned()), ..rule("i") }])
}

/// A rule for `issuer` that looks into a header of its own.
fn rule_at(issuer: &str, header: &str) -> JwtRule {
    let place = JwtHeader { name: header.to_owned(), prefix: String::new() };
    JwtRule { from_headers: vec![place], ..rule(issuer) }
}

fn claim_to_header(header: &str, claim: &str) -> ClaimToHeader {
    ClaimToHeader { header: header.to_owned(), claim: claim.to_owned() }
}

fn resource(namespace: &str, name: &str, jwt_rules: Vec<JwtRule>) -> Resource {
    annotated(namespace, name, jwt_rules, JwtAnnotations::default())
}

fn annotated(namespace: &str, name: &str, jwt_rules: Vec<JwtRule>, annotations: JwtAnnotations) -> Resource {
    let authentication = RequestAuthentication { target: Target::All, jwt_rules, annotations };
    Resource {
        meta: Metadata { name: name.to_owned(), namespace: namespace.to_owned(), ..Metadata::default() },
        api_version: "security.istio.io/v1".to_owned(),
        kind: Kind::RequestAuthentication,
        spec: Spec::RequestAuthentication(authentication),
        source: Source::default(),
        node: Arc::new(Node::null()),
    }
}

fn rules(jwt_rules: Vec<JwtRule>) -> Rules {
    Rules::compile(&[resource("default", "jwt", jwt_rules)], &Proxy::default()).unwrap()
}

/// What was decided, in a form that tables can hold.
#[derive(Debug, PartialEq)]
struct Seen {
    principal: Option<String>,
    failure: Option<Failure>,
    rule: Option<usize>,
    ops: Vec<String>,
}

/// What comes of a request; the same without a cache, and with one that sees its tokens for the first time and again.
fn verify<'e>(rules: &'e Rules, request: &Request<'_>) -> Outcome<'e> {
    let cache = Cache::new(1);
    let with = |cache| {
        let means = Means { cache, ..Means::offline(&RustCrypto) };
        rules.verify(request, Now(Duration::from_secs(NOW)), &means)
    };
    let outcome = with(None);
    for time in 1..4 {
        let cached = with(Some(&cache));
        assert_eq!(format!("{cached:?}"), format!("{outcome:?}"), "{time}");
    }
    outcome
}

/// Sends a `GET /` with these headers, which may replace those of HTTP/2.
fn send(rules: &Rules, lines: &[(&str, &str)]) -> Seen {
    let mut headers: Vec<(&[u8], &[u8])> =
        lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    for (name, value) in [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a")] {
        if !lines.iter().any(|(sent, _)| *sent == name) {
            headers.push((name.as_bytes(), value.as_bytes()));
        }
    }
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let outcome = verify(rules, &request);
    assert_eq!(outcome.reply(&request).is_some(), outcome.failure.is_some());
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ops = outcome.ops.iter().map(|op| match op {
        HeaderOp::Set(name, value) => format!("{name}={}", show(value)),
        HeaderOp::Add(name, value) => format!("{name}+{}", show(value)),
        HeaderOp::Remove(name) => format!("-{name}"),
    });
    Seen {
        principal: outcome.identity.and_then(|identity| identity.principal()),
        failure: outcome.failure,
        rule: outcome.rule.map(|rule| rule.rule),
        ops: ops.collect(),
    }
}

/// Sends one token as `Authorization: Bearer …`.
fn bearer(rules: &Rules, token: &str) -> Seen {
    send(rules, &[("authorization", &format!("Bearer {token}"))])
}
