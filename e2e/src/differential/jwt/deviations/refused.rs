//! Refusals of ours for reasons that Envoy does not have.

use serde_json::Value;

use super::super::key_sets;
use super::super::keys::Kind;
use super::relaxed::is_relaxed_only;
use super::sent::{Sent, tokens};
use super::{Answer, Configuration, Request, fields, keys, reference};

/// The deviation that our refusal is; `None` if it is another one, or none at all.
pub(super) fn name(configuration: &Configuration, request: &Request, ours: &Answer) -> Option<&'static str> {
    let [body] = ours.body.as_slice() else { return None };
    if ours.status != 401 {
        return None;
    }
    let sent = tokens(request);
    let any = |test: &dyn Fn(&Sent) -> bool| sent.iter().any(test);
    match std::str::from_utf8(body).ok()? {
        "Jwt header is an invalid JSON" => any(&|sent| is_relaxed_only(&sent.header)).then_some(JSON),
        "Jwt payload is an invalid JSON" => any(&|sent| is_relaxed_only(&sent.payload)).then_some(JSON),
        "Jwt verification fails" if any(&|sent| sent.member("crit").is_some()) => Some(CRIT),
        "Jwt verification fails"
            if any(&|sent| sent.member("b64").is_some_and(|value| value != Value::Bool(true))) =>
        {
            Some(UNENCODED)
        }
        "Jwt verification fails" | "Jwks doesn't have key to match kid or alg from Jwt" => {
            let jwks = jwks(configuration);
            let loosely = sent.iter().find_map(|sent| jwks.iter().find_map(|jwk| loosely(sent, jwk)));
            let left_out = |test: fn(&Value) -> bool| {
                any(&|sent| jwks.iter().any(|jwk| test(jwk) && agree(sent, jwk)))
            };
            loosely
                .or_else(|| left_out(key_sets::is_short).then_some(SHORT))
                .or_else(|| left_out(key_sets::is_of_small_order).then_some(SMALL_ORDER))
        }
        _ => None,
    }
}

const JSON: &str = "JSON that RFC 8259 does not allow";
const CRIT: &str = "header crit";
const UNENCODED: &str = "header b64";
const LENGTH: &str = "length of an ECDSA signature";
const KIND: &str = "an algorithm that is not of the key's kind";
const CURVE: &str = "an ECDSA algorithm with the key of another curve";
const SHORT: &str = "an RSA key of less than 1024 bits";
const SMALL_ORDER: &str = "an Ed25519 key of small order";

/// Every key of the rules that apply.
fn jwks(configuration: &Configuration) -> Vec<Value> {
    let rules = reference::rules(configuration).unwrap_or_default();
    let sets = rules.iter().filter_map(|rule| serde_json::from_str::<Value>(fields::text(rule, "jwks")).ok());
    sets.flat_map(|set| fields::items(&set, "keys").to_vec()).collect()
}

/// What keeps us from taking a signature that Envoy takes.
fn loosely(sent: &Sent, jwk: &Value) -> Option<&'static str> {
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

    /// What a refusal with `body` of a token is called, where the rule has `jwk`.
    fn named(jwk: &Value, body: &str, header: &str, signature: impl Fn(&[u8]) -> Vec<u8>) -> Option<&'static str> {
        let message = format!("{}.e30", URL_SAFE_NO_PAD.encode(header));
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature(message.as_bytes())));
        let request = Request {
            port: 80,
            method: "GET".to_owned(),
            target: b"/".to_vec(),
            host: Vec::new(),
            headers: vec![("authorization".to_owned(), format!("Bearer {token}").into_bytes())],
        };
        let policy = json!({
            "kind": "RequestAuthentication", "metadata": {"name": "p", "namespace": NAMESPACE},
            "spec": {"jwtRules": [{"issuer": "i", "jwks": json!({"keys": [jwk]}).to_string()}]},
        });
        let configuration = Configuration { tag: String::new(), resources: vec![policy] };
        name(&configuration, &request, &Answer::new(401, Vec::new(), body.as_bytes()))
    }

    #[test]
    fn each_is_told_by_its_cause() {
        let key = keys::all().iter().find(|key| key.public["crv"] == "P-256").unwrap();
        let jwk = &key.public;
        let fails = "Jwt verification fails";
        let by = |alg: &'static str| move |message: &[u8]| key.sign(alg, message);
        let longer = |message: &[u8]| {
            let signature = key.sign("ES256", message);
            let (r, s) = signature.split_at(32);
            [&[0], r, &[0], s].concat()
        };
        let wrong = |message: &[u8]| key.sign("ES256", &[message, b"x"].concat());
        assert_eq!(named(jwk, fails, r#"{"alg":"RS256"}"#, by("RS256")), Some(KIND));
        assert_eq!(named(jwk, fails, r#"{"alg":"ES384"}"#, by("ES384")), Some(CURVE));
        assert_eq!(named(jwk, fails, r#"{"alg":"ES256"}"#, longer), Some(LENGTH));
        assert_eq!(named(jwk, fails, r#"{"alg":"ES256","crit":[]}"#, by("ES256")), Some(CRIT));
        assert_eq!(named(jwk, "Jwt header is an invalid JSON", r#"{"alg":"ES256",}"#, by("ES256")), Some(JSON));
        // Refused though there is no such cause.
        for (body, header) in [
            (fails, r#"{"alg":"ES256"}"#),
            ("Jwt header is an invalid JSON", r#"{"alg":"ES256"}"#),
            ("Jwt is expired", r#"{"alg":"ES256","crit":[]}"#),
            ("Jwks doesn't have key to match kid or alg from Jwt", r#"{"alg":"ES256"}"#),
        ] {
            assert_eq!(named(jwk, body, header, by("ES256")), None, "{body} {header}");
        }
        assert_eq!(named(jwk, fails, r#"{"alg":"RS256"}"#, wrong), None);
        let mut other = jwk.clone();
        other["kid"] = "one".into();
        assert_eq!(named(&other, fails, r#"{"alg":"RS256","kid":"two"}"#, by("RS256")), None);
    }
}
