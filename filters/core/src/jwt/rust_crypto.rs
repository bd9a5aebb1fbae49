//! Signature checks by the RustCrypto crates, for wherever no host offers them.

use jsonwebtoken::Algorithm;
use p256::ecdsa::signature::Verifier as _;
use rsa::BoxedUint;
use sha2::{Sha256, Sha384, Sha512};

use super::public_key::{KeyMaterial, PublicKey, SignatureVerifier};

/// RS256/384/512, ES256 and ES384; PS256/384/512 as in the proxy.
#[derive(Debug, Clone, Copy, Default)]
pub struct RustCrypto;

impl SignatureVerifier for RustCrypto {
    fn verify(&self, public: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (public.prepared(), algorithm) {
            (Some(Prepared::Rsa(key)), algorithm) => match algorithm {
                Algorithm::RS256 => key.pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
                Algorithm::RS384 => key.pkcs1v15_verify::<Sha384>(message, signature).is_ok(),
                Algorithm::RS512 => key.pkcs1v15_verify::<Sha512>(message, signature).is_ok(),
                _ => public.verify_pss(algorithm, message, signature),
            },
            (Some(Prepared::P256(key)), Algorithm::ES256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Some(Prepared::P384(key)), Algorithm::ES384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            _ => false,
        }
    }
}

/// A key as the crates want it; parsing it costs about as much as a check.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
}

impl Prepared {
    /// `None` if the crates find the key unsound, such as a point that is not on its curve.
    pub(super) fn new(material: &KeyMaterial) -> Option<Self> {
        match material {
            KeyMaterial::Rsa { n, e } => {
                let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
                rsa::PublicKey::new(number(n), number(e)).ok().map(|key| Self::Rsa(Box::new(key)))
            }
            KeyMaterial::P256(point) => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P256(Box::new(key)))
            }
            KeyMaterial::P384(point) => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P384(Box::new(key)))
            }
        }
    }
}
