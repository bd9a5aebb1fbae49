//! Tokens that Envoy takes and we refuse, or that we refuse for another reason.

use serde_json::Value;

use super::super::key_sets;
use super::super::keys::Kind;
use super::relaxed::is_relaxed_only;
use super::sent::Sent;
use super::{Configuration, fields, keys, reference};

const JSON: &str = "JSON that RFC 8259 does not allow";
const CRIT: &str = "header crit";
const UNENCODED: &str = "header b64";
const LENGTH: &str = "length of an ECDSA signature";
const KIND: &str = "an algorithm that is not of the key's kind";
const CURVE: &str = "an ECDSA algorithm with the key of another curve";
const SHORT: &str = "an RSA key of less than 1024 bits";
const SMALL_ORDER: &str = "an Ed25519 key of small order";
const OFF_CURVE: &str = "an EC key that is no point of its curve";

const FAILS: &str = "Jwt verification fails";
const NO_KEY: &str = "Jwks doesn't have key to match kid or alg from Jwt";
const WRONG_LENGTH: &str = "Jwt ED25519 signature is wrong length";

/// Why both refuse, but for different reasons.
pub(super) fn otherwise(
    configuration: &Configuration,
    sent: &[Sent],
    ours: &str,
    native: &str,
) -> Option<&'static str> {
    let any = |test: &dyn Fn(&Sent) -> bool| sent.iter().any(test);
    let jwks = jwks(configuration);
    let has = |test: fn(&Value) -> bool| any(&|sent| jwks.iter().any(|jwk| test(jwk) && agree(sent, jwk)));
    match (ours, native) {
        ("Jwt header is an invalid JSON", _) if any(&|sent| is_relaxed_only(&sent.header)) => Some(JSON),
        ("Jwt payload is an invalid JSON", _) if any(&|sent| is_relaxed_only(&sent.payload)) => Some(JSON),
        (FAILS, _) if any(&|sent| sent.member("crit").is_some()) => Some(CRIT),
        (FAILS, _) if any(&has_unencoded_payload) => Some(UNENCODED),
        (FAILS | NO_KEY, _) if has(key_sets::is_short) => Some(SHORT),
        (FAILS | NO_KEY, _) if has(key_sets::is_of_small_order) => Some(SMALL_ORDER),
        (FAILS, NO_KEY) if has(key_sets::is_off_curve) => Some(OFF_CURVE),
        (FAILS | NO_KEY | WRONG_LENGTH, _) => loosely(&jwks, sent),
        _ => None,
    }
}

/// Why Envoy takes one of `sent` that we do not, or gives up with it where we go on.
pub(super) fn alone(configuration: &Configuration, sent: &[Sent]) -> Option<&'static str> {
    let any = |test: &dyn Fn(&Sent) -> bool| sent.iter().any(test);
    if any(&|sent| is_relaxed_only(&sent.header) || is_relaxed_only(&sent.payload)) {
        return Some(JSON);
    }
    if any(&|sent| sent.member("crit").is_some()) {
        return Some(CRIT);
    }
    if any(&has_unencoded_payload) {
        return Some(UNENCODED);
    }
    let jwks = jwks(configuration);
    // Whatever the algorithm is, a signature of another length is the end of the matter.
    let is_decided = |sent: &Sent| {
        sent.signature == key_sets::ANYBODYS || sent.signature.len() != key_sets::ANYBODYS.len()
    };
    let is_by =
        |sent: &Sent, jwk: &Value| key_sets::is_of_small_order(jwk) && agree(sent, jwk) && is_decided(sent);
    if any(&|sent| jwks.iter().any(|jwk| is_by(sent, jwk))) {
        return Some(SMALL_ORDER);
    }
    loosely(&jwks, sent)
}

fn has_unencoded_payload(sent: &Sent) -> bool {
    sent.member("b64").is_some_and(|value| value != Value::Bool(true))
}

/// Every key of the rules that apply.
fn jwks(configuration: &Configuration) -> Vec<Value> {
    let rules = reference::rules(configuration).unwrap_or_default();
    let sets = rules.iter().filter_map(|rule| serde_json::from_str::<Value>(fields::text(rule, "jwks")).ok());
    sets.flat_map(|set| fields::items(&set, "keys").to_vec()).collect()
}

/// What keeps us from taking a signature that Envoy takes.
fn loosely(jwks: &[Value], sent: &[Sent]) -> Option<&'static str> {
    sent.iter().find_map(|sent| jwks.iter().find_map(|jwk| loosely_by(sent, jwk)))
}

fn loosely_by(sent: &Sent, jwk: &Value) -> Option<&'static str> {
    let (key, alg) = (keys::of(jwk)?, sent.text("alg"));
    if !agree(sent, jwk) || !key.is_loosely_by(&alg, &sent.message, &sent.signature) {
        return None;
    }
    let is_curve = matches!(key.kind, Kind::P256 | Kind::P384 | Kind::P521);
    if keys::ALGORITHMS.contains(&(alg.as_str(), key.kind)) {
        (is_curve && sent.signature.len() != key.signature_length()).then_some(LENGTH)
    } else {
        Some(if is_curve && alg.starts_with("ES") { CURVE } else { KIND })
    }
}

/// Whether a token may have been signed by a key, as Envoy sees it.
fn agree(sent: &Sent, jwk: &Value) -> bool {
    ["kid", "alg"].iter().all(|name| {
        let (key, token) = (fields::text(jwk, name), sent.text(name));
        key.is_empty() || token.is_empty() || key == token
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::super::super::generate::NAMESPACE;
    use super::*;

    fn token(header: &str, signature: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Sent> {
        let message = format!("{}.e30", URL_SAFE_NO_PAD.encode(header)).into_bytes();
        let signature = signature(&message);
        vec![Sent { header: header.into(), payload: b"{}".to_vec(), message, signature }]
    }

    fn configuration(jwk: &Value) -> Configuration {
        let policy = json!({
            "kind": "RequestAuthentication", "metadata": {"name": "p", "namespace": NAMESPACE},
            "spec": {"jwtRules": [{"issuer": "i", "jwks": json!({"keys": [jwk]}).to_string()}]},
        });
        Configuration { tag: String::new(), resources: vec![policy] }
    }

    #[test]
    fn each_is_told_by_its_cause() {
        let key = keys::all().iter().find(|key| key.public["crv"] == "P-256").unwrap();
        let jwk = &key.public;
        let by = |alg: &'static str| move |message: &[u8]| key.sign(alg, message);
        let longer = |message: &[u8]| {
            let signature = key.sign("ES256", message);
            let (r, s) = signature.split_at(32);
            [&[0], r, &[0], s].concat()
        };
        let wrong = |message: &[u8]| key.sign("ES256", &[message, b"x"].concat());
        let configuration_ = configuration(jwk);
        for (header, signature, name) in [
            (r#"{"alg":"RS256"}"#, &by("RS256") as &dyn Fn(&[u8]) -> Vec<u8>, Some(KIND)),
            (r#"{"alg":"ES384"}"#, &by("ES384"), Some(CURVE)),
            (r#"{"alg":"ES256"}"#, &longer, Some(LENGTH)),
            (r#"{"alg":"ES256","crit":[]}"#, &by("ES256"), Some(CRIT)),
            (r#"{"alg":"ES256","b64":false}"#, &by("ES256"), Some(UNENCODED)),
            (r#"{"alg":"ES256","b64":true}"#, &by("ES256"), None),
            (r#"{"alg":"ES256"}"#, &by("ES256"), None),
            (r#"{"alg":"RS256"}"#, &wrong, None),
        ] {
            let sent = token(header, signature);
            assert_eq!(alone(&configuration_, &sent), name, "{header}");
            assert_eq!(otherwise(&configuration_, &sent, FAILS, "Jwt is expired"), name, "{header}");
            assert_eq!(otherwise(&configuration_, &sent, "Jwt is expired", FAILS), None, "{header}");
        }
        let relaxed = token(r#"{"alg":"ES256",}"#, by("ES256"));
        assert_eq!(alone(&configuration_, &relaxed), Some(JSON));
        assert_eq!(otherwise(&configuration_, &relaxed, "Jwt header is an invalid JSON", FAILS), Some(JSON));
        assert_eq!(otherwise(&configuration_, &relaxed, "Jwt payload is an invalid JSON", FAILS), None);
        let mut other = jwk.clone();
        other["kid"] = "one".into();
        assert_eq!(
            alone(&configuration(&other), &token(r#"{"alg":"RS256","kid":"two"}"#, by("RS256"))),
            None
        );
    }
}
