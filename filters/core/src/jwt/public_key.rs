//! Public keys in the forms that the two back ends of signature checks want.

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::EllipticCurve;

use super::der;
#[cfg(feature = "rust-crypto")]
use super::rust_crypto;

/// Checks one signature. The host puts Envoy's BoringSSL behind it, the native command RustCrypto.
pub trait SignatureVerifier {
    /// Whether `signature` (as in the JWS: raw r‖s for ECDSA, see [`super::ecdsa_der`]) of `message` fits `key` under
    /// `algorithm`. Only asked where [`PublicKey::fits`] that algorithm. What it can't carry out is `false`.
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;
}

/// The numbers of a key, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// A public key ready for checks.
#[derive(Debug, Clone)]
pub struct PublicKey {
    material: KeyMaterial,
    spki: Vec<u8>,
    #[cfg(feature = "rust-crypto")]
    prepared: once_cell::sync::OnceCell<Option<rust_crypto::Prepared>>,
}

impl PublicKey {
    /// An RSA key. `None` if the modulus is shorter than 1024 or longer than 8192 bits or even, or the exponent is
    /// neither 3 nor 65537.
    pub fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let bits = n.len().checked_mul(8)?.checked_sub(usize::try_from(n.first()?.leading_zeros()).ok()?)?;
        let odd = n.last()? & 1 == 1;
        let usual = matches!(e, [3] | [1, 0, 1]);
        let spki = der::rsa_spki(n, e);
        (odd && usual && (1024..=8192).contains(&bits))
            .then(|| Self::new(KeyMaterial::Rsa { n: n.to_vec(), e: e.to_vec() }, spki))
    }

    /// The key at the point `x`, `y` of `curve`. `None` if the coordinates are too long or, where RustCrypto has
    /// the curve, not on it; also for a curve other than P-256 and P-384.
    pub fn ec(curve: &EllipticCurve, x: &[u8], y: &[u8]) -> Option<Self> {
        let (algorithm, width) = match curve {
            EllipticCurve::P256 => (der::EC_P256, 32_usize),
            EllipticCurve::P384 => (der::EC_P384, 48),
            _ => return None,
        };
        let mut point = vec![4];
        for coordinate in [without_zeros(x), without_zeros(y)] {
            let zeros = width.checked_sub(coordinate.len())?;
            point.resize(point.len().saturating_add(zeros), 0);
            point.extend_from_slice(coordinate);
        }
        let spki = der::spki(algorithm, &point);
        let material = if width == 32 { KeyMaterial::P256(point) } else { KeyMaterial::P384(point) };
        // Inside the proxy the host looks at the point, each time: no signature fits a key that is not on its curve.
        #[cfg(feature = "rust-crypto-ec")]
        rust_crypto::Prepared::new(&material)?;
        Some(Self::new(material, spki))
    }

    fn new(material: KeyMaterial, spki: Vec<u8>) -> Self {
        Self {
            material,
            spki,
            #[cfg(feature = "rust-crypto")]
            prepared: once_cell::sync::OnceCell::new(),
        }
    }

    /// The key's numbers.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The key as DER `SubjectPublicKeyInfo`: what Envoy's `verify_signature` takes.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether a token of this algorithm can be signed by this kind of key. Unlike Envoy, which hashes as `alg` says
    /// and takes any curve, an ECDSA algorithm goes with its own curve only (RFC 7518 section 3.4).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, PS256, PS384, PS512, RS256, RS384, RS512};
        match &self.material {
            KeyMaterial::Rsa { .. } => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            KeyMaterial::P256(_) => algorithm == ES256,
            KeyMaterial::P384(_) => algorithm == ES384,
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
            assert_eq!(PublicKey::rsa(&n, e).is_some(), taken, "{} bytes, {e:?}", n.len());
        }
    }

    #[test]
    fn coordinates_that_are_too_long_are_refused() {
        assert!(PublicKey::ec(&EllipticCurve::P256, &[1; 33], &[1; 32]).is_none());
        assert!(PublicKey::ec(&EllipticCurve::P521, &[1; 66], &[1; 66]).is_none());
    }
}
