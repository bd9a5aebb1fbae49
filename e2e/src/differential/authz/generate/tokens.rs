//! Random RequestAuthentications, all of which take tokens by one key.

use serde_json::{Value, json};

use super::{NAMESPACE, Random, token, words};

/// One, with a rule or two.
pub(super) fn authentication(random: &mut Random, tag: &str) -> Value {
    let first = random.below(words::ISSUERS.len());
    let count = random.between(1, 2);
    let issuers = words::ISSUERS.iter().cycle().skip(first).take(count);
    let rules: Vec<Value> = issuers.map(|issuer| rule(random, issuer)).collect();
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": format!("{tag}-tokens"), "namespace": NAMESPACE}, "spec": {"jwtRules": rules},
    })
}

fn rule(random: &mut Random, issuer: &str) -> Value {
    let mut rule = json!({"issuer": issuer, "jwks": token::key_set().to_string()});
    if random.chance(40) {
        rule["forwardOriginalToken"] = true.into();
    }
    if random.chance(25) {
        let claim = random.pick(&["sub", "group", "nested.id"]);
        let header = random.pick(&["x-sub", "x-role"]);
        rule["outputClaimToHeaders"] = json!([{"header": header, "claim": claim}]);
    }
    if random.chance(25) {
        rule["spaceDelimitedClaims"] = json!(["roles", "text"]);
    }
    rule
}
