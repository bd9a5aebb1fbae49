//! The keys that random tokens are signed by: fixed ones, for tests only.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::SignatureEncoding;
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use ring::rand::SystemRandom;
use ring::signature::{self, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair};
use ring::{digest, hmac};
use serde_json::{Value, json};

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    Secret,
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
    ("ES512", Kind::P521),
    ("EdDSA", Kind::Ed25519),
    ("HS256", Kind::Secret),
    ("HS384", Kind::Secret),
    ("HS512", Kind::Secret),
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
            Key::p521([1; 66]),
            Key::p521(std::array::from_fn(|index| u8::from(index % 2 == 1))),
            Key::ed25519([7; 32]),
            Key::ed25519([8; 32]),
            Some(Key::secret(b"thirty-two bytes are long enough")),
            Some(Key::secret(b"short")),
        ];
        keys.into_iter().flatten().collect()
    })
}

/// The key whose public half `jwk` is, however its numbers are written.
pub(super) fn of(jwk: &Value) -> Option<&'static Key> {
    let wanted = number(jwk)?;
    all().iter().find(|key| number(&key.public).as_ref() == Some(&wanted))
}

/// The modulus, the first coordinate or the secret of a JWK, without leading zeros.
pub(super) fn number(jwk: &Value) -> Option<Vec<u8>> {
    plain(["n", "x", "k"].iter().find_map(|name| jwk.get(name))?)
}

/// The second coordinate of a JWK, likewise.
pub(super) fn coordinate(jwk: &Value) -> Option<Vec<u8>> {
    plain(jwk.get("y")?)
}

fn plain(number: &Value) -> Option<Vec<u8>> {
    let text = number.as_str()?;
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
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(Box<Ed25519KeyPair>),
    Secret(&'static [u8]),
}

impl Key {
    fn rsa(pem: &str) -> Option<Self> {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).ok()?).ok()?;
        let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let public = json!({"kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e)});
        Some(Self { kind: Kind::Rsa, public, pair: Pair::Rsa(Box::new(pair)) })
    }

    fn p256(secret: [u8; 32]) -> Option<Self> {
        let key = p256::ecdsa::SigningKey::from_slice(&secret).ok()?;
        let public = curve("P-256", key.verifying_key().to_sec1_point(false).as_bytes());
        Some(Self { kind: Kind::P256, public, pair: Pair::P256(Box::new(key)) })
    }

    fn p384(secret: [u8; 48]) -> Option<Self> {
        let key = p384::ecdsa::SigningKey::from_slice(&secret).ok()?;
        let public = curve("P-384", key.verifying_key().to_sec1_point(false).as_bytes());
        Some(Self { kind: Kind::P384, public, pair: Pair::P384(Box::new(key)) })
    }

    fn p521(secret: [u8; 66]) -> Option<Self> {
        let key = p521::ecdsa::SigningKey::from_slice(&secret).ok()?;
        let public = curve("P-521", key.verifying_key().to_sec1_point(false).as_bytes());
        Some(Self { kind: Kind::P521, public, pair: Pair::P521(Box::new(key)) })
    }

    fn ed25519(seed: [u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let public = json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())});
        Some(Self { kind: Kind::Ed25519, public, pair: Pair::Ed25519(Box::new(pair)) })
    }

    fn secret(bytes: &'static [u8]) -> Self {
        let public = json!({"kty": "oct", "k": encoded(bytes)});
        Self { kind: Kind::Secret, public, pair: Pair::Secret(bytes) }
    }

    /// Signs `message` the way that `alg` asks for, or that comes nearest to it with this kind of key.
    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let hash = hash(alg, message);
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // Fails only for keys that are too short for the hash, which none of these is.
                let _ = pair.sign(rsa_encoding(alg), &SystemRandom::new(), message, &mut signature);
                signature
            }
            Pair::P256(key) => signed::<p256::ecdsa::Signature>(key.as_ref(), hash.as_ref()),
            Pair::P384(key) => signed::<p384::ecdsa::Signature>(key.as_ref(), hash.as_ref()),
            Pair::P521(key) => signed::<p521::ecdsa::Signature>(key.as_ref(), &widened(hash.as_ref())),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Secret(bytes) => {
                hmac::sign(&hmac::Key::new(hmac_hash(alg), bytes), message).as_ref().to_vec()
            }
        }
    }

    /// Whether Envoy takes `signature` for this key's: the key checks as is its kind, whatever `alg` is, of which only the
    /// hash counts; and of an ECDSA signature each half is a
    /// number of any length. `false` for an RSA key, with which
    /// Envoy does look at `alg`.
    pub(super) fn is_loosely_by(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        // An odd byte at the end is never looked at.
        let half = signature.len() / 2;
        let (r, s) = signature[..2 * half].split_at(half);
        let hash = hash(alg, message);
        let raw = |width: usize| {
            padded(r, width).zip(padded(s, width)).map(|(r, s)| [r, s].concat()).unwrap_or_default()
        };
        match &self.pair {
            Pair::Rsa(_) => false,
            Pair::P256(key) => {
                verified::<p256::ecdsa::Signature>(key.verifying_key(), hash.as_ref(), &raw(32))
            }
            Pair::P384(key) => {
                verified::<p384::ecdsa::Signature>(key.verifying_key(), hash.as_ref(), &raw(48))
            }
            Pair::P521(key) => {
                let key = p521::ecdsa::VerifyingKey::from(key.as_ref());
                verified::<p521::ecdsa::Signature>(&key, &widened(hash.as_ref()), &raw(66))
            }
            Pair::Ed25519(_) | Pair::Secret(_) => self.sign(alg, message) == signature,
        }
    }

    /// How long the signature of an algorithm that fits this key is, in bytes.
    pub(super) fn signature_length(&self) -> usize {
        match &self.pair {
            Pair::Rsa(pair) => pair.public().modulus_len(),
            Pair::P256(_) | Pair::Ed25519(_) => 64,
            Pair::P384(_) => 96,
            Pair::P521(_) => 132,
            Pair::Secret(_) => 32,
        }
    }
}

fn signed<S: SignatureEncoding>(key: &impl PrehashSigner<S>, hash: &[u8]) -> Vec<u8> {
    key.sign_prehash(hash).map(|signature| signature.to_vec()).unwrap_or_default()
}

fn verified<S: for<'s> TryFrom<&'s [u8]>>(key: &impl PrehashVerifier<S>, hash: &[u8], raw: &[u8]) -> bool {
    S::try_from(raw).is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok())
}

/// The same number in as many bytes as P-521 wants at least.
fn widened(hash: &[u8]) -> Vec<u8> {
    [&vec![0; 33_usize.saturating_sub(hash.len())][..], hash].concat()
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

fn hmac_hash(alg: &str) -> hmac::Algorithm {
    match alg.get(2..) {
        Some("384") => hmac::HMAC_SHA384,
        Some("512") => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
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
                let length = key.sign(alg, b"x").len();
                assert!(length == key.signature_length() || *kind == Kind::Secret, "{alg}");
                assert!(std::ptr::eq(of(&key.public).unwrap(), key));
            }
        }
    }

    #[test]
    fn a_loose_check_takes_zeros_and_another_hash() {
        for key in all().iter().filter(|key| matches!(key.kind, Kind::P256 | Kind::P384 | Kind::P521)) {
            for (alg, other) in [("RS512", "HS512"), ("RS256", "EdDSA"), ("PS384", "ES384")] {
                let signature = key.sign(alg, b"x");
                let (r, s) = signature.split_at(signature.len() / 2);
                let longer = [&[0; 3], r, &[0; 3], s].concat();
                assert!(key.is_loosely_by(other, b"x", &longer), "{:?} {alg}", key.kind);
                assert!(!key.is_loosely_by(other, b"y", &longer));
                assert!(key.is_loosely_by(other, b"x", &[&longer[..], b"x"].concat()));
                assert!(!key.is_loosely_by(other, b"x", &longer[1..]));
            }
        }
        let secret = all().iter().find(|key| key.kind == Kind::Secret).unwrap();
        assert!(secret.is_loosely_by("RS256", b"x", &secret.sign("HS256", b"x")));
        assert!(!secret.is_loosely_by("RS512", b"x", &secret.sign("HS256", b"x")));
    }
}
