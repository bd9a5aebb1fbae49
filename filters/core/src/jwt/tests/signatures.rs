//! Which signatures verify, under which key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const PAYLOAD: &str = r#"{"iss":"i","sub":"ann"}"#;

fn failure(header: &str, algorithm: &str) -> Option<Failure> {
    bearer(&rules(vec![rule("i")]), &mint::signed(algorithm, header, PAYLOAD)).failure
}

#[test]
fn keys_are_chosen_by_kid_and_alg() {
    for (header, signed, expected) in [
        (r#"{"alg":"RS256","kid":"rsa"}"#, "RS256", None),
        (r#"{"alg":"RS256"}"#, "RS256", None),
        (r#"{"alg":"RS256","kid":""}"#, "RS256", None),
        (r#"{"alg":"RS384"}"#, "RS384", None),
        (r#"{"alg":"RS512"}"#, "RS512", None),
        (r#"{"alg":"ES256"}"#, "ES256", None),
        (r#"{"alg":"ES256","kid":"p256"}"#, "ES256", None),
        (r#"{"alg":"ES384"}"#, "ES384", None),
        (r#"{"alg":"ES384","kid":"p384"}"#, "ES384", None),
        (r#"{"alg":"RS256","kid":"RSA"}"#, "RS256", Some(Failure::JwksKidAlgMismatch)),
        (r#"{"alg":"ES256","kid":"p384"}"#, "ES256", Some(Failure::JwksKidAlgMismatch)),
        (r#"{"alg":"RS256","kid":"p256"}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"RS384"}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"RS256"}"#, "RS256-other", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"ES256"}"#, "ES384", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"ES384","kid":"p256"}"#, "ES384", Some(Failure::JwksKidAlgMismatch)),
        (r#"{"alg":"HS256","kid":"rsa"}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"ES512"}"#, "ES256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"EdDSA"}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"RS256","b64":false}"#, "RS256", Some(Failure::JwtVerificationFail)),
        (r#"{"alg":"RS256","b64":true}"#, "RS256", None),
    ] {
        // A key with an `alg` of its own is no candidate for another algorithm.
        let expected = if header.contains("\"p256\"") && header.contains("ES384") {
            Some(Failure::JwtVerificationFail)
        } else {
            expected
        };
        assert_eq!(failure(header, signed), expected, "{header} by {signed}");
    }
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    let rules = rules_with_keys(ALL_KEYS);
    for (algorithm, kid) in [
        ("RS256", "rsa"),
        ("ES256", "p256"),
        ("ES384", "p384"),
        ("ES512", "p521"),
        ("EdDSA", "ed25519"),
        ("HS256", "secret"),
        ("HS384", "secret"),
        ("HS512", "secret"),
    ] {
        let token = mint::signed(algorithm, &format!(r#"{{"alg":"{algorithm}","kid":"{kid}"}}"#), PAYLOAD);
        assert_eq!(bearer(&rules, &token).failure, None);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let good = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bad));
            assert_eq!(
                bearer(&rules, &token).failure,
                Some(Failure::JwtVerificationFail),
                "{algorithm} {index}"
            );
        }
        for bad in [&good[1..], &[&[0], &good[..]].concat(), &[], &vec![0; good.len()]] {
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bad));
            let expected = match (bad.len(), algorithm) {
                (0, _) => Failure::JwtBadFormat,
                (64, _) => Failure::JwtVerificationFail,
                (_, "EdDSA") => Failure::JwtEd25519SignatureWrongLength,
                _ => Failure::JwtVerificationFail,
            };
            assert_eq!(bearer(&rules, &token).failure, Some(expected), "{algorithm} {bad:?}");
        }
    }
}

#[test]
fn every_algorithm_has_its_own_kind_of_key() {
    const ALGORITHMS: [&str; 13] = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256",
        "HS384", "HS512",
    ];
    const SIGNERS: [(&str, &str); 11] = [
        ("RS256", "rsa"),
        ("RS384", "rsa"),
        ("RS512", "rsa"),
        ("ES256", "p256"),
        ("ES384", "p384"),
        ("ES512", "p521"),
        ("EdDSA", "ed25519"),
        ("HS256", "secret"),
        ("HS384", "secret"),
        ("HS512", "secret"),
        ("RS256-other", "none"),
    ];
    let all: serde_json::Value = serde_json::from_str(ALL_KEYS).unwrap();
    let alone = |key: &serde_json::Value| rules_with_keys(&serde_json::json!({"keys": [key]}).to_string());
    let keys: Vec<_> = all["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["kid"].as_str().unwrap(), alone(key)))
        .collect();
    for (signer, own) in SIGNERS {
        for alg in ALGORITHMS {
            let token = mint::signed(signer, &format!(r#"{{"alg":"{alg}"}}"#), PAYLOAD);
            for (kid, rules) in &keys {
                let verified = bearer(rules, &token).principal.is_some();
                assert_eq!(verified, alg == signer && *kid == own, "{alg} by {kid}, signed as {signer}");
            }
        }
    }
}

#[test]
fn a_key_of_ed25519_ends_the_search_if_the_signature_is_of_another_length() {
    let keys = |kids: &[&str]| {
        let all: serde_json::Value = serde_json::from_str(ALL_KEYS).unwrap();
        let key = |kid: &&str| {
            let mut key =
                all["keys"].as_array().unwrap().iter().find(|key| key["kid"] == **kid).unwrap().clone();
            key.as_object_mut().unwrap().remove("alg");
            key
        };
        rules_with_keys(&serde_json::json!({"keys": kids.iter().map(key).collect::<Vec<_>>()}).to_string())
    };
    let wrong_length = Some(Failure::JwtEd25519SignatureWrongLength);
    let fails = Some(Failure::JwtVerificationFail);
    for (signer, kids, expected) in [
        ("RS256", &["rsa", "ed25519"][..], None),
        ("RS256", &["ed25519", "rsa"], wrong_length.clone()),
        ("RS256", &["p256", "ed25519"], wrong_length.clone()),
        ("ES256", &["ed25519", "p256"], None),
        ("ES256", &["ed25519"], fails.clone()),
        ("ES256", &["p384"], fails),
        ("EdDSA", &["secret", "rsa", "p256", "ed25519"], None),
        ("HS512", &["ed25519", "secret"], None),
        ("HS256", &["ed25519", "secret"], wrong_length),
    ] {
        let token = mint::signed(signer, &format!(r#"{{"alg":"{signer}"}}"#), PAYLOAD);
        assert_eq!(bearer(&keys(kids), &token).failure, expected, "{signer} {kids:?}");
    }
}

#[test]
fn the_signature_is_of_the_text_and_not_of_what_it_means() {
    let rules = rules(vec![rule("i")]);
    let token = mint::token_of("i");
    let (header, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for (text, verifies) in [
        (format!("{header}..{payload}.{signature}."), true),
        (format!("{header}.{payload}.{signature}=="), true),
        (format!("{header}.{payload}. {signature} "), true),
        (format!("{header}.{payload} .{signature}"), false),
        (format!("{header}=.{payload}.{signature}"), false),
    ] {
        assert_eq!(bearer(&rules, &text).failure.is_none(), verifies, "{text}");
    }
}

#[test]
fn pss_tokens_verify() {
    // Made by OpenSSL; PSS signatures are random.
    let rules = rules(vec![rule("i")]);
    for token in
        [include_str!("keys/ps256.jwt"), include_str!("keys/ps384.jwt"), include_str!("keys/ps512.jwt")]
    {
        let token = token.trim();
        assert_eq!(bearer(&rules, token).principal.as_deref(), Some("i/ann"));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let good = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for index in (0..good.len()).step_by(5) {
            let mut bad = good.clone();
            bad[index] ^= 0x10;
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bad));
            assert_eq!(bearer(&rules, &token).failure, Some(Failure::JwtVerificationFail), "{index}");
        }
        let other = token.replacen("eyJ", "eyI", 1);
        assert!(bearer(&rules, &other).failure.is_some());
    }
}

#[test]
fn the_host_gets_the_key_as_openssl_writes_it_and_the_signature_in_der() {
    struct Host;
    impl SignatureVerifier for Host {
        fn verify(
            &self,
            key: &VerificationKey,
            algorithm: Algorithm,
            message: &[u8],
            signature: &[u8],
        ) -> bool {
            use p256::ecdsa::signature::Verifier as _;
            use p256::pkcs8::DecodePublicKey as _;
            assert_eq!(algorithm, Algorithm::named("ES256").unwrap());
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(key.spki().unwrap()).unwrap();
            let signature = p256::ecdsa::Signature::from_der(&ecdsa_der(signature).unwrap()).unwrap();
            key.verify(message, &signature).is_ok()
        }
    }
    let token = mint::signed("ES256", r#"{"alg":"ES256","kid":"p256"}"#, PAYLOAD);
    let value = format!("Bearer {token}");
    let headers = [(&b"authorization"[..], value.as_bytes())];
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let rules = rules(vec![rule("i")]);
    let outcome = rules.verify(&request, Now(Duration::from_secs(NOW)), &Means::offline(&Host));
    assert_eq!(outcome.failure, None);
    assert!(outcome.identity.is_some());
}
