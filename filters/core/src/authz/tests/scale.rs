//! However many rules there are, few are looked at.

use std::cell::Cell;

use outrigger_api::{Proxy, Spec};
use serde_json::{Value, json};

use super::super::draft::draft;
use super::super::facts::Facts;
use super::super::index::Index;
use super::super::key;
use super::{Call, resource};

const MANY: usize = 2_000;

/// How many of these rules are looked at for `call`, and the first that matches.
fn looked_at(rules: &[Value], call: &Call) -> (usize, Option<u32>) {
    let resource = resource("p", &json!({"rules": rules}));
    let Spec::AuthorizationPolicy(policy) = &resource.spec else { panic!("a policy") };
    let drafts: Vec<_> = policy.rules.iter().flatten().map(|rule| draft(rule, &Proxy::default())).collect();
    let clauses: Vec<_> = drafts.iter().map(|draft| draft.clauses.clone()).collect();
    let index = Index::new(&key::choose(&clauses));
    let count = Cell::new(0);
    let found = call.view(|request| {
        let facts = Facts { request, unknown_holds: false };
        index.first(&facts, |rule| {
            count.set(count.get() + 1);
            let draft = &drafts[rule as usize];
            let all = |checks: &super::super::rule::All| checks.iter().all(|check| check.holds(&facts));
            (draft.to.is_empty() || draft.to.iter().any(all))
                && (draft.from.is_empty() || draft.from.iter().any(all))
                && all(&draft.when)
        })
    });
    (count.get(), found)
}

#[test]
fn thousands_of_rules_are_not_walked() {
    let last = MANY - 1;
    let call = Call {
        source: Some("10.0.7.207"),
        ..Call::get(&format!("/p{last}/x"))
            .line("k", format!("v{last}").as_bytes())
            .line(&format!("h{last}"), b"v")
            .peer(&format!("spiffe://td/ns/n{last}/sa/a{last}"))
            .with_claims(json!({"iss": "i", "sub": format!("s{last}"), "c": format!("c{last}")}))
    };
    let kinds: [fn(usize) -> Value; 13] = [
        |n| json!({"to": [{"operation": {"paths": [format!("/p{n}/x")]}}]}),
        |n| json!({"to": [{"operation": {"paths": [format!("/p{n}/*")]}}]}),
        |n| json!({"to": [{"operation": {"paths": [format!("*/p{n}/x")]}}]}),
        |n| json!({"to": [{"operation": {"paths": [format!("/p{n}/{{*}}")]}}]}),
        |n| json!({"from": [{"source": {"principals": [format!("td/ns/n{n}/sa/a{n}")]}}]}),
        |n| json!({"from": [{"source": {"namespaces": [format!("n{n}")]}}]}),
        |n| json!({"from": [{"source": {"serviceAccounts": [format!("n{n}/a{n}")]}}]}),
        |n| json!({"from": [{"source": {"requestPrincipals": [format!("i/s{n}")]}}]}),
        |n| json!({"from": [{"source": {"ipBlocks": [format!("10.0.{}.{}", n / 256, n % 256)]}}]}),
        |n| json!({"when": [{"key": "request.headers[k]", "values": [format!("v{n}")]}]}),
        |n| json!({"when": [{"key": format!("request.headers[h{n}]"), "values": ["v"]}]}),
        |n| json!({"when": [{"key": "request.auth.claims[c]", "values": [format!("c{n}")]}]}),
        // The field that differs is chosen, not the one that all share.
        |n| {
            json!({
                "to": [{"operation": {"methods": ["GET"], "paths": ["/p*"]}}],
                "when": [{"key": "request.headers[k]", "values": ["x", format!("v{n}")]}],
            })
        },
    ];
    for kind in kinds {
        let rules: Vec<_> = (0..MANY).map(kind).collect();
        let (count, found) = looked_at(&rules, &call);
        assert_eq!(found, Some(last as u32), "{}", rules[last]);
        assert!(count <= 2, "{count} looked at: {}", rules[last]);
    }
}

#[test]
fn rules_without_an_indexed_field_are_always_looked_at() {
    let rules = [
        json!({"to": [{"operation": {"notPaths": ["/x"]}}]}),
        json!({}),
        json!({"to": [{"operation": {"paths": ["*"]}}]}),
    ];
    assert_eq!(looked_at(&rules, &Call::get("/x")), (2, Some(1)));
}
