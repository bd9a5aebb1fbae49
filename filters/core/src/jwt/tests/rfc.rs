//! What the RFCs sign, and their key sets.

use serde_json::Value;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::jwt::base64url;
use crate::jwt::jwk::Key;
use crate::jwt::keys::{KeySet, Unusable};

/// Each vector: where it stands, the key, the token.
fn vectors() -> Vec<(String, Value, String)> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("keys/rfc.json")).unwrap();
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    vectors
        .iter()
        .map(|vector| (text(vector, "source"), vector["jwk"].clone(), text(vector, "token")))
        .collect()
}

/// Whether the token is signed by the key. Most payloads of the RFCs are no JSON, so this looks at the signature alone.
fn is_signed(key: &Key, token: &str, change: impl Fn(&mut Vec<u8>)) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let header = base64url::decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let algorithm = Algorithm::named(header["alg"].as_str().unwrap()).unwrap();
    let mut signature = base64url::decode(signature.as_bytes()).unwrap();
    change(&mut signature);
    key.that_fits(algorithm, signature.len())
        .is_some_and(|key| RustCrypto.verify(key, algorithm, message.as_bytes(), &signature))
}

#[test]
fn signatures_verify() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 9);
    for (source, jwk, token) in vectors {
        let key = Key::parse(jwk.as_object().unwrap()).unwrap();
        assert!(is_signed(&key, &token, |_| {}), "{source}");
        assert!(!is_signed(&key, &token, |signature| signature[9] ^= 4), "{source}");
        assert!(!is_signed(&key, &token.replacen('.', ".x", 1), |_| {}), "{source}");
    }
}

#[test]
fn tokens_verify_until_they_expire() {
    let claims_of_joe = ["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3"];
    for (source, jwk, token) in
        vectors().into_iter().filter(|(source, ..)| claims_of_joe.contains(&source.as_str()))
    {
        let jwks = serde_json::json!({"keys": [jwk]}).to_string();
        let rules = rules(vec![JwtRule { keys: KeySource::Inline(jwks), ..rule("joe") }]);
        let value = format!("Bearer {token}");
        let headers = [(&b"authorization"[..], value.as_bytes())];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        for (now, expected) in [(1_300_819_380 + 60, None), (1_300_819_380 + 61, Some(Failure::JwtExpired))] {
            let outcome = rules.verify(&request, Now(Duration::from_secs(now)), &Means::offline(&RustCrypto));
            assert_eq!(outcome.failure, expected, "{source}");
        }
    }
}

#[test]
fn what_is_not_a_signed_token_is_none() {
    // RFC 7515 A.5 and RFC 7519 6.1 (unsecured), a signature left out of A.1 as in appendix F (detached), RFC 7519 A.1
    // (encrypted: five parts).
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rules = rules_with_keys(ALL_KEYS);
    for (token, expected) in [
        (format!("eyJhbGciOiJub25lIn0.{payload}."), Failure::JwtBadFormat),
        (format!("eyJhbGciOiJub25lIn0.{payload}.AA"), Failure::JwtHeaderNotImplementedAlg),
        ("eyJhbGciOiJIUzI1NiJ9..dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(), Failure::JwtBadFormat),
        ("eyJhbGciOiJSU0ExXzUifQ.QR1Owv2ug2WyPBnbQrRARTeEk9kDO2w8.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG6nSxTLX6Mqwt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaMHDjUEOKIwrtkHthpqEanSBNYHZgmNOV7sln1Eu9g3J8.fiK51VwhsxJ-siBMR-YFiA".to_owned(), Failure::JwtBadFormat),
    ] {
        assert_eq!(bearer(&rules, &token).failure, Some(expected), "{token}");
    }
}

#[test]
fn key_sets() {
    let sets: Value = serde_json::from_str(include_str!("keys/rfc7517.json")).unwrap();
    let told = |name: &str| match KeySet::parse(&sets[name].to_string()) {
        Ok((_, remarks)) => (true, remarks),
        Err(Unusable { remarks, .. }) => (false, remarks),
    };
    let private = "`d` belongs to the private key, which nobody but the issuer should have";
    for (name, expected) in [
        ("RFC 7517 A.1", &[][..]),
        ("RFC 7517 A.2", &[(0, private), (1, private)]),
        // A key that wraps keys.
        ("RFC 7517 A.3", &[(0, "[alg] does not start with [HS] for an HMAC key")]),
        // It has `x5c` besides.
        ("RFC 7517 B", &[]),
    ] {
        let (usable, remarks) = told(name);
        let remarks: Vec<_> = remarks.iter().map(|remark| (remark.index, remark.text.as_str())).collect();
        assert!(usable, "{name}");
        assert_eq!(remarks, expected, "{name}");
    }
}
