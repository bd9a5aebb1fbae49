//! Cross-origin policies.

use serde_json::{Value, json};

use super::super::random::Random;

/// A random `corsPolicy`.
pub(super) fn policy(random: &mut Random) -> Value {
    let origins = [
        json!([{"exact": "https://one.test"}]),
        json!([{"exact": "https://one.test"}, {"prefix": "https://two."}]),
        json!([{"regex": "https://[a-z]+[.]test"}]),
        json!([{"exact": "*"}]),
        json!([]),
    ];
    let mut policy = json!({"allowOrigins": random.one(&origins).clone()});
    if random.chance(60) {
        let methods = [json!(["GET"]), json!(["GET", "POST"]), json!(["*"])];
        policy["allowMethods"] = random.one(&methods).clone();
    }
    if random.chance(50) {
        policy["allowHeaders"] = random.one(&[json!(["x-a"]), json!(["x-a", "x-b"]), json!(["*"])]).clone();
    }
    if random.chance(40) {
        policy["exposeHeaders"] = random.one(&[json!(["x-c", "x-d"]), json!(["*"])]).clone();
    }
    if random.chance(40) {
        policy["maxAge"] = random.pick(&["1s", "24h", "90s"]).into();
    }
    if random.chance(40) {
        policy["allowCredentials"] = random.chance(60).into();
    }
    if random.chance(40) {
        policy["unmatchedPreflights"] = random.pick(&["FORWARD", "IGNORE", "UNSPECIFIED"]).into();
    }
    policy
}
