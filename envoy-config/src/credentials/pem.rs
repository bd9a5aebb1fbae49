//! Certificates, keys and lists of revoked certificates in PEM: read before Envoy gets them, since it would go on with
//! the ones before, or with none, and say so in its log alone. No message quotes what was read.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::key;
use super::revoked::Revoked;
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
        "{0} holds a key of a kind that is not taken: RSA of 2048 to 8192 bits, ECDSA with P-256, P-384 or P-521, Ed25519"
    )]
    BadKey(&'static str),
    /// The two don't belong together.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// There is no list of revoked certificates.
    #[error("{0} holds no list of revoked certificates in PEM")]
    NoRevocationList(&'static str),
    /// A list of revoked certificates is not one.
    #[error("{0} holds a list that can't be read")]
    BadRevocationList(&'static str),
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
    pub revoked: Option<Revoked>,
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
        // Envoy takes none of them if one can't be read.
        let read = parsed(&certificates, CHAIN)?;
        let certificate = read.first().ok_or(Broken::NoCertificate(CHAIN))?;
        let private = PrivateKeyDer::from_pem_slice(key).map_err(|_| Broken::NoKey(KEY))?;
        let public = key::public(&private).ok_or(Broken::BadKey(KEY))?;
        if *public != *certificate.public_key().subject_public_key.data {
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
        let certificates = certificates(authorities, AUTHORITIES)?;
        let read = parsed(&certificates, AUTHORITIES)?;
        let ends = read.iter().map(|certificate| certificate.validity().not_after.timestamp()).max();
        let revoked = revoked.map(|text| Revoked::read(text, &read, REVOKED)).transpose()?;
        let ends = ends.ok_or(Broken::NoCertificate(AUTHORITIES))?;
        Ok(Self { certificates: inline(authorities, AUTHORITIES)?, revoked, ends })
    }
}

fn parsed<'c>(
    certificates: &'c [CertificateDer<'_>],
    what: &'static str,
) -> Result<Vec<X509Certificate<'c>>, Broken> {
    let read = certificates.iter().map(|one| X509Certificate::from_der(one).map(|(_, read)| read));
    read.collect::<Result<_, _>>().map_err(|_| Broken::BadCertificate(what))
}

fn certificates(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, Broken> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match all {
        Ok(all) if all.is_empty() => Err(Broken::NoCertificate(what)),
        Ok(all) => Ok(all),
        Err(_) => Err(Broken::BadCertificate(what)),
    }
}

pub(super) fn inline(text: &[u8], what: &'static str) -> Result<Inline, Broken> {
    std::str::from_utf8(text).map(Inline::new).map_err(|_| Broken::NotText(what))
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa,
        KeyIdMethod, KeyPair as Generated, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd,
    };

    use super::*;

    const BROKEN: &str = "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n";

    /// Of the curve secp256k1.
    const OTHER_CURVE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgoAlvaZjo/ZRsVThddazg\n\
        f/sF1QYLV4WQPeA0bEp2UlihRANCAAR3tW6Y1MqO7tTriNm8hAvH+JsaJP+Ev7Ht\n\
        LfLMZVljCVOifJN5mYVgaIflYo9IM597Tek42SNtOxMSPA7KP5rh\n\
        -----END PRIVATE KEY-----\n";

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
        assert_eq!(read(&made(&ed25519), &ed25519.serialize_pem()), Ok(()));
        let mismatch = Err("the private key does not belong to the certificate".to_owned());
        assert_eq!(read(&made(&one), &other.serialize_pem()), mismatch);
        assert_eq!(read(&made(&one), &p384.serialize_pem()), mismatch);
        for (certificate, key, said) in [
            (made(&one), OTHER_CURVE.to_owned(), "of a kind"),
            (made(&one) + BROKEN, one.serialize_pem(), "can't be read"),
            (String::new(), one.serialize_pem(), "no certificate"),
            (one.serialize_pem(), one.serialize_pem(), "no certificate"),
            (made(&one), made(&one), "no private key"),
            (made(&one).replace("MII", "!!!"), one.serialize_pem(), "can't be read"),
            (BROKEN.to_owned(), one.serialize_pem(), "can't be read"),
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
        const REVOKED: &str = "the file of revoked certificates";
        let revoked = Authorities::read(both.as_bytes(), Some(b"nothing"));
        assert_eq!(revoked, Err(Broken::NoRevocationList(REVOKED)));
        let junk = BROKEN.replace("CERTIFICATE", "X509 CRL");
        let revoked = Authorities::read(both.as_bytes(), Some(junk.as_bytes()));
        assert_eq!(revoked, Err(Broken::BadRevocationList(REVOKED)));
    }

    #[test]
    fn lists_of_revoked_certificates_have_an_end_and_an_issuer() {
        let made = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let issuer = CertifiedIssuer::self_signed(params, Generated::generate().unwrap()).unwrap();
            let list = CertificateRevocationListParams {
                this_update: date_time_ymd(2020, 1, 1),
                next_update: date_time_ymd(2020, 1, 2),
                crl_number: 1.into(),
                issuing_distribution_point: None,
                revoked_certs: Vec::new(),
                key_identifier_method: KeyIdMethod::Sha256,
            };
            let list = list.signed_by(&issuer).unwrap().pem().unwrap();
            (issuer.pem(), list)
        };
        let ((one, of_one), (other, of_other)) = (made("one"), made("other"));
        let read = |authorities: &str, lists: &str| {
            Authorities::read(authorities.as_bytes(), Some(lists.as_bytes())).unwrap().revoked.unwrap()
        };
        let revoked = read(&one, &of_one);
        assert_eq!((revoked.ends, revoked.without), (Some(1_577_923_200), None));
        assert_eq!(read(&(one.clone() + &other), &of_one).without.as_deref(), Some("CN=other"));
        assert_eq!(read(&(one + &other), &(of_one + &of_other)).without, None);
    }
}
