//! Lists of revoked certificates.

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::pem::{Broken, inline};
use crate::envoy::secret::Inline;

/// What authorities have revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// One or more lists.
    pub lists: Inline,
    /// When the first of them is to be followed by a new one, in seconds since 1970: after that Envoy accepts no
    /// certificate. `None`: never.
    pub ends: Option<i64>,
    /// The subject of an authority that has no list, by whose certificates Envoy accepts nobody.
    pub without: Option<String>,
}

impl Revoked {
    /// Reads them; `authorities`: whose they are.
    pub(super) fn read(
        text: &[u8],
        authorities: &[X509Certificate<'_>],
        what: &'static str,
    ) -> Result<Self, Broken> {
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(text).collect();
        let lists = lists.map_err(|_| Broken::BadRevocationList(what))?;
        if lists.is_empty() {
            return Err(Broken::NoRevocationList(what));
        }
        let read = lists.iter().map(|list| CertificateRevocationList::from_der(list).map(|(_, list)| list));
        let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|_| Broken::BadRevocationList(what))?;
        let ends = read.iter().filter_map(|list| Some(list.next_update()?.timestamp())).min();
        let has_list = |authority: &&X509Certificate<'_>| {
            read.iter().any(|list| list.issuer().as_raw() == authority.subject().as_raw())
        };
        let without = authorities.iter().find(|authority| !has_list(authority));
        let without = without.map(|authority| authority.subject().to_string());
        Ok(Self { lists: inline(text, what)?, ends, without })
    }
}
