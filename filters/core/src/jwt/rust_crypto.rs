//! Signature checks by the RustCrypto crates: RSA everywhere, since hosts can't be asked for PSS; elliptic curves where
//! the feature `rust-crypto-ec` says that there is no host to ask.

use jsonwebtoken::Algorithm;
#[cfg(feature = "rust-crypto-ec")]
use p256::ecdsa::signature::Verifier as _;
use rsa::BoxedUint;
use sha2::{Sha256, Sha384, Sha512};

use super::public_key::{KeyMaterial, PublicKey, SignatureVerifier};

/// RS256/384/512, PS256/384/512 (with a salt as long as the hash, RFC 7518 section 3.5) and, with the feature
/// `rust-crypto-ec`, ES256 and ES384. Without it nothing fits a key on a curve.
#[derive(Debug, Clone, Copy, Default)]
pub struct RustCrypto;

impl SignatureVerifier for RustCrypto {
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (key.prepared(), algorithm) {
            (Some(Prepared::Rsa(key)), algorithm) => match algorithm {
                Algorithm::RS256 => key.pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
                Algorithm::RS384 => key.pkcs1v15_verify::<Sha384>(message, signature).is_ok(),
                Algorithm::RS512 => key.pkcs1v15_verify::<Sha512>(message, signature).is_ok(),
                Algorithm::PS256 => key.pss_verify::<Sha256>(message, signature).is_ok(),
                Algorithm::PS384 => key.pss_verify::<Sha384>(message, signature).is_ok(),
                Algorithm::PS512 => key.pss_verify::<Sha512>(message, signature).is_ok(),
                _ => false,
            },
            #[cfg(feature = "rust-crypto-ec")]
            (Some(Prepared::P256(key)), Algorithm::ES256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            #[cfg(feature = "rust-crypto-ec")]
            (Some(Prepared::P384(key)), Algorithm::ES384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (_, _) => false,
        }
    }
}

/// A key as the crates want it; parsing it costs about as much as a check.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    Rsa(Box<rsa::PublicKey>),
    #[cfg(feature = "rust-crypto-ec")]
    P256(Box<p256::ecdsa::VerifyingKey>),
    #[cfg(feature = "rust-crypto-ec")]
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
            #[cfg(feature = "rust-crypto-ec")]
            KeyMaterial::P256(point) => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P256(Box::new(key)))
            }
            #[cfg(feature = "rust-crypto-ec")]
            KeyMaterial::P384(point) => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P384(Box::new(key)))
            }
            #[cfg(not(feature = "rust-crypto-ec"))]
            KeyMaterial::P256(_) | KeyMaterial::P384(_) => None,
        }
    }
}
