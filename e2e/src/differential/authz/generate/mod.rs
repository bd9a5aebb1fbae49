//! Random AuthorizationPolicies, and RequestAuthentications for the tokens that they ask for.

mod condition;
mod operation;
mod source;
mod tokens;

use serde_json::{Map, Value, json};

use super::configuration::{Configuration, tag};
use super::proxy::{LABELS, NAMESPACE, Proxy, ROOT_NAMESPACE};
use super::random::Random;
use super::{token, words};

/// The `number`th configuration of the run with `seed`.
pub(super) fn configuration(seed: u64, number: usize) -> Configuration {
    let mut random = Random::new(seed, number as u64);
    let tag = tag(number);
    let mut resources = vec![Proxy::random(&mut random)];
    if random.chance(65) {
        resources.push(tokens::authentication(&mut random, &tag));
    }
    for index in 0..*random.one(&[1, 1, 1, 2, 2, 3, 4, 5]) {
        resources.push(policy(&mut random, &tag, index));
    }
    Configuration { tag, resources }
}

fn policy(random: &mut Random, tag: &str, index: usize) -> Value {
    let namespace = *random.one(&[NAMESPACE, NAMESPACE, NAMESPACE, NAMESPACE, ROOT_NAMESPACE, "other"]);
    let letter = random.pick(&["a", "b", "c", "a-"]);
    let mut meta = json!({"name": format!("{tag}-{letter}{index}"), "namespace": namespace});
    let action = *random.one(&["ALLOW", "ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "DENY", "AUDIT", ""]);
    if action != "AUDIT" && random.chance(18) {
        let text = random.pick(&["true", "true", "1", "T", "false", "0"]);
        meta["annotations"] = json!({"istio.io/dry-run": text});
    }
    let mut spec = Map::new();
    if !action.is_empty() {
        spec.insert("action".to_owned(), action.into());
    }
    match random.below(50) {
        // A DENY without rules is refused, left out or empty.
        0 if action != "DENY" => {}
        1 if action != "DENY" => {
            spec.insert("rules".to_owned(), json!([]));
        }
        _ => {
            let count = *random.one(&[1, 1, 1, 2, 2, 3, 5, 12]);
            let rules: Vec<_> = (0..count).map(|_| rule(random)).collect();
            spec.insert("rules".to_owned(), rules.into());
        }
    }
    if random.chance(25) {
        spec.insert("selector".to_owned(), selector(random));
    }
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec,
    })
}

fn selector(random: &mut Random) -> Value {
    let label = |(name, value): (&str, &str)| json!({"matchLabels": {name: value}});
    match random.below(4) {
        0 => label(LABELS[0]),
        1 => {
            json!({"matchLabels": Map::from_iter(LABELS.map(|(name, value)| (name.to_owned(), value.into())))})
        }
        2 => json!({"matchLabels": {}}),
        _ => label(("istio", "egressgateway")),
    }
}

fn rule(random: &mut Random) -> Value {
    let mut rule = Map::new();
    let mut list = |random: &mut Random, name: &str, inner: &str, one: fn(&mut Random) -> Value| {
        let entries: Vec<_> =
            (0..*random.one(&[1, 1, 1, 2, 3])).map(|_| json!({inner: one(random)})).collect();
        rule.insert(name.to_owned(), entries.into());
    };
    // What asks for little is met often.
    let parts = *random.one(&[0b001, 0b001, 0b010, 0b010, 0b100, 0b100, 0b011, 0b101, 0b110, 0b111, 0b000]);
    if parts & 0b001 != 0 {
        list(random, "from", "source", source::random);
    }
    if parts & 0b010 != 0 {
        list(random, "to", "operation", operation::random);
    }
    if parts & 0b100 != 0 {
        let count = *random.one(&[1, 1, 1, 2, 3]);
        let when: Vec<_> = (0..count).map(|_| condition::random(random)).collect();
        rule.insert("when".to_owned(), when.into());
    }
    rule.into()
}

/// Adds a list of words under `name`, or under the name of its opposite, or at times under both.
fn lists(random: &mut Random, object: &mut Map<String, Value>, names: [&str; 2], words: &[&str]) {
    let which = *random.one(&[0b01, 0b01, 0b01, 0b10, 0b10, 0b11]);
    for (bit, name) in [0b01, 0b10].into_iter().zip(names) {
        if which & bit != 0 {
            object.insert(name.to_owned(), some(random, words).into());
        }
    }
}

fn some(random: &mut Random, words: &[&str]) -> Vec<String> {
    let mut some: Vec<String> = Vec::new();
    for _ in 0..*random.one(&[1, 1, 1, 2, 2, 3, 4]) {
        let word = random.pick(words).to_owned();
        if !some.contains(&word) {
            some.push(word);
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::fields::items;
    use super::*;

    #[test]
    fn a_seed_repeats_its_configurations() {
        assert_eq!(configuration(1, 5), configuration(1, 5));
        assert_ne!(configuration(1, 5).resources, configuration(2, 5).resources);
    }

    #[test]
    fn every_field_occurs_with_and_without_not() {
        let (mut fields, mut keys, mut actions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for number in 0..2000 {
            let configuration = configuration(1, number);
            for policy in configuration.kind("AuthorizationPolicy") {
                actions.insert(policy["spec"]["action"].to_string());
                for rule in items(&policy["spec"], "rules") {
                    let parts = [("from", "source"), ("to", "operation")];
                    for (list, inner) in parts {
                        for entry in items(rule, list) {
                            fields.extend(entry[inner].as_object().unwrap().keys().cloned());
                        }
                    }
                    for condition in items(rule, "when") {
                        let key = condition["key"].as_str().unwrap().split('[').next().unwrap();
                        for list in
                            ["values", "notValues"].iter().filter(|list| condition.get(list).is_some())
                        {
                            keys.insert((key.to_owned(), list.to_string()));
                        }
                    }
                }
            }
        }
        assert_eq!(fields.len(), 2 * (7 + 4), "{fields:?}");
        assert_eq!(keys.len(), 2 * 14, "{keys:?}");
        assert_eq!(actions.len(), 4);
    }
}
