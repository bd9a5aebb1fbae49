//! The little DER (X.690) that keys and signatures need.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `AlgorithmIdentifier` of `rsaEncryption` (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: &[u8] =
    &[SEQUENCE, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0];
/// `AlgorithmIdentifier` of `id-ecPublicKey` on `secp256r1` (RFC 5480 section 2.1.1).
pub(crate) const EC_P256: &[u8] = &[
    SEQUENCE, 19, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07,
];
/// The same on `secp384r1`.
pub(crate) const EC_P384: &[u8] =
    &[SEQUENCE, 16, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// The same on `secp521r1`.
pub(crate) const EC_P521: &[u8] =
    &[SEQUENCE, 16, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x23];

/// `SubjectPublicKeyInfo` (RFC 5280) of an RSA key; `n` and `e` are big-endian.
pub(crate) fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    let key = value(SEQUENCE, &[&integer(n), &integer(e)]);
    spki(RSA_ENCRYPTION, &key)
}

/// `SubjectPublicKeyInfo` with `algorithm` (an encoded `AlgorithmIdentifier`) and `key`.
pub(crate) fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[algorithm, &value(BIT_STRING, &[&[0], key])])
}

/// Turns a JWS's ECDSA signature, `r‖s` with both halves as long as the curve's field (RFC 7518 section 3.4), into
/// the `ECDSA-Sig-Value` of RFC 3279 that Envoy's `verify_signature` wants. `None` if it can't be halved.
pub fn ecdsa_der(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.is_empty() || !raw.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    Some(value(SEQUENCE, &[&integer(r), &integer(s)]))
}

/// A number that is not negative.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let digits = big_endian.get(zeros..).unwrap_or_default();
    // The first bit is the sign, and zero has one octet.
    let sign: &[u8] = if digits.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    value(INTEGER, &[sign, digits])
}

fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(6));
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let zeros = octets.iter().take_while(|byte| **byte == 0).count();
            let octets = octets.get(zeros..).unwrap_or_default();
            out.push(0x80 | u8::try_from(octets.len()).unwrap_or_default());
            out.extend_from_slice(octets);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn integers_are_minimal_and_never_negative() {
        let table: [(&[u8], &[u8]); 5] = [
            (&[0, 0, 1], &[2, 1, 1]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0], &[2, 1, 0]),
            (&[], &[2, 1, 0]),
        ];
        for (number, der) in table {
            assert_eq!(integer(number), der, "{number:?}");
        }
    }

    #[test]
    fn lengths_take_the_long_form_from_128_on() {
        for (length, head) in [(127, vec![3, 127]), (128, vec![3, 0x81, 128]), (256, vec![3, 0x82, 1, 0])] {
            let der = value(BIT_STRING, &[&vec![7; length]]);
            assert_eq!(der.len(), head.len() + length);
            assert!(der.starts_with(&head), "{length}");
        }
    }

    #[test]
    fn raw_signatures_become_der() {
        let mut raw = [0; 64];
        raw[31] = 5;
        raw[32] = 0x80;
        let der = ecdsa_der(&raw).unwrap();
        assert_eq!(der[..7], [SEQUENCE, 38, INTEGER, 1, 5, INTEGER, 33]);
        assert_eq!(der[7..9], [0, 0x80]);
        assert_eq!(ecdsa_der(&[0; 4]).unwrap(), [SEQUENCE, 6, INTEGER, 1, 0, INTEGER, 1, 0]);
        assert_eq!(ecdsa_der(&[]), None);
        assert_eq!(ecdsa_der(&[1; 63]), None);
    }
}
