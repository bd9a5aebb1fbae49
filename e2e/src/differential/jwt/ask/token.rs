//! Random tokens for a rule: good ones, and such as fail one check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Map, Value, json};

use super::keys::{self, Key};
use super::random::Random;
use super::{claims, damage, fields, key_sets, oddities, words};

/// Names that no token can be verified by.
const OTHER_ALGORITHMS: &[&str] =
    &["none", "None", "rs256", "RS257", "", "RS256 ", "ES256K", "EdDSA25519", "RSA-OAEP"];

/// A token for `rule`, one of `rules`.
pub(super) fn token(random: &mut Random, rules: &[&Value], rule: &Value) -> Vec<u8> {
    let jwk = jwk(random, rule);
    let key = match keys::of(&jwk) {
        Some(key) if random.chance(93) => key,
        // One that is not in the set, or that stands for a public one of which nobody has the private half.
        _ => random.one(keys::all()),
    };
    let alg = algorithm(random, &jwk, key);
    let (header, payload) = (header(random, &jwk, &alg), claims::random(random, rules, rule));
    let (header, payload) = (oddities::header(random, header), oddities::payload(random, payload));
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = if key_sets::is_of_small_order(&jwk) {
        key_sets::ANYBODYS.to_vec()
    } else if random.chance(2) {
        // The public key taken for a shared secret.
        by_public_key(random, key, message.as_bytes())
    } else {
        key.sign(&alg, message.as_bytes())
    };
    let signature = damage::signature(random, key, signature);
    damage::text(random, format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into_bytes())
}

/// A key of the rule's set.
fn jwk(random: &mut Random, rule: &Value) -> Value {
    let set: Value = serde_json::from_str(fields::text(rule, "jwks")).unwrap_or_default();
    let keys = fields::items(&set, "keys");
    keys.get(random.below(keys.len())).cloned().unwrap_or_default()
}

/// The key's own algorithm, if it has one, or one that this kind of key signs by; at times any.
fn algorithm(random: &mut Random, jwk: &Value, key: &Key) -> String {
    let own = jwk.get("alg").and_then(Value::as_str);
    match (random.below(100), own) {
        (0..2, _) => random.pick(OTHER_ALGORITHMS).to_owned(),
        (2..7, _) => random.one(keys::ALGORITHMS).0.to_owned(),
        (7..15, _) | (_, None) => key_sets::algorithm(random, key.kind).to_owned(),
        (_, Some(own)) => own.to_owned(),
    }
}

fn header(random: &mut Random, jwk: &Value, alg: &str) -> Map<String, Value> {
    let mut header = Map::from_iter([("alg".to_owned(), alg.into())]);
    match jwk.get("kid") {
        Some(kid) if random.chance(75) => {
            header.insert("kid".to_owned(), kid.clone());
        }
        _ if random.chance(15) => {
            header.insert("kid".to_owned(), random.pick(words::KIDS).into());
        }
        _ => {}
    }
    if random.chance(50) {
        header.insert("typ".to_owned(), random.pick(&["JWT", "at+jwt"]).into());
    }
    if random.chance(2) {
        let (name, value) = random
            .one(&[
                ("crit", json!(["exp"])),
                ("crit", json!([])),
                ("crit", json!(null)),
                ("b64", json!(false)),
                ("b64", json!(true)),
                ("b64", json!(null)),
                ("zip", json!("DEF")),
                ("cty", json!("JWT")),
                ("jku", json!("https://evil.test/jwks")),
                ("jwk", json!({"kty": "oct", "k": "AA"})),
            ])
            .clone();
        header.insert(name.to_owned(), value);
    }
    header
}

fn by_public_key(random: &mut Random, key: &Key, message: &[u8]) -> Vec<u8> {
    let secret = match random.below(3) {
        0 => key.public.to_string(),
        1 => ["n", "x"].iter().map(|name| fields::text(&key.public, name)).collect(),
        _ => String::new(),
    };
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message).as_ref().to_vec()
}
