//! Certificates, keys and lists of revoked certificates in PEM: read before Envoy gets them, since it would go on with
//! the ones before, or with none, and say so in its log alone. No message quotes what was read.

use rustls::SignatureAlgorithm;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::envoy::secret::Inline;

/// Why something in PEM can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The text is not UTF-8.
    #[error("{0} is not a text in PEM")]
    NotText(&'static str),
    /// There is no certificate.
    #[error("{0} holds no certificate in PEM")]
    NoCertificate(&'static str),
    /// A certificate is not one.
    #[error("{0} holds a certificate that can't be read")]
    BadCertificate(&'static str),
    /// There is no key.
    #[error("{0} holds no private key in PEM, or one behind a passphrase")]
    NoKey(&'static str),
    /// Envoy can't use the key.
    #[error(
        "{0} holds a key of a kind that Envoy does not take: RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384"
    )]
    BadKey(&'static str),
    /// The two don't belong together.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// There is no list of revoked certificates.
    #[error("{0} holds no list of revoked certificates in PEM")]
    NoRevocationList(&'static str),
}

/// A certificate with the key that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate first, then those that lead to an authority.
    pub chain: Inline,
    /// The key.
    pub key: Inline,
    /// When the certificate ends, in seconds since 1970.
    pub ends: i64,
}

/// Whose certificates are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    /// One or more certificates.
    pub certificates: Inline,
    /// What they have revoked.
    pub revoked: Option<Inline>,
    /// When the last of them ends, in seconds since 1970.
    pub ends: i64,
}

impl KeyPair {
    /// Reads both and sees that they belong together.
    ///
    /// # Errors
    /// One of them can't be used.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, Broken> {
        const CHAIN: &str = "the certificate";
        const KEY: &str = "the private key";
        let certificates = certificates(chain, CHAIN)?;
        let first = certificates.first().ok_or(Broken::NoCertificate(CHAIN))?;
        let (_, certificate) = X509Certificate::from_der(first).map_err(|_| Broken::BadCertificate(CHAIN))?;
        let parsed = PrivateKeyDer::from_pem_slice(key).map_err(|_| Broken::NoKey(KEY))?;
        let signing = any_supported_type(&parsed).map_err(|_| Broken::BadKey(KEY))?;
        if signing.algorithm() == SignatureAlgorithm::ED25519 {
            return Err(Broken::BadKey(KEY));
        }
        let public = signing.public_key().ok_or(Broken::BadKey(KEY))?;
        let (_, public) = SubjectPublicKeyInfo::from_der(&public).map_err(|_| Broken::BadKey(KEY))?;
        if public.subject_public_key.data != certificate.public_key().subject_public_key.data {
            return Err(Broken::Mismatch);
        }
        let ends = certificate.validity().not_after.timestamp();
        Ok(Self { chain: inline(chain, CHAIN)?, key: inline(key, KEY)?, ends })
    }
}

impl Authorities {
    /// Reads them, and what they have revoked.
    ///
    /// # Errors
    /// One of them can't be used.
    pub fn read(authorities: &[u8], revoked: Option<&[u8]>) -> Result<Self, Broken> {
        const AUTHORITIES: &str = "the list of authorities";
        const REVOKED: &str = "the file of revoked certificates";
        let mut ends = i64::MIN;
        for certificate in certificates(authorities, AUTHORITIES)? {
            let (_, certificate) =
                X509Certificate::from_der(&certificate).map_err(|_| Broken::BadCertificate(AUTHORITIES))?;
            ends = ends.max(certificate.validity().not_after.timestamp());
        }
        let revoked = match revoked {
            None => None,
            Some(text) => {
                let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(text).collect();
                if lists.map_or(true, |lists| lists.is_empty()) {
                    return Err(Broken::NoRevocationList(REVOKED));
                }
                Some(inline(text, REVOKED)?)
            }
        };
        Ok(Self { certificates: inline(authorities, AUTHORITIES)?, revoked, ends })
    }
}

fn certificates(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, Broken> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match all {
        Ok(all) if all.is_empty() => Err(Broken::NoCertificate(what)),
        Ok(all) => Ok(all),
        Err(_) => Err(Broken::BadCertificate(what)),
    }
}

fn inline(text: &[u8], what: &'static str) -> Result<Inline, Broken> {
    std::str::from_utf8(text).map(Inline::new).map_err(|_| Broken::NotText(what))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair as Generated, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    fn made(key: &Generated) -> String {
        CertificateParams::new(["a.example.com".to_owned()]).unwrap().self_signed(key).unwrap().pem()
    }

    #[test]
    fn a_key_has_to_belong_to_its_certificate() {
        let (one, other) = (Generated::generate().unwrap(), Generated::generate().unwrap());
        let p384 = Generated::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let ed25519 = Generated::generate_for(&PKCS_ED25519).unwrap();
        let read = |certificate: &str, key: &str| {
            KeyPair::read(certificate.as_bytes(), key.as_bytes())
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(&made(&one), &one.serialize_pem()), Ok(()));
        assert_eq!(read(&made(&p384), &p384.serialize_pem()), Ok(()));
        let mismatch = Err("the private key does not belong to the certificate".to_owned());
        assert_eq!(read(&made(&one), &other.serialize_pem()), mismatch);
        assert_eq!(read(&made(&one), &p384.serialize_pem()), mismatch);
        for (certificate, key, said) in [
            (made(&ed25519), ed25519.serialize_pem(), "of a kind"),
            (String::new(), one.serialize_pem(), "no certificate"),
            (one.serialize_pem(), one.serialize_pem(), "no certificate"),
            (made(&one), made(&one), "no private key"),
            (made(&one).replace("MII", "!!!"), one.serialize_pem(), "can't be read"),
            (
                "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n".to_owned(),
                one.serialize_pem(),
                "can't be read",
            ),
        ] {
            let error = read(&certificate, &key).unwrap_err();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("MII"), "{error}");
        }
    }

    #[test]
    fn authorities_are_certificates() {
        let key = Generated::generate().unwrap();
        let both = made(&key) + &made(&Generated::generate().unwrap());
        assert!(Authorities::read(both.as_bytes(), None).unwrap().ends > 0);
        assert_eq!(Authorities::read(b"", None), Err(Broken::NoCertificate("the list of authorities")));
        let revoked = Authorities::read(both.as_bytes(), Some(b"nothing"));
        assert_eq!(revoked, Err(Broken::NoRevocationList("the file of revoked certificates")));
    }
}
