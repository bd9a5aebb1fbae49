//! Signature checks by the RustCrypto and dalek crates: everywhere what no host can be asked for (RSA with PSS, Ed25519,
//! HMAC); RSA with PKCS#1 v1.5 and NIST's curves where the feature `rust-crypto-all` says that there is no host to ask.

use ed25519_dalek::Verifier as _;
use hmac::{KeyInit, Mac};
use jsonwebtoken::Algorithm as Jws;
use rsa::BoxedUint;
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::Algorithm;
use super::verification_key::{KeyMaterial, SignatureVerifier, VerificationKey};

/// PS256/384/512 (with a salt as long as the hash, RFC 7518 section 3.5), HS256/384/512, EdDSA on Ed25519 and, with the
/// feature `rust-crypto-all`, RS256/384/512 and ES256/384/512, which no signature fits without it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RustCrypto;

impl SignatureVerifier for RustCrypto {
    fn verify(&self, key: &VerificationKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if let KeyMaterial::Secret(secret) = key.material() {
            return authenticates(secret.bytes(), algorithm, message, signature);
        }
        match (key.prepared(), algorithm) {
            (Some(Prepared::Rsa(key)), Algorithm::Jws(jws)) => match jws {
                #[cfg(feature = "rust-crypto-all")]
                Jws::RS256 => key.pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
                #[cfg(feature = "rust-crypto-all")]
                Jws::RS384 => key.pkcs1v15_verify::<Sha384>(message, signature).is_ok(),
                #[cfg(feature = "rust-crypto-all")]
                Jws::RS512 => key.pkcs1v15_verify::<Sha512>(message, signature).is_ok(),
                Jws::PS256 => key.pss_verify::<Sha256>(message, signature).is_ok(),
                Jws::PS384 => key.pss_verify::<Sha384>(message, signature).is_ok(),
                Jws::PS512 => key.pss_verify::<Sha512>(message, signature).is_ok(),
                _ => false,
            },
            // As BoringSSL: S must be below the group's order, and the equation holds without the cofactor. What
            // `verify_strict` refuses besides, points of small order, is refused of keys when they are read.
            (Some(Prepared::Ed25519(key)), Algorithm::Jws(Jws::EdDSA)) => {
                ed25519_dalek::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            #[cfg(feature = "rust-crypto-all")]
            (Some(Prepared::P256(key)), Algorithm::Jws(Jws::ES256)) => {
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            #[cfg(feature = "rust-crypto-all")]
            (Some(Prepared::P384(key)), Algorithm::Jws(Jws::ES384)) => {
                p384::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            #[cfg(feature = "rust-crypto-all")]
            (Some(Prepared::P521(key)), Algorithm::Es512) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (_, _) => false,
        }
    }
}

/// Whether `tag` is the HMAC of `message` (RFC 7518 section 3.2). Compared in constant time.
fn authenticates(secret: &[u8], algorithm: Algorithm, message: &[u8], tag: &[u8]) -> bool {
    fn check<M: Mac + KeyInit>(secret: &[u8], message: &[u8], tag: &[u8]) -> bool {
        M::new_from_slice(secret).is_ok_and(|mac| mac.chain_update(message).verify_slice(tag).is_ok())
    }
    match algorithm {
        Algorithm::Jws(Jws::HS256) => check::<hmac::Hmac<Sha256>>(secret, message, tag),
        Algorithm::Jws(Jws::HS384) => check::<hmac::Hmac<Sha384>>(secret, message, tag),
        Algorithm::Jws(Jws::HS512) => check::<hmac::Hmac<Sha512>>(secret, message, tag),
        _ => false,
    }
}

/// A key as the crates want it; parsing it costs about as much as a check.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    Rsa(Box<rsa::PublicKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    #[cfg(feature = "rust-crypto-all")]
    P256(Box<p256::ecdsa::VerifyingKey>),
    #[cfg(feature = "rust-crypto-all")]
    P384(Box<p384::ecdsa::VerifyingKey>),
    #[cfg(feature = "rust-crypto-all")]
    P521(Box<p521::ecdsa::VerifyingKey>),
}

impl Prepared {
    /// `None` if the crates find the key unsound, such as a point that is not on its curve, and for secrets, which need
    /// no preparation.
    pub(super) fn new(material: &KeyMaterial) -> Option<Self> {
        match material {
            KeyMaterial::Rsa { n, e } => {
                let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
                rsa::PublicKey::new(number(n), number(e)).ok().map(|key| Self::Rsa(Box::new(key)))
            }
            KeyMaterial::Ed25519(x) => ed25519_dalek::VerifyingKey::from_bytes(x)
                .ok()
                .filter(|key| !key.is_weak())
                .map(|key| Self::Ed25519(Box::new(key))),
            #[cfg(feature = "rust-crypto-all")]
            KeyMaterial::P256(point) => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P256(Box::new(key)))
            }
            #[cfg(feature = "rust-crypto-all")]
            KeyMaterial::P384(point) => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P384(Box::new(key)))
            }
            #[cfg(feature = "rust-crypto-all")]
            KeyMaterial::P521(point) => {
                p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P521(Box::new(key)))
            }
            #[cfg(not(feature = "rust-crypto-all"))]
            KeyMaterial::P256(_) | KeyMaterial::P384(_) | KeyMaterial::P521(_) => None,
            KeyMaterial::Secret(_) => None,
        }
    }
}
