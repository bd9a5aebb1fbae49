//! Destinations and their weights.

use serde_json::{Value, json};

use super::super::random::Random;
use super::super::upstream::EMPTY_SUBSET;
use super::headers::headers;

/// A random `route`: one destination, several of which weights leave one, or several that are drawn from.
pub(super) fn route(random: &mut Random, namespace: &str) -> Value {
    let destination = |random: &mut Random| {
        let mut entry = json!({"destination": destination(random, namespace)});
        if random.chance(25) {
            entry["headers"] = headers(random, true);
        }
        entry
    };
    match random.below(20) {
        0..=13 => {
            let mut only = destination(random);
            if random.chance(20) {
                only["weight"] = (*random.one(&[0, 1, 100])).into();
            }
            json!([only])
        }
        14..=16 => {
            let count = random.between(2, 3);
            let mut several: Vec<_> = (0..count).map(|_| destination(random)).collect();
            let chosen = random.below(count);
            several[chosen]["weight"] = (*random.one(&[1, 7, 100])).into();
            for (index, entry) in several.iter_mut().enumerate() {
                if index != chosen && random.chance(50) {
                    entry["weight"] = 0.into();
                }
            }
            several.into()
        }
        17 | 18 => {
            let mut one = destination(random);
            one["weight"] = 30.into();
            let mut other = one.clone();
            other["weight"] = 70.into();
            json!([one, other])
        }
        _ => {
            let (mut one, mut other) = (destination(random), destination(random));
            one["weight"] = 1.into();
            other["weight"] = 1.into();
            json!([one, other])
        }
    }
}

pub(super) fn destination(random: &mut Random, namespace: &str) -> Value {
    let full = |host: &str| format!("{host}.svc.cluster.local");
    match random.below(20) {
        0..=4 => {
            let short = namespace == "default" && random.chance(50);
            let host = if short { "alpha".to_owned() } else { full("alpha.default") };
            match random.below(3) {
                0 => json!({"host": host}),
                1 => json!({"host": host, "port": {"number": 80}}),
                _ => json!({"host": host, "port": {"number": 8080}}),
            }
        }
        5..=11 => {
            let subset =
                *random.one(&["v1", "v2", "v3", "v1", "v2", "v3", "v1", "v2", "v3", EMPTY_SUBSET, "unknown"]);
            let mut destination = json!({"host": full("beta.default"), "subset": subset});
            if random.chance(40) {
                destination["port"] = json!({"number": 9080});
            }
            destination
        }
        12..=14 => {
            let short = namespace == "other" && random.chance(50);
            json!({"host": if short { "gamma".to_owned() } else { full("gamma.other") }})
        }
        15 | 16 => json!({"host": full("delta.default"), "port": {"number": *random.one(&[7000, 7001])}}),
        17 if random.chance(40) => json!({"host": full("hashed.default")}),
        17 => json!({"host": full("delta.default")}),
        18 => json!({"host": full("alpha.default"), "port": {"number": 81}}),
        _ => json!({"host": "outside.example.com"}),
    }
}
