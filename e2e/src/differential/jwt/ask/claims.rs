//! Random payloads.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::random::Random;
use super::{fields, words};

/// Claims for `rule`, one of `rules`.
pub(super) fn random(random: &mut Random, rules: &[&Value], rule: &Value) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut add = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    match random.below(100) {
        0..2 => {}
        2..6 => add("iss", random.pick(words::ISSUERS).into()),
        6..12 => add("iss", rules[random.below(rules.len())]["issuer"].clone()),
        _ => add("iss", rule["issuer"].clone()),
    }
    if random.chance(85) {
        add("sub", random.pick(&["ann", "", "bob/x", "a b", "\u{e4}\u{1f600}"]).into());
    }
    if let Some(audience) = audience(random, rule) {
        add("aud", audience);
    }
    for (name, value) in times(random) {
        add(name, value);
    }
    if random.chance(10) {
        add("jti", random.pick(&["7", ""]).into());
    }
    let others = others();
    for _ in 0..*random.one(&[0, 1, 2, 4, 8]) {
        let (name, value) = random.one(&others);
        add(name, value.clone());
    }
    if random.chance(1) {
        add("long", "l".repeat(random.between(1_000, 44_000)).into());
    }
    claims
}

/// Mostly one that the rule allows.
fn audience(random: &mut Random, rule: &Value) -> Option<Value> {
    let allowed = fields::items(rule, "audiences");
    let some = |random: &mut Random| match allowed.get(random.below(allowed.len())) {
        Some(audience) if random.chance(85) => audience.clone(),
        _ => random.pick(words::AUDIENCES).into(),
    };
    match random.below(10) {
        _ if allowed.is_empty() && random.chance(60) => None,
        0 => None,
        1 => Some(json!([])),
        2 | 3 => Some(json!([some(random), some(random)])),
        4 => Some(json!([some(random)])),
        _ => Some(some(random)),
    }
}

/// Far from now, or around the minute that clocks may differ; never so near that it could pass between two requests.
fn times(random: &mut Random) -> Vec<(&'static str, Value)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() as i64);
    let mut times = Vec::new();
    if random.chance(60) {
        let ahead = *random.one(&[3600, 3600, 3600, 86_400, 70, 5, -5, -50, -70, -3600, -1_000_000]);
        times.push(("exp", json!(now + ahead)));
    }
    if random.chance(25) {
        let ahead = *random.one(&[-3600, -3600, -70, -5, 5, 50, 90, 3600]);
        times.push(("nbf", json!(now + ahead)));
    }
    if random.chance(40) {
        times.push(("iat", json!(now + *random.one(&[-10, 0, 100_000]))));
    }
    times
}

/// What else may stand in a payload; rules name some of it.
fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("group", json!("admin")),
        ("group", json!(["a", "b"])),
        ("scope", json!("read write")),
        ("nested", json!({"id": "v1", "deep": {"x": 7}, "list": ["a"], "": "unnamed"})),
        ("nested", json!({"id": null, "deep": {"x": [1, 2.5, "\u{e4}"]}})),
        ("nested", json!(["id"])),
        ("list", json!(["b", 1, 2.5, null, true, {"b": 1, "a": [[]]}])),
        ("list", json!([])),
        ("object", json!({"z": 1, "a": "\"\\/\u{1}\u{7f}\u{2028}", "m": {"y": -5, "x": 1e21}})),
        ("object", json!({})),
        ("number", json!(42)),
        ("float", json!(1.5)),
        ("float", json!(1e-7)),
        ("big", json!(9_007_199_254_740_993_u64)),
        ("big", json!(1e300)),
        ("big", json!(18_446_744_073_709_551_615_u64)),
        ("negative", json!(-5)),
        ("negative", json!(-0.0)),
        ("flag", json!(true)),
        ("flag", json!(false)),
        ("nothing", json!(null)),
        ("empty", json!("")),
        ("a.b", json!("dotted")),
        ("a", json!({"b": "led to"})),
        ("", json!({"": "twice unnamed"})),
        ("text", json!(" spaces around \t")),
        ("text", json!("caf\u{e9} <&>")),
        ("control", json!("a\r\nx-injected: 1")),
        ("control", json!("a\u{0}b")),
        ("control", json!("\u{7f}")),
    ]
}
