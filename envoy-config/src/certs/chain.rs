//! Whether certificates in PEM lead to a root, and whom the first one names. Envoy judges what peers show; this judges
//! what is given to Envoy, so that a mistake has a name before a connection fails of it.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::spiffe::{BadSpiffeId, SpiffeId};
use crate::credentials::KeyPair;

/// Certificates can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// There is none.
    #[error("there is no certificate in PEM")]
    Empty,
    /// One can't be read.
    #[error("a certificate can't be read")]
    Unreadable,
    /// The way ends before a root.
    #[error("`{0}` is not signed by the next certificate, nor by one of root-cert.pem")]
    Astray(String),
    /// The first is not one of an authority.
    #[error("the certificate is not one of an authority: it can't sign others")]
    NoAuthority,
    /// It is not valid yet.
    #[error("the certificate is valid from {0} on, and it is {1}")]
    Early(OffsetDateTime, OffsetDateTime),
    /// It has ended.
    #[error("the certificate has ended at {0}, and it is {1}")]
    Ended(OffsetDateTime, OffsetDateTime),
    /// It names no workload, or several.
    #[error("the certificate names {0} workloads by URI; it has to name one")]
    Names(usize),
    /// Its name is not a SPIFFE ID.
    #[error(transparent)]
    Name(#[from] BadSpiffeId),
}

/// Whom a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its URIs.
    pub uris: Vec<String>,
    /// Its DNS names.
    pub names: Vec<String>,
    /// Its serial number: hexadecimal and without leading zero bytes, as Envoy's `/certs` tells it.
    pub serial_number: String,
    /// From when it is valid.
    pub starts: OffsetDateTime,
    /// Until when.
    pub ends: OffsetDateTime,
}

/// Judges a workload's certificate at the moment `now`.
///
/// # Errors
/// It can't be used.
pub fn judge(chain: &str, roots: &str, now: OffsetDateTime) -> Result<(SpiffeId, Named), ChainError> {
    leads_to_root(chain, roots)?;
    let named = first(chain)?;
    if named.starts > now {
        return Err(ChainError::Early(named.starts, now));
    }
    if named.ends <= now {
        return Err(ChainError::Ended(named.ends, now));
    }
    let [id] = named.uris.as_slice() else { return Err(ChainError::Names(named.uris.len())) };
    Ok((id.parse()?, named))
}

/// The first certificate of `chain`.
pub(super) fn first(chain: &str) -> Result<Named, ChainError> {
    let certificates = read(chain)?;
    let certificate = parse(certificates.first().ok_or(ChainError::Empty)?)?;
    let validity = certificate.validity();
    let alternatives = certificate.subject_alternative_name().map_err(|_| ChainError::Unreadable)?;
    let (mut uris, mut names) = (Vec::new(), Vec::new());
    for name in alternatives.iter().flat_map(|names| &names.value.general_names) {
        match name {
            GeneralName::URI(uri) => uris.push((*uri).to_owned()),
            GeneralName::DNSName(name) => names.push((*name).to_owned()),
            _ => {}
        }
    }
    Ok(Named {
        uris,
        names,
        serial_number: hexadecimal(certificate.raw_serial()),
        starts: validity.not_before.to_datetime(),
        ends: validity.not_after.to_datetime(),
    })
}

fn hexadecimal(number: &[u8]) -> String {
    let digits = number.iter().skip_while(|byte| **byte == 0);
    digits.map(|byte| format!("{byte:02x}")).collect()
}

/// Each certificate is signed by the next, and the last by a root, or is one.
pub(super) fn leads_to_root(chain: &str, roots: &str) -> Result<(), ChainError> {
    let (chain, roots) = (read(chain)?, read(roots)?);
    let parsed = |all: &[CertificateDer<'static>]| all.is_empty();
    if parsed(&chain) || parsed(&roots) {
        return Err(ChainError::Empty);
    }
    let mut rest = chain.iter();
    let mut at = rest.next();
    while let Some(der) = at {
        if roots.contains(der) {
            return Ok(());
        }
        let certificate = parse(der)?;
        let by_root = roots.iter().filter_map(|root| parse(root).ok());
        if by_root.into_iter().any(|root| signed(&certificate, &root)) {
            return Ok(());
        }
        let next = rest.next();
        let by_next = next.map(|next| parse(next)).transpose()?;
        if !by_next.is_some_and(|next| signed(&certificate, &next)) {
            return Err(ChainError::Astray(certificate.subject().to_string()));
        }
        at = next;
    }
    Err(ChainError::Empty)
}

/// Whether the first of `chain` is one of `roots`.
pub(super) fn is_among(chain: &str, roots: &str) -> Result<bool, ChainError> {
    let (chain, roots) = (read(chain)?, read(roots)?);
    Ok(chain.first().is_some_and(|first| roots.contains(first)))
}

/// The first of `chain` is one of an authority.
pub(super) fn may_sign(chain: &str) -> Result<(), ChainError> {
    let certificates = read(chain)?;
    let certificate = parse(certificates.first().ok_or(ChainError::Empty)?)?;
    if certificate.is_ca() { Ok(()) } else { Err(ChainError::NoAuthority) }
}

/// Whether the first of `chain` is signed by the first of `authority`.
pub(super) fn is_signed_by(chain: &str, authority: &str) -> Result<bool, ChainError> {
    let (chain, authority) = (read(chain)?, read(authority)?);
    let (Some(one), Some(by)) = (chain.first(), authority.first()) else { return Err(ChainError::Empty) };
    Ok(signed(&parse(one)?, &parse(by)?))
}

/// Whether `key` belongs to the first of `chain`.
pub(super) fn is_key_of(key: &str, chain: &str) -> bool {
    KeyPair::read(chain.as_bytes(), key.as_bytes()).is_ok()
}

fn signed(certificate: &X509Certificate<'_>, by: &X509Certificate<'_>) -> bool {
    certificate.issuer() == by.subject() && certificate.verify_signature(Some(by.public_key())).is_ok()
}

fn read(pem: &str) -> Result<Vec<CertificateDer<'static>>, ChainError> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| ChainError::Unreadable)
}

fn parse<'d>(der: &'d CertificateDer<'_>) -> Result<X509Certificate<'d>, ChainError> {
    X509Certificate::from_der(der).map(|(_, certificate)| certificate).map_err(|_| ChainError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_written_as_envoy_writes_them() {
        for (number, text) in [(&[0, 0x0a, 0xf0][..], "0af0"), (&[0x7f, 0], "7f00"), (&[0], "")] {
            assert_eq!(hexadecimal(number), text);
        }
    }
}
