//! The certificate of a workload, in a folder as `--certs` takes it.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use tempfile::TempDir;

/// A certificate with this SPIFFE ID, of an authority of its own.
pub(crate) fn of(spiffe_id: &str) -> TempDir {
    let authority_key = KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root = authority.self_signed(&authority_key).expect("it can sign itself");
    let key = KeyPair::generate().expect("a key can be made");
    let mut workload = CertificateParams::default();
    workload.subject_alt_names = vec![SanType::URI(spiffe_id.try_into().expect("an ID is ASCII"))];
    let signed = workload
        .signed_by(&key, &Issuer::from_params(&authority, &authority_key))
        .expect("the authority can sign");
    let nothing_revoked = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 1, 1),
        next_update: rcgen::date_time_ymd(2096, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let issuer = Issuer::from_params(&authority, &authority_key);
    let revoked = nothing_revoked.signed_by(&issuer).expect("the authority can sign");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let files = [
        ("root-cert.pem", root.pem()),
        ("cert-chain.pem", signed.pem()),
        ("key.pem", key.serialize_pem()),
        ("crl.pem", revoked.pem().expect("it can be written")),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a temporary folder can be written");
    }
    folder
}
