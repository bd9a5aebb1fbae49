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
    let rules = rules(vec![rule("i")]);
    for algorithm in ["RS256", "ES256", "ES384"] {
        let token = mint::signed(algorithm, &format!(r#"{{"alg":"{algorithm}"}}"#), PAYLOAD);
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
            let expected = if bad.is_empty() { Failure::JwtBadFormat } else { Failure::JwtVerificationFail };
            assert_eq!(bearer(&rules, &token).failure, Some(expected), "{algorithm} {bad:?}");
        }
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
    let request = Request::new(&headers, Connection::default());
    let rules = rules(vec![rule("i")]);
    let outcome = rules.verify(&request, Now(Duration::from_secs(NOW)), &Means::offline(&Host));
    assert_eq!(outcome.failure, None);
    assert!(outcome.identity.is_some());
}
