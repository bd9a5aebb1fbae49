//! An authority and certificates of it, made anew for each test.

use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// In PEM.
    pub(crate) chain: String,
    /// In PEM.
    pub(crate) key: String,
    /// Its serial number.
    pub(crate) serial: u64,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// In PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a client that trusts nobody else.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// A certificate for this name.
    pub(crate) fn issue(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        static LAST: AtomicU64 = AtomicU64::new(1_000);
        let serial = LAST.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(serial.into());
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certificate { chain: certificate.pem(), key: key.serialize_pem(), serial }
    }

    /// A list, in PEM, that says that this certificate counts for nothing any more.
    pub(crate) fn revoke(&self, certificate: &Certificate) -> String {
        let revoked = RevokedCertParams {
            serial_number: certificate.serial.into(),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

impl Certificate {
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap()
    }

    pub(crate) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// A Secret as `kubectl create secret tls` makes it, with authorities if there are any.
    pub(crate) fn secret(&self, name: &str, authority: Option<&Authority>) -> String {
        let text = |key: &str, pem: &str| {
            let lines: Vec<_> = pem.lines().map(|line| format!("    {line}\n")).collect();
            format!("  {key}: |\n{}", lines.concat())
        };
        let authority = authority.map(|authority| text("ca.crt", &authority.pem())).unwrap_or_default();
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ntype: kubernetes.io/tls\nstringData:\n{}{}{authority}",
            text("tls.crt", &self.chain),
            text("tls.key", &self.key)
        )
    }
}
