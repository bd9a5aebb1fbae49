//! Signature checks by Envoy's own BoringSSL, and by RustCrypto where the host can't.

use jsonwebtoken::Algorithm as Jws;
use outrigger_core::jwt::{
    Algorithm, KeyMaterial, RustCrypto, SignatureVerifier, VerificationKey, ecdsa_der,
};

use crate::abi;

/// Asks the host's foreign function `verify_signature`: 31 µs for RSA-2048, where code of ours in the VM takes 660.
pub(crate) struct HostVerifier;

/// The hash that goes with an algorithm, as the host names it. `None` for one it has no function for: it pads RSA as
/// PKCS#1 v1.5 only, and knows neither Ed25519 nor HMAC.
fn hash(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Jws(Jws::RS256 | Jws::ES256) => Some("sha256"),
        Algorithm::Jws(Jws::RS384 | Jws::ES384) => Some("sha384"),
        Algorithm::Jws(Jws::RS512) | Algorithm::Es512 => Some("sha512"),
        Algorithm::Jws(_) => None,
    }
}

impl SignatureVerifier for HostVerifier {
    fn verify(&self, key: &VerificationKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_host = hash(algorithm).zip(key.spki()).and_then(|(hash, spki)| match key.material() {
            KeyMaterial::Rsa { .. } => ask_host(hash, spki, message, signature),
            _ => ask_host(hash, spki, message, &ecdsa_der(signature)?),
        });
        by_host.unwrap_or_else(|| RustCrypto.verify(key, algorithm, message, signature))
    }
}

/// What the host says; `None` if it has no such function or did not understand.
fn ask_host(hash: &str, key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    let arguments = arguments(hash, key, message, signature);
    let result = abi::call_foreign_function("verify_signature", &arguments).ok()?;
    // Field 1 of the result, a bool: present and true only if the signature fits.
    Some(result.starts_with(&[0x08, 0x01]))
}

/// Envoy's `VerifySignatureArguments`: 1 hash function, 2 public key (DER SPKI), 3 signature, 4 text.
fn arguments(hash: &str, key: &[u8], message: &[u8], signature: &[u8]) -> Vec<u8> {
    let fields = [(1, hash.as_bytes()), (2, key), (3, signature), (4, message)];
    let size: usize = fields.iter().map(|(_, bytes)| bytes.len().saturating_add(6)).sum();
    let mut encoded = Vec::with_capacity(size);
    for (number, bytes) in fields {
        encoded.push(number << 3 | 2);
        let mut length = bytes.len();
        while length >= 0x80 {
            encoded.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
            length >>= 7;
        }
        encoded.push(u8::try_from(length).unwrap_or(0));
        encoded.extend_from_slice(bytes);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_length_delimited_protobuf() {
        let encoded = arguments("sha256", b"k", &[7; 300], b"");
        assert_eq!(&encoded[..8], b"\x0a\x06sha256");
        assert_eq!(&encoded[8..11], b"\x12\x01k");
        assert_eq!(&encoded[11..13], b"\x1a\x00");
        assert_eq!(&encoded[13..16], b"\x22\xac\x02");
        assert_eq!(encoded.len(), 316);
    }
}
