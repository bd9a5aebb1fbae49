//! RSASSA-PSS (RFC 8017 section 8.1.2), which Envoy's `verify_signature` has no way to ask for: with the salt as long as
//! the hash and MGF1 by the same hash, as PS256, PS384 and PS512 have it (RFC 7518 section 3.5).

use jsonwebtoken::Algorithm;
use sha2::{Sha256, Sha384, Sha512};

use super::modulus::Modulus;

/// The hash of several pieces, one after the other.
type Hash = fn(&[&[u8]]) -> Vec<u8>;

fn hash<D: sha2::Digest>(pieces: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().to_vec()
}

/// Whether `signature` of `message` fits the key with modulus `n` and exponent `e`, both big-endian.
pub(super) fn verify(n: &[u8], e: &[u8], algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let hash: Hash = match algorithm {
        Algorithm::PS256 => hash::<Sha256>,
        Algorithm::PS384 => hash::<Sha384>,
        Algorithm::PS512 => hash::<Sha512>,
        _ => return false,
    };
    if signature.len() != n.len() {
        return false;
    }
    let exponent = e.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let Some(encoded) = Modulus::new(n).and_then(|modulus| modulus.power(signature, exponent)) else {
        return false;
    };
    let bits = n.len().saturating_mul(8).saturating_sub(leading_zeros(n));
    encodes(&encoded, bits.saturating_sub(1), &hash(&[message]), hash).is_some()
}

fn leading_zeros(number: &[u8]) -> usize {
    number.first().and_then(|first| usize::try_from(first.leading_zeros()).ok()).unwrap_or(0)
}

/// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2): whether the number `encoded`, whose length is `bits`, is an encoding of
/// the message with the hash `digest`.
fn encodes(encoded: &[u8], bits: usize, digest: &[u8], hash: Hash) -> Option<()> {
    let length = bits.div_ceil(8);
    let (above, encoded) = encoded.split_at_checked(encoded.len().checked_sub(length)?)?;
    let (0xbc, encoded) = encoded.split_last().map(|(last, rest)| (*last, rest))? else { return None };
    let (masked, tag) = encoded.split_at_checked(encoded.len().checked_sub(digest.len())?)?;
    // The bits of the first byte that are beyond the number's length.
    let beyond = !(0xff_u8 >> length.saturating_mul(8).saturating_sub(bits).min(7));
    if above.iter().any(|byte| *byte != 0) || masked.first()? & beyond != 0 {
        return None;
    }
    let mut block: Vec<u8> =
        mask(tag, masked.len(), hash).iter().zip(masked).map(|(mask, byte)| mask ^ byte).collect();
    *block.first_mut()? &= !beyond;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(digest.len())?)?;
    let (1, zeros) = padding.split_last().map(|(last, rest)| (*last, rest))? else { return None };
    let fits = zeros.iter().all(|byte| *byte == 0) && hash(&[&[0; 8], digest, salt]) == tag;
    fits.then_some(())
}

/// MGF1 (RFC 8017 appendix B.2.1).
fn mask(seed: &[u8], length: usize, hash: Hash) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length.saturating_add(64));
    for counter in 0_u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(&hash(&[seed, &counter.to_be_bytes()]));
    }
    mask.truncate(length);
    mask
}
