//! A VirtualService that another one leaves some of its rules to.

use serde_json::{Value, json};

use super::super::random::Random;
use super::{action, matches, resource, rule};

/// Adds a delegate, and a rule that leaves requests to it.
pub(super) fn add(random: &mut Random, resources: &mut Vec<Value>, tag: &str) {
    let Some(root) = resources.last_mut().filter(|last| last["kind"] == "VirtualService") else { return };
    let namespace = *random.one(&["default", "default", "other"]);
    let mut delegating = json!({"delegate": {"name": format!("{tag}-leaf"), "namespace": namespace}});
    if random.chance(10) {
        // Its own namespace, where there may be none of this name.
        delegating["delegate"] = json!({"name": format!("{tag}-leaf")});
    }
    if random.chance(30) {
        delegating["name"] = "root".into();
    }
    match random.below(6) {
        0 | 1 => delegating["match"] = json!([{"uri": {"prefix": *random.one(&["/", "/a", "/api"])}}]),
        2 => {
            delegating["match"] = json!([{"uri": {"prefix": "/a"}, "name": "one"}, {"uri": {"prefix": "/p"}}])
        }
        3 => delegating["match"] = json!([matches::entry(random, tag)]),
        _ => {}
    }
    action::inherited(random, &mut delegating);
    if let Some(rules) = root["spec"]["http"].as_array_mut() {
        rules.insert(random.below(rules.len() + 1), delegating);
    }
    let mut rules: Vec<_> =
        (0..random.between(1, 3)).map(|index| rule(random, tag, namespace, index)).collect();
    rules.iter_mut().for_each(without_claims);
    let mut leaf = resource("VirtualService", &format!("{tag}-leaf"), namespace, json!({"http": rules}));
    if random.chance(15) {
        leaf["spec"]["exportTo"] = json!([random.pick(&["*", ".", "default"])]);
    }
    resources.push(leaf);
}

/// Istio lets only the rule that delegates ask for claims.
fn without_claims(rule: &mut Value) {
    for entry in rule.get_mut("match").and_then(Value::as_array_mut).into_iter().flatten() {
        for field in ["headers", "withoutHeaders"] {
            if let Some(headers) = entry.get_mut(field).and_then(Value::as_object_mut) {
                headers.retain(|name, _| !name.starts_with('@'));
            }
        }
    }
}
