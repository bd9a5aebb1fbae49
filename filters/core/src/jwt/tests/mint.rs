//! Makes tokens, signed by the keys beside this file. The signatures are deterministic.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey as EdwardsKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use once_cell::sync::Lazy;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

static RSA: Lazy<rsa::PrivateKey> = Lazy::new(|| rsa_key(include_str!("keys/rsa.pem")));
static RSA_OTHER: Lazy<rsa::PrivateKey> = Lazy::new(|| rsa_key(include_str!("keys/rsa-other.pem")));

/// The key `secret`.
const SECRET: &[u8] = b"only the tests share this secret, which has as many bytes as HS512 wants, and more";

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn rsa_key(pem: &str) -> rsa::PrivateKey {
    rsa::PrivateKey::from_pkcs8_der(&der(pem)).unwrap()
}

/// The bytes that go before and after the dots, and the whole of `header` and `payload` as given.
pub(super) fn signed(algorithm: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature(algorithm, message.as_bytes())))
}

/// The signature of `message`, made as `algorithm` says; `RS256-other` signs by a key that is in no set.
pub(super) fn signature(algorithm: &str, message: &[u8]) -> Vec<u8> {
    match algorithm {
        "RS256" => RSA.pkcs1v15_sign::<Sha256>(message).unwrap(),
        "RS384" => RSA.pkcs1v15_sign::<Sha384>(message).unwrap(),
        "RS512" => RSA.pkcs1v15_sign::<Sha512>(message).unwrap(),
        "RS256-other" => RSA_OTHER.pkcs1v15_sign::<Sha256>(message).unwrap(),
        "ES256" => {
            let key = p256::ecdsa::SigningKey::from_pkcs8_der(&der(include_str!("keys/p256.pem"))).unwrap();
            let signature: p256::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "ES384" => {
            let key = p384::ecdsa::SigningKey::from_pkcs8_der(&der(include_str!("keys/p384.pem"))).unwrap();
            let signature: p384::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "ES512" => {
            let key = p521::ecdsa::SigningKey::from_pkcs8_der(&der(include_str!("keys/p521.pem"))).unwrap();
            let signature: p521::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "EdDSA" => {
            // RFC 8410 section 7: the seed is what stands last.
            let der = der(include_str!("keys/ed25519.pem"));
            let seed = der.last_chunk().unwrap();
            EdwardsKey::from_bytes(seed).sign(message).to_bytes().to_vec()
        }
        "HS256" => Hmac::<Sha256>::new_from_slice(SECRET)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
        "HS384" => Hmac::<Sha384>::new_from_slice(SECRET)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
        "HS512" => Hmac::<Sha512>::new_from_slice(SECRET)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
        other => panic!("no key for {other}"),
    }
}

/// An RS256 token with this payload.
pub(super) fn token(payload: &Value) -> String {
    signed("RS256", r#"{"alg":"RS256","kid":"rsa"}"#, &payload.to_string())
}

/// An RS256 token of this issuer for subject `ann`.
pub(super) fn token_of(issuer: &str) -> String {
    token(&json!({"iss": issuer, "sub": "ann"}))
}
