//! Header changes.

use serde_json::{Map, Value, json};

use super::super::random::Random;
use super::super::words;

/// Random `headers`. `with_authority`: requests may get a new `:authority`, which stands in one place only.
pub(super) fn headers(random: &mut Random, with_authority: bool) -> Value {
    let mut headers = Map::new();
    if random.chance(75) {
        let mut request = changes(random, words::CHANGED);
        if with_authority && random.chance(15) {
            let list = random.pick(&["set", "add"]);
            let name = random.pick(&[":authority", "host", "Host"]);
            request[list][name] = random.pick(words::AUTHORITIES).into();
        }
        headers.insert("request".to_owned(), request);
    }
    if random.chance(60) {
        headers.insert("response".to_owned(), changes(random, words::ANSWERED));
    }
    Value::Object(headers)
}

fn changes(random: &mut Random, names: &[&str]) -> Value {
    let mut changes = json!({});
    for list in ["set", "add"] {
        for _ in 0..*random.one(&[0, 1, 1, 2]) {
            changes[list][random.pick(names)] = random.pick(words::NEW_VALUES).into();
        }
    }
    let mut removed: Vec<&str> = (0..*random.one(&[0, 0, 1, 2])).map(|_| random.pick(names)).collect();
    removed.dedup();
    if !removed.is_empty() {
        changes["remove"] = json!(removed);
    }
    changes
}
