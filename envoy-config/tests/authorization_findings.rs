//! What `analyze` says of rules must be true: requests by the thousand are shown to the engine that filters run.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

use std::cell::Cell;
use std::net::IpAddr;

use envoy_config::analyze::{Finding, Level, analyze};
use envoy_config::load::Inputs;
use envoy_config::mesh_config;
use outrigger_api::{Proxy, parse_json};
use outrigger_core::authz::Policies;
use outrigger_core::jwt::Identity;
use outrigger_core::{Connection, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};

/// A field with its `not…` twin or its key, and values of which some are slips.
const SOURCES: &[(&str, &str, &[&str])] = &[
    (
        "principals",
        "notPrincipals",
        &[
            "td/ns/a/sa/x",
            "td/ns/b/sa/x",
            "*/sa/x",
            "td/ns/a/*",
            "*",
            "spiffe://td/ns/a/sa/x",
            "cluster.local/ns/a/sa/x",
        ],
    ),
    ("namespaces", "notNamespaces", &["a", "b", "a*", "*", "*b"]),
    ("trustDomains", "notTrustDomains", &["td", "old", "*"]),
    ("requestPrincipals", "notRequestPrincipals", &["i/s", "i/*", "*/s", "*", "i", "j/s"]),
    ("ipBlocks", "notIpBlocks", &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0"]),
];
const OPERATIONS: &[(&str, &str, &[&str])] = &[
    ("hosts", "notHosts", &["Shop.example", "*.example", "shop.*", "*", "http://shop.example"]),
    ("ports", "notPorts", &["80", "81"]),
    ("methods", "notMethods", &["GET", "POST", "get", "*", "P*"]),
    ("paths", "notPaths", &["/a", "/a*", "/a/b", "*b", "/a/{*}", "/{**}", "*", "a", "/a?q", "/a/*"]),
];
const CONDITIONS: &[(&str, &[&str])] = &[
    ("request.headers[h]", &["x", "y", "x*", "*"]),
    ("request.headers[bad name]", &["x"]),
    ("source.ip", &["10.0.0.0/8", "10.1.0.0/16", "11.0.0.1"]),
    ("source.namespace", &["a", "b", "a*"]),
    ("source.serviceAccount", &["a/x", "b/x"]),
    ("source.principal", &["td/ns/a/sa/x", "*"]),
    ("request.auth.principal", &["i/s", "i/*", "*"]),
    ("request.auth.claims[c]", &["x", "y", "*"]),
    ("destination.port", &["80", "81"]),
    ("connection.sni", &["shop.example", "Shop.example", "*.example"]),
];

fn lists(values: &'static [&'static str]) -> impl Strategy<Value = (Vec<&'static str>, Vec<&'static str>)> {
    let some = || subsequence(values, 0..=values.len().min(2));
    (some(), prop_oneof![3 => Just(Vec::new()), 1 => some()])
}

/// A source or an operation.
fn part(
    fields: &'static [(&'static str, &'static str, &'static [&'static str])],
) -> impl Strategy<Value = Value> {
    let field = select(fields)
        .prop_flat_map(|(name, not, values)| lists(values).prop_map(move |lists| (name, not, lists)));
    vec(field, 1..3).prop_map(|fields| {
        let mut part = serde_json::Map::new();
        for (name, not, (values, excluded)) in fields {
            for (name, values) in [(name, values), (not, excluded)] {
                if !values.is_empty() {
                    part.insert(name.to_owned(), json!(values));
                }
            }
        }
        Value::Object(part)
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let condition = select(CONDITIONS).prop_flat_map(|(key, values)| {
        lists(values).prop_map(move |(values, excluded)| {
            (!values.is_empty() || !excluded.is_empty())
                .then(|| json!({"key": key, "values": values, "notValues": excluded}))
        })
    });
    let entries = |inner: &'static str, parts: Vec<Value>| -> Vec<Value> {
        let asking = parts.into_iter().filter(|part| part.as_object().is_some_and(|part| !part.is_empty()));
        asking.map(|part| json!({inner: part})).collect()
    };
    (vec(part(SOURCES), 0..3), vec(part(OPERATIONS), 0..3), vec(condition, 0..3)).prop_map(
        move |(from, to, when)| {
            let mut rule = serde_json::Map::new();
            for (name, list) in [
                ("from", entries("source", from)),
                ("to", entries("operation", to)),
                ("when", when.into_iter().flatten().collect()),
            ] {
                if !list.is_empty() {
                    rule.insert(name.to_owned(), Value::Array(list));
                }
            }
            Value::Object(rule)
        },
    )
}

#[derive(Debug, Clone)]
struct Call {
    peer: Option<&'static str>,
    source: &'static str,
    port: u16,
    lines: Vec<(&'static str, &'static str)>,
    claims: Option<(&'static str, &'static str, &'static str)>,
    sni: &'static str,
}

fn call() -> impl Strategy<Value = Call> {
    let peer = select(&[
        None,
        Some("spiffe://td/ns/a/sa/x"),
        Some("spiffe://td/ns/b/sa/x"),
        Some("spiffe://old/ns/a/sa/x"),
        Some("spiffe://td/ns/ab/sa/y"),
    ]);
    let headers = vec(select(&[("h", "x"), ("h", "y"), ("h", "xy")]), 0..3);
    let claims = proptest::option::of((select(&["i", "j"]), select(&["s", "t"]), select(&["x", "y"])));
    let line = (
        select(&["GET", "POST", "PUT"]),
        select(&["/a", "/a/b", "/a/b/b", "/ab", "/", "/a?q"]),
        select(&["shop.example", "SHOP.example:80", "shop.org", "other"]),
    );
    (
        peer,
        select(&["10.1.2.3", "10.2.0.1", "11.0.0.1", "::1"]),
        select(&[80, 81]),
        headers,
        claims,
        select(&["", "shop.example", "x.example"]),
        line,
    )
        .prop_map(|(peer, source, port, mut lines, claims, sni, (method, path, host))| {
            lines.extend([(":method", method), (":path", path), (":authority", host)]);
            Call { peer, source, port, lines, claims, sni }
        })
}

fn proxies() -> [Proxy; 2] {
    let named = |trust_domain: &str, aliases: &[&str]| Proxy {
        trust_domain: trust_domain.to_owned(),
        trust_domain_aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        ..Proxy::default()
    };
    [Proxy::default(), named("td", &["old"])]
}

fn policy(rules: &[Value]) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"rules": rules},
    })
}

/// A rule as an ALLOW policy of its own.
fn compiled(rule: &Value, proxy: &Proxy) -> Policies {
    let parsed = parse_json(policy(std::slice::from_ref(rule)).to_string().as_bytes(), "default");
    Policies::compile(&parsed.resources, proxy, &[]).unwrap()
}

fn fits(policies: &Policies, call: &Call) -> bool {
    let lines: Vec<_> = call.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let address: IpAddr = call.source.parse().unwrap();
    let connection = Connection {
        source_ip: Some(address),
        remote_ip: Some(address),
        destination_ip: Some(address),
        destination_port: Some(call.port),
        sni: Some(call.sni.as_bytes()),
        peer_principal: call.peer.map(str::as_bytes),
        lookup: None,
    };
    let claims =
        call.claims.map(|(issuer, subject, claim)| json!({"iss": issuer, "sub": subject, "c": claim}));
    let identity = claims.map(|claims| Identity::from(claims.as_object().unwrap().clone()));
    policies.decide(&Request::new(&lines, &connection).with_identity(identity.as_ref())).allowed
}

fn findings(rules: &[Value], proxy: &Proxy, folder: &std::path::Path) -> Vec<Finding> {
    let file = folder.join("policy.json");
    std::fs::write(&file, policy(rules).to_string()).unwrap();
    let loaded = Inputs::new(vec![file], "default".to_owned()).load().unwrap();
    assert_eq!(loaded.problems, [], "{rules:?}");
    analyze(&loaded, proxy, &mesh_config::Parsed::default())
}

/// The number in `spec.rules[1] allows all that it fits`, behind `before`.
fn number(text: &str, before: &str) -> usize {
    let at = text.find(before).unwrap_or_else(|| panic!("{text}")) + before.len();
    text[at..].split(']').next().unwrap().parse().unwrap()
}

/// Tells of a finding whether any of the calls shows that it is wrong; `None` if it is about something else.
fn is_refuted(finding: &Finding, rules: &[Value], proxy: &Proxy, calls: &[Call]) -> Option<bool> {
    let rule = |at: usize| compiled(&rules[at], proxy);
    match (finding.code, finding.level) {
        ("OUT0242", _) => {
            let narrow = rule(number(&finding.path, "spec.rules["));
            let wide = rule(number(&finding.message, "spec.rules["));
            Some(calls.iter().any(|call| fits(&narrow, call) && !fits(&wide, call)))
        }
        ("OUT0244", Level::Warning) => {
            let rules: Vec<_> = (0..rules.len()).map(rule).collect();
            Some(calls.iter().any(|call| rules.iter().any(|rule| fits(rule, call))))
        }
        _ => None,
    }
}

#[test]
fn what_is_said_of_rules_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::new(Config { cases: 800, failure_persistence: None, ..Config::default() });
    let (covered, dead) = (Cell::new(0), Cell::new(0));
    let run = runner.run(&(vec(rule(), 2..5), vec(call(), 120)), |(rules, calls)| {
        for proxy in &proxies() {
            for finding in findings(&rules, proxy, folder.path()) {
                let Some(refuted) = is_refuted(&finding, &rules, proxy, &calls) else { continue };
                prop_assert!(!refuted, "{} {}: {}\n{rules:#?}", finding.code, finding.path, finding.message);
                let count = if finding.code == "OUT0242" { &covered } else { &dead };
                count.set(count.get() + 1);
            }
        }
        Ok(())
    });
    match run {
        // Without the requests: the rules say enough.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        run => run.unwrap(),
    }
    eprintln!("{} covered rules, {} policies whose rules fit nothing", covered.get(), dead.get());
    assert!(covered.get() > 20 && dead.get() > 0);
}
