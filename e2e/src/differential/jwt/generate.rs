//! Random RequestAuthentications.

use serde_json::{Map, Value, json};

use super::super::configuration::{Configuration, tag};
use super::super::random::Random;
use super::{key_sets, words};

/// The namespace whose policies are for every workload.
pub(in crate::differential) const ROOT_NAMESPACE: &str = "istio-system";
/// The namespace of the gateway.
pub(in crate::differential) const NAMESPACE: &str = "default";
/// The gateway's labels.
pub(in crate::differential) const LABELS: [(&str, &str); 2] =
    [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];

/// The `number`th configuration of the run with `seed`.
pub(super) fn configuration(seed: u64, number: usize) -> Configuration {
    let mut random = Random::new(seed, number as u64);
    let tag = tag(number);
    let policies = *random.one(&[1, 1, 1, 2, 2, 3, 4]);
    let mut rules_left = 6 - policies;
    let mut resources = Vec::new();
    for policy in 0..policies {
        let more = random.below(rules_left.min(3) + 1);
        rules_left -= more;
        resources.push(authentication(&mut random, &tag, policy, more + 1));
    }
    Configuration { tag, resources }
}

fn authentication(random: &mut Random, tag: &str, policy: usize, rules: usize) -> Value {
    let namespace = *random.one(&[NAMESPACE, NAMESPACE, NAMESPACE, ROOT_NAMESPACE, "other"]);
    let name = format!("{tag}-{}", random.pick(&["a", "b", "c"]).to_owned() + &policy.to_string());
    let mut meta = json!({"name": name, "namespace": namespace});
    if random.chance(50) {
        meta["creationTimestamp"] = random.pick(&["2024-01-01T00:00:00Z", "2025-06-01T12:00:00Z"]).into();
    }
    if random.chance(8) {
        meta["annotations"] = json!({"outrigger.io/dry-run": random.pick(&["true", "false"])});
    }
    let rules: Vec<_> = (0..rules).map(|_| rule(random)).collect();
    let mut spec = json!({"jwtRules": rules});
    if random.chance(50) {
        let label = |(name, value): (&str, &str)| json!({"matchLabels": {name: value}});
        spec["selector"] = match random.below(5) {
            0 | 1 => label(LABELS[0]),
            2 => {
                json!({"matchLabels": Map::from_iter(LABELS.map(|(name, value)| (name.to_owned(), value.into())))})
            }
            3 => json!({"matchLabels": {}}),
            _ => label(("istio", "egressgateway")),
        };
    }
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": meta, "spec": spec,
    })
}

fn rule(random: &mut Random) -> Value {
    let mut rule =
        json!({"issuer": random.pick(words::ISSUERS), "jwks": key_sets::random(random).to_string()});
    if random.chance(40) {
        rule["audiences"] = some(random, words::AUDIENCES, 3).into();
    }
    if random.chance(60) {
        places(random, &mut rule);
    }
    if random.chance(40) {
        rule["forwardOriginalToken"] = true.into();
    }
    if random.chance(35) {
        rule["outputPayloadToHeader"] =
            random.pick(&["x-payload", "X-Payload-2", "x-token", "x-sub", "x-tok"]).into();
    }
    if random.chance(50) {
        let claim = |random: &mut Random, header: &str| json!({"header": header, "claim": random.pick(words::CLAIMS)});
        let headers = some(random, words::WRITTEN, 5);
        rule["outputClaimToHeaders"] =
            headers.iter().map(|header| claim(random, header)).collect::<Vec<_>>().into();
    }
    if random.chance(20) {
        rule["spaceDelimitedClaims"] = some(random, words::SPACED, 2).into();
    }
    rule
}

fn places(random: &mut Random, rule: &mut Value) {
    if random.chance(55) {
        let mut headers = Vec::new();
        for name in some(random, words::HEADERS, 3) {
            let mut header = json!({"name": name});
            if random.chance(60) {
                header["prefix"] = random.pick(words::PREFIXES).into();
            }
            headers.push(header);
        }
        rule["fromHeaders"] = headers.into();
    }
    if random.chance(45) {
        rule["fromParams"] = some(random, words::PARAMETERS, 2).into();
    }
    if random.chance(35) {
        rule["fromCookies"] = some(random, words::COOKIES, 2).into();
    }
}

/// One to `most` of `words`, each once and without regard to letter case.
fn some<'w>(random: &mut Random, words: &[&'w str], most: usize) -> Vec<&'w str> {
    let mut some: Vec<&str> = Vec::new();
    for _ in 0..random.between(1, most) {
        let word = words[random.below(words.len())];
        if !some.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            some.push(word);
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_configurations() {
        assert_eq!(configuration(1, 5), configuration(1, 5));
        assert_ne!(configuration(1, 5).resources, configuration(2, 5).resources);
    }

    #[test]
    fn there_are_one_to_four_policies_with_one_to_six_rules() {
        let (mut fewest, mut most) = (usize::MAX, 0);
        for number in 0..500 {
            let configuration = configuration(1, number);
            assert!((1..=4).contains(&configuration.resources.len()));
            let rules = configuration.resources.iter().map(|policy| policy["spec"]["jwtRules"].as_array());
            let rules = rules.map(|rules| rules.unwrap().len()).sum();
            (fewest, most) = (fewest.min(rules), most.max(rules));
        }
        assert_eq!((fewest, most), (1, 6));
    }
}
