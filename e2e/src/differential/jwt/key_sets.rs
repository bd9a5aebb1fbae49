//! Random JWK sets.

use serde_json::{Value, json};

use super::super::random::Random;
use super::keys::{self, ALGORITHMS, Kind};
use super::words;

/// A set of one to five keys, of which one can be used by both sides.
pub(super) fn random(random: &mut Random) -> Value {
    let mut set = vec![usable(random)];
    for _ in 0..*random.one(&[0, 0, 1, 1, 2, 3, 4]) {
        let key = if random.chance(75) { usable(random) } else { odd(random) };
        set.insert(random.below(set.len() + 1), key);
    }
    json!({"keys": set})
}

/// A key, with a `kid` and an `alg` or without.
fn usable(random: &mut Random) -> Value {
    let key = random.one(keys::all());
    let mut jwk = key.public.clone();
    if random.chance(65) {
        jwk["kid"] = random.pick(words::KIDS).into();
    }
    if random.chance(45) {
        jwk["alg"] = algorithm(random, key.kind).into();
    }
    if random.chance(20) {
        jwk["use"] = random.pick(&["sig", "enc"]).into();
    }
    jwk
}

/// An algorithm by which a key of this kind signs.
pub(super) fn algorithm(random: &mut Random, kind: Kind) -> &'static str {
    let fitting: Vec<&str> =
        ALGORITHMS.iter().filter(|(_, signed_by)| *signed_by == kind).map(|(name, _)| *name).collect();
    fitting[random.below(fitting.len())]
}

/// A key that is left out of its set, or that nearly is.
fn odd(random: &mut Random) -> Value {
    let mut jwk = usable(random);
    match random.below(15) {
        0 => {
            jwk["alg"] =
                random.pick(&["ES256", "RS256", "ES384", "HS256", "EdDSA", "none", "RS", "PS999"]).into()
        }
        1 => jwk["kty"] = random.pick(&["rsa", "ec", "XYZ", ""]).into(),
        2 => jwk["crv"] = random.pick(&["P-256", "P-384", "P-521", "P-192", "Ed448", "p-256", ""]).into(),
        3 => remove(&mut jwk, "crv"),
        4 => jwk["kid"] = random.one(&[json!(1), json!(null), json!([]), json!("one")]).clone(),
        5 => jwk["alg"] = random.one(&[json!(1), json!(null), json!({})]).clone(),
        6 => jwk["e"] = random.pick(&["Aw", "AAEAAQ", "AQAB==", "AQAC", "", "!", "BQ"]).into(),
        7 => number(random, &mut jwk, |text| format!("{text}=")),
        8 => number(random, &mut jwk, |text| format!(" {text}\n")),
        9 => number(random, &mut jwk, |text| format!("AAAA{text}")),
        10 => number(random, &mut jwk, |text| text.get(4..).unwrap_or_default().to_owned()),
        11 => number(random, &mut jwk, |_| String::new()),
        12 => {
            // 512 bits, which Envoy takes and we do not. Nobody has its private half.
            jwk = json!({"kty": "RSA", "n": format!("{}Q", "_".repeat(85)), "e": "AQAB", "kid": random.pick(words::KIDS)});
        }
        13 => {
            jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": SMALL_ORDER, "kid": random.pick(words::KIDS)});
        }
        _ => {
            let name = *random.one(&["n", "e", "x", "y", "k", "crv"]);
            jwk[name] = random.one(&[json!(null), json!(5), json!(["AQAB"])]).clone();
        }
    }
    jwk
}

/// Whether `jwk` is an RSA key that Envoy takes and we do not.
pub(super) fn is_short(jwk: &Value) -> bool {
    jwk["kty"] == "RSA" && keys::number(jwk).is_some_and(|modulus| (64..128).contains(&modulus.len()))
}

/// The neutral point of Ed25519, as a key.
const SMALL_ORDER: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The signature that it verifies for every message.
pub(super) const ANYBODYS: [u8; 64] = {
    let mut signature = [0; 64];
    signature[0] = 1;
    signature
};

/// Whether `jwk` is an Ed25519 key that anybody can sign for, which Envoy takes and we do not.
pub(super) fn is_of_small_order(jwk: &Value) -> bool {
    jwk["x"] == SMALL_ORDER
}

/// Whether `jwk` is an EC key that is none of the known ones: its numbers are no point of the curve.
pub(super) fn is_off_curve(jwk: &Value) -> bool {
    let other = |key: &keys::Key| {
        keys::coordinate(&key.public) != keys::coordinate(jwk)
            || jwk.get("crv").is_some_and(|curve| *curve != key.public["crv"])
    };
    jwk["kty"] == "EC" && keys::of(jwk).is_none_or(other)
}

fn remove(jwk: &mut Value, name: &str) {
    if let Some(members) = jwk.as_object_mut() {
        members.remove(name);
    }
}

/// Changes one of the numbers of a key.
fn number(random: &mut Random, jwk: &mut Value, change: impl Fn(&str) -> String) {
    let name = *random.one(&["n", "e", "x", "y", "k"]);
    if let Some(text) = jwk.get(name).and_then(Value::as_str) {
        jwk[name] = change(text).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_one_to_five_keys_and_many_shapes() {
        let mut random_ = Random::new(1, 1);
        let mut shapes = std::collections::BTreeSet::new();
        for _ in 0..2000 {
            let set = random(&mut random_);
            let set = set["keys"].as_array().unwrap();
            assert!((1..=5).contains(&set.len()));
            shapes.extend(set.iter().map(Value::to_string));
        }
        assert!(shapes.len() > 300, "{}", shapes.len());
    }
}
