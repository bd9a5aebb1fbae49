//! The compiled decision against the plain one of [`super::reference`].

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::reference::rule_matches;
use super::{Call, negated, policies};

const PATHS: [&str; 12] =
    ["/", "/a", "/a/b", "/a*", "*b", "/a/{*}", "/{**}", "/a/{**}/b", "*", "/{*}/b", "/a/b/c", "/é*"];
const HOSTS: [&str; 6] = ["h", "H.x", "*.x", "h*", "*", "h:80"];
const METHODS: [&str; 4] = ["GET", "POST", "*", "P*"];
const PRINCIPALS: [&str; 7] =
    ["td/ns/a/sa/x", "td/*", "*/sa/x", "*", "cluster.local/ns/b/sa/y", "td2/ns/a/sa/x", "*sa/y"];
const NAMESPACES: [&str; 6] = ["a", "b", "a*", "*b", "*", "a*x"];
const ACCOUNTS: [&str; 4] = ["a/x", "b/y", "x", "a/y"];
const DOMAINS: [&str; 4] = ["td", "t*", "*", "*local"];
const REQUEST_PRINCIPALS: [&str; 9] = ["i/s", "*", "i/*", "*/s", "i/s*", "*s", "i*", "i", "*x/s"];
const BLOCKS: [&str; 5] = ["10.0.0.0/8", "10.0.0.1", "10.1.0.0/16", "::/0", "2001:db8::1"];
const PORTS: [&str; 2] = ["80", "8080"];
const VALUES: [&str; 6] = ["v", "w", "v*", "*w", "*", "vw"];

fn field(name: &'static str, values: &'static [&'static str]) -> BoxedStrategy<Vec<(String, Value)>> {
    let list = || subsequence(values, 1..=2.min(values.len()));
    let negated = negated(name);
    (proptest::option::weighted(0.35, list()), proptest::option::weighted(0.1, list()))
        .prop_map(move |(yes, no)| {
            let yes = yes.map(|values| (name.to_owned(), json!(values)));
            yes.into_iter().chain(no.map(|values| (negated.clone(), json!(values)))).collect()
        })
        .boxed()
}

fn part(name: &'static str, fields: Vec<BoxedStrategy<Vec<(String, Value)>>>) -> BoxedStrategy<Value> {
    fields
        .prop_map(move |fields| {
            let fields: Map<String, Value> = fields.into_iter().flatten().collect();
            json!({ name: fields })
        })
        .prop_filter("an empty one is refused", move |part| {
            let part = part[name].as_object().unwrap();
            let has = |end: &str| part.keys().any(|key| key.to_lowercase().ends_with(end));
            !part.is_empty() && !(has("serviceaccounts") && (has("principals") || has("namespaces")))
        })
        .boxed()
}

fn condition() -> impl Strategy<Value = Value> {
    let keys: Vec<(&'static str, &'static [&'static str])> = vec![
        ("request.headers[x]", &VALUES),
        ("request.headers[Y]", &VALUES),
        ("source.ip", &BLOCKS),
        ("remote.ip", &BLOCKS),
        ("destination.ip", &BLOCKS),
        ("destination.port", &PORTS),
        ("source.principal", &PRINCIPALS),
        ("source.namespace", &NAMESPACES),
        ("source.serviceAccount", &ACCOUNTS),
        ("source.trustDomain", &DOMAINS),
        ("request.auth.principal", &REQUEST_PRINCIPALS),
        ("request.auth.audiences", &VALUES),
        ("request.auth.presenter", &VALUES),
        ("request.auth.claims[c]", &VALUES),
        ("request.auth.claims[d][e]", &VALUES),
        ("connection.sni", &VALUES),
    ];
    select(keys).prop_flat_map(|(key, values)| {
        let list = || subsequence(values, 1..=2.min(values.len()));
        prop_oneof![
            list().prop_map(move |values| json!({"key": key, "values": values})),
            list().prop_map(move |values| json!({"key": key, "notValues": values})),
            (list(), list()).prop_map(move |(yes, no)| json!({"key": key, "values": yes, "notValues": no})),
        ]
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let source = part(
        "source",
        vec![
            field("principals", &PRINCIPALS),
            field("namespaces", &NAMESPACES),
            field("serviceAccounts", &ACCOUNTS),
            field("trustDomains", &DOMAINS),
            field("requestPrincipals", &REQUEST_PRINCIPALS),
            field("ipBlocks", &BLOCKS),
            field("remoteIpBlocks", &BLOCKS),
        ],
    );
    let operation = part(
        "operation",
        vec![
            field("hosts", &HOSTS),
            field("ports", &PORTS),
            field("methods", &METHODS),
            field("paths", &PATHS),
        ],
    );
    let list = |part: BoxedStrategy<Value>| proptest::option::of(prop::collection::vec(part, 1..3));
    (list(source), list(operation), prop::collection::vec(condition(), 0..2)).prop_map(|(from, to, when)| {
        let mut rule = Map::new();
        rule.extend(from.map(|from| ("from".to_owned(), json!(from))));
        rule.extend(to.map(|to| ("to".to_owned(), json!(to))));
        if !when.is_empty() {
            rule.insert("when".to_owned(), json!(when));
        }
        Value::Object(rule)
    })
}

fn call() -> impl Strategy<Value = Call> {
    let paths = ["/", "/a", "/a/b", "/a/b?x=/b", "/a/x/b", "/b", "/a//b", "/a|/b", "/é"];
    let peers =
        ["spiffe://td/ns/a/sa/x", "spiffe://cluster.local/ns/b/sa/y", "spiffe://td2/ns/ab/sa/x/y", "urn:x"];
    let text = || select(vec![&b"v"[..], b"w", b"vw", b"", b"\xffw"]);
    let address = || select(vec!["10.0.0.1", "10.1.2.3", "::ffff:10.0.0.1", "2001:db8::1", "192.0.2.1"]);
    let claim =
        || select(vec![json!("v"), json!(["vw", 1]), json!(7), json!({"e": "w"}), json!({"e": ["v"]})]);
    let claims = (select(vec!["i", "ix", ""]), select(vec![json!("s"), json!("sx"), json!(""), json!(1)]), claim(), claim())
        .prop_map(|(issuer, subject, c, d)| json!({"iss": issuer, "sub": subject, "c": c, "d": d, "aud": c, "azp": d}));
    let http = (
        select(paths.to_vec()),
        select(vec!["h", "H.X", "h:80", "a.x", ""]),
        select(vec!["GET", "POST", "PUT"]),
        prop::collection::vec((select(vec!["x", "y"]), text()), 0..3),
    );
    let connection = (
        proptest::option::of(select(peers.to_vec())),
        proptest::option::of(text()),
        (address(), address(), address(), select(vec![80u16, 8080, 9])),
    );
    (http, connection, proptest::option::of(claims)).prop_map(
        |((path, host, method, headers), (peer, sni, (source, remote, local, port)), claims)| {
            let start = Call::default()
                .line(":method", method.as_bytes())
                .line(":authority", host.as_bytes())
                .line(":path", path.as_bytes());
            let call = headers.into_iter().fold(start, |call, (name, value)| call.line(name, value));
            Call {
                peer: peer.map(Into::into),
                sni: sni.map(Into::into),
                source: Some(source),
                remote: Some(remote),
                destination: Some((local, port)),
                claims,
                ..call
            }
        },
    )
}

/// The rules that match, as Envoy would name the first.
fn first_matching(rules: &[Value], call: &Call) -> Option<usize> {
    let matching = rules.iter().enumerate().filter(|(_, rule)| rule_matches(rule, call)).map(|(at, _)| at);
    matching.min_by_key(|at| format!("rule[{at}]"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_and_the_sets_decide_as_a_walk_does(
        // Few and many of either: few are tried without an index.
        deny in prop::collection::vec(rule(), 1..9),
        allow in prop::collection::vec(rule(), 0..12),
        calls in prop::collection::vec(call(), 1..6),
    ) {
        let specs = [json!({"action": "DENY", "rules": deny}), json!({"rules": allow})];
        let policies = policies(&specs);
        for call in &calls {
            let (denied, allowed) = (first_matching(&deny, call), first_matching(&allow, call));
            call.view(|request| {
                let decision = policies.decide(request);
                prop_assert_eq!(decision.allowed, denied.is_none() && allowed.is_some(), "{:?}", call);
                prop_assert_eq!(decision.rule.map(|rule| rule.rule), denied.or(allowed), "{:?}", call);
                Ok(())
            })?;
        }
    }

    #[test]
    fn any_bytes_get_an_answer(
        rules in prop::collection::vec(rule(), 1..6),
        path in any::<Vec<u8>>(), host in any::<Vec<u8>>(), value in any::<Vec<u8>>(), peer in any::<Vec<u8>>(),
    ) {
        let mut call = Call::default().line(":path", &path).line(":authority", &host).line("x", &value);
        call.peer = Some([&b"spiffe://td/ns/"[..], &peer, b"/sa/", &value].concat());
        call.sni = Some(value);
        let policies = policies(&[json!({"action": "DENY", "rules": rules}), json!({"rules": rules})]);
        call.view(|request| { policies.decide(request).reply(); });
    }
}
