//! The keys that random tokens are signed by: fixed ones, for tests only.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{self, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
}

/// The algorithms that are tried, and the kind of key that signs by each.
pub(super) const ALGORITHMS: &[(&str, Kind)] = &[
    ("RS256", Kind::Rsa),
    ("RS384", Kind::Rsa),
    ("RS512", Kind::Rsa),
    ("PS256", Kind::Rsa),
    ("PS384", Kind::Rsa),
    ("PS512", Kind::Rsa),
    ("ES256", Kind::P256),
    ("ES384", Kind::P384),
];

/// Two or more keys of every kind.
pub(super) fn all() -> &'static [Key] {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let keys = [
            Key::rsa(include_str!("../../../keys/rs256.pem")),
            Key::rsa(include_str!("../../../keys/rsa-2048.pem")),
            Key::rsa(include_str!("../../../keys/rsa-3072.pem")),
            Key::p256([1; 32]),
            Key::p256([2; 32]),
            Key::p384([3; 48]),
            Key::p384([4; 48]),
        ];
        keys.into_iter().flatten().collect()
    })
}

/// The key whose public half `jwk` is, however its numbers are written.
pub(super) fn of(jwk: &Value) -> Option<&'static Key> {
    let wanted = number(jwk)?;
    all().iter().find(|key| number(&key.public).as_ref() == Some(&wanted))
}

/// The modulus or the first coordinate of a JWK, without leading zeros.
pub(super) fn number(jwk: &Value) -> Option<Vec<u8>> {
    let text = jwk.get("n").or_else(|| jwk.get("x"))?.as_str()?;
    let dense: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let bytes = URL_SAFE_NO_PAD.decode(dense).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// A key pair.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// The public half as a JWK, with what it needs and nothing else.
    pub(super) public: Value,
    secret: Secret,
}

#[derive(Debug)]
enum Secret {
    Rsa(Box<RsaKeyPair>),
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
}

impl Key {
    fn rsa(pem: &str) -> Option<Self> {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).ok()?).ok()?;
        let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let public = json!({"kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e)});
        Some(Self { kind: Kind::Rsa, public, secret: Secret::Rsa(Box::new(pair)) })
    }

    fn p256(secret: [u8; 32]) -> Option<Self> {
        let key = p256::ecdsa::SigningKey::from_slice(&secret).ok()?;
        let point = key.verifying_key().to_sec1_point(false);
        let public = curve("P-256", point.as_bytes());
        Some(Self { kind: Kind::P256, public, secret: Secret::P256(Box::new(key)) })
    }

    fn p384(secret: [u8; 48]) -> Option<Self> {
        let key = p384::ecdsa::SigningKey::from_slice(&secret).ok()?;
        let point = key.verifying_key().to_sec1_point(false);
        let public = curve("P-384", point.as_bytes());
        Some(Self { kind: Kind::P384, public, secret: Secret::P384(Box::new(key)) })
    }

    /// Signs `message` the way that `alg` asks for, or that comes nearest to it with this kind of key.
    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // Fails only for keys that are too short for the hash, which none of these is.
                let _ = pair.sign(rsa_encoding(alg), &SystemRandom::new(), message, &mut signature);
                signature
            }
            Secret::P256(key) => {
                let signed: Result<p256::ecdsa::Signature, _> = key.sign_prehash(hash(alg, message).as_ref());
                signed.map(|signature| signature.to_bytes().to_vec()).unwrap_or_default()
            }
            Secret::P384(key) => {
                let signed: Result<p384::ecdsa::Signature, _> = key.sign_prehash(hash(alg, message).as_ref());
                signed.map(|signature| signature.to_bytes().to_vec()).unwrap_or_default()
            }
        }
    }

    /// Whether Envoy takes `signature` for this key's: of an ECDSA signature each half is a number of any length, and
    /// the hash is what `alg` says, whatever else it says. `false` for an RSA key.
    pub(super) fn is_loosely_by(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let (r, s) = signature.split_at(signature.len() / 2);
        let hash = hash(alg, message);
        let raw = |width: usize| Some([padded(r, width)?, padded(s, width)?].concat());
        match &self.secret {
            Secret::Rsa(_) => false,
            Secret::P256(key) => raw(32)
                .and_then(|raw| p256::ecdsa::Signature::from_slice(&raw).ok())
                .is_some_and(|signature| {
                    key.verifying_key().verify_prehash(hash.as_ref(), &signature).is_ok()
                }),
            Secret::P384(key) => raw(48)
                .and_then(|raw| p384::ecdsa::Signature::from_slice(&raw).ok())
                .is_some_and(|signature| {
                    key.verifying_key().verify_prehash(hash.as_ref(), &signature).is_ok()
                }),
        }
    }

    /// How long the signature of an algorithm that fits this key is, in bytes.
    pub(super) fn signature_length(&self) -> usize {
        match &self.secret {
            Secret::Rsa(pair) => pair.public().modulus_len(),
            Secret::P256(_) => 64,
            Secret::P384(_) => 96,
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWK of the point in SEC 1 form, uncompressed.
fn curve(name: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": name, "x": encoded(x), "y": encoded(y)})
}

/// SHA-256 for every algorithm that does not end in 384 or 512.
fn hash(alg: &str, message: &[u8]) -> digest::Digest {
    let algorithm = match alg.get(2..) {
        Some("384") => &digest::SHA384,
        Some("512") => &digest::SHA512,
        _ => &digest::SHA256,
    };
    digest::digest(algorithm, message)
}

fn rsa_encoding(alg: &str) -> &'static dyn RsaEncoding {
    match alg {
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        _ => match alg.get(2..) {
            Some("384") => &signature::RSA_PKCS1_SHA384,
            Some("512") => &signature::RSA_PKCS1_SHA512,
            _ => &signature::RSA_PKCS1_SHA256,
        },
    }
}

/// `number` with zeros before it, `width` bytes in all; `None` if it is greater than that.
fn padded(number: &[u8], width: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let mut padded = vec![0; width.checked_sub(digits.len())?];
    padded.extend_from_slice(digits);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_two_keys() {
        for (alg, kind) in ALGORITHMS {
            let keys: Vec<_> = all().iter().filter(|key| key.kind == *kind).collect();
            assert!(keys.len() >= 2, "{alg}");
            for key in keys {
                assert_eq!(key.sign(alg, b"x").len(), key.signature_length(), "{alg}");
                assert!(std::ptr::eq(of(&key.public).unwrap(), key));
            }
        }
    }

    #[test]
    fn a_loose_check_takes_zeros_and_another_hash() {
        for key in all().iter().filter(|key| key.kind != Kind::Rsa) {
            let signature = key.sign("RS512", b"x");
            let (r, s) = signature.split_at(signature.len() / 2);
            let longer = [&[0; 3], r, &[0; 3], s].concat();
            assert!(key.is_loosely_by("HS512", b"x", &longer));
            assert!(!key.is_loosely_by("HS256", b"x", &longer));
            assert!(!key.is_loosely_by("RS512", b"y", &signature));
            assert!(!key.is_loosely_by("RS512", b"x", &longer[1..]));
        }
    }
}
