//! Keys in the forms that the two back ends of signature checks want.

use std::fmt;

use jsonwebtoken::Algorithm as Jws;
use jsonwebtoken::jwk::EllipticCurve;

use super::algorithm::Algorithm;
use super::der;
#[cfg(feature = "rust-crypto")]
use super::rust_crypto;

/// Checks one signature. The host puts Envoy's BoringSSL behind it, the native command RustCrypto.
pub trait SignatureVerifier {
    /// Whether `signature` (as in the JWS: raw r‖s for ECDSA, see [`super::ecdsa_der`]) of `message` fits `key` under
    /// `algorithm`. Only asked where [`VerificationKey::fits`] that algorithm. What it can't carry out is `false`.
    fn verify(&self, key: &VerificationKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;
}

/// The numbers of a key, big-endian.
#[derive(Debug, Clone)]
pub enum KeyMaterial {
    /// RSA: modulus and exponent, without leading zeros.
    Rsa {
        /// Modulus, 1024 to 8192 bits.
        n: Vec<u8>,
        /// Public exponent: 3 or 65537, as BoringSSL wants it.
        e: Vec<u8>,
    },
    /// P-256: the point in SEC 1 form, uncompressed.
    P256(Vec<u8>),
    /// P-384: likewise.
    P384(Vec<u8>),
    /// P-521: likewise.
    P521(Vec<u8>),
    /// Ed25519: the point as RFC 8032 section 5.1.2 encodes it.
    Ed25519([u8; ED25519_KEY]),
    /// What HMAC takes.
    Secret(Secret),
}

/// Bytes that whoever verifies a token shares with whoever makes it. No log shows them.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// How long an Ed25519 key is, in bytes.
pub(crate) const ED25519_KEY: usize = 32;

/// How long an Ed25519 signature is, in bytes.
pub(crate) const ED25519_SIGNATURE: usize = 64;

/// A key ready for checks.
#[derive(Debug, Clone)]
pub struct VerificationKey {
    material: KeyMaterial,
    spki: Option<Vec<u8>>,
    #[cfg(feature = "rust-crypto")]
    prepared: std::sync::OnceLock<Option<rust_crypto::Prepared>>,
}

impl VerificationKey {
    /// An RSA key. `None` if the modulus is shorter than 1024 or longer than 8192 bits or even, or the exponent is
    /// neither 3 nor 65537.
    pub fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let bits = n.len().checked_mul(8)?.checked_sub(usize::try_from(n.first()?.leading_zeros()).ok()?)?;
        let odd = n.last()? & 1 == 1;
        let usual = matches!(e, [3] | [1, 0, 1]);
        let spki = der::rsa_spki(n, e);
        (odd && usual && (1024..=8192).contains(&bits))
            .then(|| Self::new(KeyMaterial::Rsa { n: n.to_vec(), e: e.to_vec() }, Some(spki)))
    }

    /// The key at the point `x`, `y` of `curve`. `None` if the coordinates are too long or, where RustCrypto has
    /// the curve, not on it; also for a curve other than P-256, P-384 and P-521.
    pub fn ec(curve: &EllipticCurve, x: &[u8], y: &[u8]) -> Option<Self> {
        type Make = fn(Vec<u8>) -> KeyMaterial;
        let (algorithm, width, make): (_, usize, Make) = match curve {
            EllipticCurve::P256 => (der::EC_P256, 32, KeyMaterial::P256),
            EllipticCurve::P384 => (der::EC_P384, 48, KeyMaterial::P384),
            EllipticCurve::P521 => (der::EC_P521, 66, KeyMaterial::P521),
            _ => return None,
        };
        let mut point = vec![4];
        for coordinate in [without_zeros(x), without_zeros(y)] {
            let zeros = width.checked_sub(coordinate.len())?;
            point.resize(point.len().saturating_add(zeros), 0);
            point.extend_from_slice(coordinate);
        }
        let spki = der::spki(algorithm, &point);
        let material = make(point);
        // Inside the proxy the host looks at the point, each time: no signature fits a key that is not on its curve.
        #[cfg(feature = "rust-crypto-all")]
        rust_crypto::Prepared::new(&material)?;
        Some(Self::new(material, Some(spki)))
    }

    /// The Ed25519 key `x`. `None` if it is no point of the curve, or one of small order, under which anybody can sign.
    pub fn ed25519(x: [u8; ED25519_KEY]) -> Option<Self> {
        let material = KeyMaterial::Ed25519(x);
        #[cfg(feature = "rust-crypto")]
        rust_crypto::Prepared::new(&material)?;
        Some(Self::new(material, None))
    }

    /// A secret for HMAC. `None` if it is empty.
    pub fn secret(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self::new(KeyMaterial::Secret(Secret(bytes)), None))
    }

    fn new(material: KeyMaterial, spki: Option<Vec<u8>>) -> Self {
        Self {
            material,
            spki,
            #[cfg(feature = "rust-crypto")]
            prepared: std::sync::OnceLock::new(),
        }
    }

    /// The key's numbers.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The key as DER `SubjectPublicKeyInfo`, which Envoy's `verify_signature` takes; `None` for a kind of key that it
    /// can do nothing with.
    pub fn spki(&self) -> Option<&[u8]> {
        self.spki.as_deref()
    }

    /// Whether a token of this algorithm can be signed by this kind of key. Unlike Envoy, which takes the kind of key
    /// for the algorithm's and any curve for ECDSA, each algorithm goes with its own kind and curve only (RFC 7518
    /// section 3.1).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let Algorithm::Jws(jws) = algorithm else { return matches!(self.material, KeyMaterial::P521(_)) };
        match self.material {
            KeyMaterial::Rsa { .. } => {
                matches!(jws, Jws::RS256 | Jws::RS384 | Jws::RS512 | Jws::PS256 | Jws::PS384 | Jws::PS512)
            }
            KeyMaterial::P256(_) => jws == Jws::ES256,
            KeyMaterial::P384(_) => jws == Jws::ES384,
            KeyMaterial::P521(_) => false,
            KeyMaterial::Ed25519(_) => jws == Jws::EdDSA,
            KeyMaterial::Secret(_) => matches!(jws, Jws::HS256 | Jws::HS384 | Jws::HS512),
        }
    }

    /// How many bytes a signature by this key has; `None` if the algorithm decides.
    pub(crate) fn signature_length(&self) -> Option<usize> {
        match &self.material {
            KeyMaterial::Rsa { n, .. } => Some(n.len()),
            // As many as the point has, but for the byte that says it is uncompressed.
            KeyMaterial::P256(point) | KeyMaterial::P384(point) | KeyMaterial::P521(point) => {
                point.len().checked_sub(1)
            }
            KeyMaterial::Ed25519(_) => Some(ED25519_SIGNATURE),
            KeyMaterial::Secret(_) => None,
        }
    }

    /// The key as RustCrypto wants it, made on first use.
    #[cfg(feature = "rust-crypto")]
    pub(super) fn prepared(&self) -> Option<&rust_crypto::Prepared> {
        self.prepared.get_or_init(|| rust_crypto::Prepared::new(&self.material)).as_ref()
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_sound_rsa_keys_are_taken() {
        let modulus = |bytes: usize, last: u8| {
            let mut n = vec![0xff; bytes];
            n[bytes - 1] = last;
            n
        };
        for (n, e, taken) in [
            (modulus(128, 1), &[1, 0, 1][..], true),
            (modulus(1024, 1), &[3], true),
            (modulus(128, 1), &[0, 0, 3], true),
            (modulus(128, 2), &[3], false),
            (modulus(127, 1), &[3], false),
            (modulus(1025, 1), &[3], false),
            (modulus(128, 1), &[5], false),
            (modulus(128, 1), &[], false),
            (vec![], &[3], false),
        ] {
            assert_eq!(VerificationKey::rsa(&n, e).is_some(), taken, "{} bytes, {e:?}", n.len());
        }
    }

    #[test]
    fn coordinates_that_are_too_long_are_refused() {
        assert!(VerificationKey::ec(&EllipticCurve::P256, &[1; 33], &[1; 32]).is_none());
        assert!(VerificationKey::ec(&EllipticCurve::P521, &[1; 67], &[1; 66]).is_none());
        assert!(VerificationKey::ec(&EllipticCurve::Ed25519, &[1; 32], &[1; 32]).is_none());
    }

    #[test]
    fn edwards_keys_are_points_under_which_not_everybody_can_sign() {
        let point = |first: u8, rest: u8, last: u8| {
            let mut bytes = [rest; ED25519_KEY];
            (bytes[0], bytes[ED25519_KEY - 1]) = (first, last);
            bytes
        };
        for (x, taken, why) in [
            (point(0x58, 0x66, 0x66), true, "the base point"),
            (point(2, 0, 0), false, "on no point of the curve"),
            (point(1, 0, 0), false, "order 1"),
            (point(1, 0, 0x80), false, "order 1, with a sign that its x has not"),
            (point(0xec, 0xff, 0x7f), false, "order 2"),
            (point(0, 0, 0), false, "order 4"),
            (point(0, 0, 0x80), false, "order 4"),
            (point(0xed, 0xff, 0x7f), false, "order 4, not reduced"),
        ] {
            assert_eq!(VerificationKey::ed25519(x).is_some(), taken, "{why}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let key = VerificationKey::secret(b"hunter2".to_vec()).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("Secret(..)"), "{shown}");
        assert!(!shown.contains("104"), "{shown}");
        assert!(VerificationKey::secret(Vec::new()).is_none());
    }
}
