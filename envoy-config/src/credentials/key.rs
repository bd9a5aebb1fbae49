//! Private keys that Envoy can use: BoringSSL takes more kinds than rustls does.

use p521::SecretKey;
use p521::pkcs8::DecodePrivateKey as _;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The public key that belongs to `private`, as it stands in a certificate. `None`: Envoy can't use it.
pub(super) fn public(private: &PrivateKeyDer<'_>) -> Option<Box<[u8]>> {
    let Ok(signing) = any_supported_type(private) else { return p521(private) };
    let public = signing.public_key()?;
    let (_, public) = SubjectPublicKeyInfo::from_der(&public).ok()?;
    Some((*public.subject_public_key.data).into())
}

fn p521(private: &PrivateKeyDer<'_>) -> Option<Box<[u8]>> {
    let key = match private {
        PrivateKeyDer::Pkcs8(key) => SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).ok()?,
        PrivateKeyDer::Sec1(key) => SecretKey::from_sec1_der(key.secret_sec1_der()).ok()?,
        _ => return None,
    };
    Some(key.public_key().to_sec1_bytes())
}

#[cfg(test)]
mod tests {
    use p521::pkcs8::EncodePrivateKey as _;

    use super::*;

    #[test]
    fn p521_is_read_in_both_forms() {
        let secret = SecretKey::from_slice(&[1; 66]).unwrap();
        let expected = secret.public_key().to_sec1_bytes();
        let pkcs8 = secret.to_pkcs8_der().unwrap();
        let pkcs8 = PrivateKeyDer::Pkcs8(pkcs8.as_bytes().to_vec().into());
        assert_eq!(public(&pkcs8).unwrap(), expected);
        let sec1 = secret.to_sec1_der().unwrap();
        assert_eq!(public(&PrivateKeyDer::Sec1(sec1.to_vec().into())).unwrap(), expected);
        assert_eq!(public(&PrivateKeyDer::Sec1(vec![1].into())), None);
    }
}
