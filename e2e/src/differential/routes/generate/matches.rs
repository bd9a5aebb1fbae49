//! One `match` entry.

use serde_json::{Map, Value, json};

use super::super::random::Random;
use super::super::words;
use super::claims;

/// A random entry; sometimes an empty one.
pub(super) fn entry(random: &mut Random, tag: &str) -> Value {
    let mut entry = Map::new();
    if random.chance(80) {
        entry.insert("uri".to_owned(), uri(random));
        if random.chance(15) {
            entry.insert("ignoreUriCase".to_owned(), random.chance(85).into());
        }
    }
    if random.chance(30) {
        entry.insert("headers".to_owned(), headers(random, false));
    }
    if random.chance(15) {
        entry.insert("withoutHeaders".to_owned(), headers(random, true));
    }
    if random.chance(15) {
        entry.insert("queryParams".to_owned(), parameters(random));
    }
    if random.chance(12) {
        let method = [
            json!({"exact": "GET"}),
            json!({"exact": "POST"}),
            json!({"exact": "get"}),
            json!({"prefix": "P"}),
            json!({"regex": "GET|HEAD"}),
        ];
        entry.insert("method".to_owned(), random.one(&method).clone());
    }
    if random.chance(8) {
        let authority = [
            json!({"exact": format!("a.{tag}.test")}),
            json!({"exact": format!("A.{tag}.test")}),
            json!({"exact": format!("a.{tag}.test:80")}),
            json!({"prefix": "a."}),
            json!({"regex": format!(".*[.]{tag}[.]test")}),
            json!({"regex": ".*:8080"}),
        ];
        entry.insert("authority".to_owned(), random.one(&authority).clone());
    }
    if random.chance(5) {
        let scheme = [json!({"exact": "http"}), json!({"exact": "https"}), json!({"prefix": "http"})];
        entry.insert("scheme".to_owned(), random.one(&scheme).clone());
    }
    if random.chance(8) {
        entry.insert("port".to_owned(), (*random.one(&[80, 80, 8080, 9999])).into());
    }
    if random.chance(4) {
        let gateways = [format!("default/{tag}-gateway"), "default/another".to_owned()];
        entry.insert("gateways".to_owned(), json!([random.one(&gateways)]));
    }
    if random.chance(4) {
        let labels = [json!({"istio": "ingressgateway"}), json!({"istio": "egressgateway"})];
        entry.insert("sourceLabels".to_owned(), random.one(&labels).clone());
    }
    if random.chance(4) {
        entry.insert("sourceNamespace".to_owned(), random.pick(&["default", "other"]).into());
    }
    if random.chance(8) {
        entry.insert("name".to_owned(), "named".into());
    }
    if random.chance(3) {
        entry.insert("statPrefix".to_owned(), "counted".into());
    }
    Value::Object(entry)
}

fn uri(random: &mut Random) -> Value {
    match random.below(10) {
        0..=3 => json!({"exact": random.pick(words::PATHS)}),
        4..=7 => json!({"prefix": random.pick(words::PREFIXES)}),
        _ => json!({"regex": random.one(words::PATH_REGEXES).source}),
    }
}

fn headers(random: &mut Random, without: bool) -> Value {
    let mut headers = Map::new();
    if random.chance(8) {
        claims::add(random, &mut headers);
        if random.chance(50) {
            return headers.into();
        }
    }
    for _ in 0..*random.one(&[1, 1, 2]) {
        let name = match random.below(20) {
            0 => *random.one(&[":method", ":path", ":authority", ":scheme"]),
            1 => *random.one(&["host", "uri", "method", "scheme", "authority"]),
            _ => random.pick(words::HEADERS),
        };
        let value = if without && random.chance(10) { json!({"regex": "*"}) } else { value(random) };
        headers.insert(name.to_owned(), value);
    }
    Value::Object(headers)
}

fn parameters(random: &mut Random) -> Value {
    let count = *random.one(&[1, 1, 2]);
    (0..count)
        .map(|_| (random.pick(words::PARAMETERS).to_owned(), value(random)))
        .collect::<Map<_, _>>()
        .into()
}

/// A StringMatch of a header or a query parameter.
fn value(random: &mut Random) -> Value {
    match random.below(10) {
        0..=3 => json!({"exact": random.pick(words::VALUES)}),
        4 | 5 => {
            let word = random.pick(words::VALUES);
            let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
            json!({"prefix": word[..end]})
        }
        6 | 7 => json!({"regex": random.one(words::VALUE_REGEXES).source}),
        _ => json!({}),
    }
}
