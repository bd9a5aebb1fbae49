//! An authority in a folder, with the names of files that Istio's `cacerts` has: `ca-cert.pem` signs with `ca-key.pem`,
//! `cert-chain.pem` leads from it to a root (absent if it is one), `root-cert.pem` holds what workloads trust.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use super::chain::{self, ChainError};
use super::spiffe::{BadSpiffeId, SpiffeId, TrustDomain};
use super::{constraints, files};
use crate::identity::{CHAIN, KEY, ROOTS};

/// The certificate that signs.
pub(super) const CA_CERT: &str = "ca-cert.pem";
/// Its key.
pub(super) const CA_KEY: &str = "ca-key.pem";

/// How long an authority of our own is valid, as Istio's.
const OWN_DAYS: i64 = 3650;
/// Clocks differ: a certificate is valid from so long ago.
const BACKDATED: Duration = Duration::from_secs(60);

/// Signs certificates of workloads.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate, and what leads from it to a root.
    chain: String,
    /// What workloads trust.
    pub(super) roots: String,
    /// Whose workloads it may name. `None`: that is up to the user's own authority.
    domain: Option<TrustDomain>,
    ends: OffsetDateTime,
}

/// An authority of our own: its certificate and key.
pub struct Own {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// What a workload asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Who it is.
    pub id: SpiffeId,
    /// DNS names that it has besides.
    pub names: Vec<String>,
    /// How long the certificate is valid.
    pub lifetime: Duration,
}

/// What was asked for can't be done.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// A file can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is an authority already.
    #[error("there is an authority in `{}` already: whoever trusts it would be left alone", .0.display())]
    Exists(PathBuf),
    /// Certificates that don't lead to each other.
    #[error("`{}`: {source}", path.display())]
    Chain {
        /// In this file or folder.
        path: PathBuf,
        /// Why.
        source: ChainError,
    },
    /// The authority's own key is not usable.
    #[error("`{}` is not the key of the certificate, or of a kind that can't sign here", .0.display())]
    Key(PathBuf),
    /// The authority is of another trust domain.
    #[error("`{id}` is not of trust domain `{domain}`, the only one that this authority signs for")]
    Foreign {
        /// What was asked for.
        id: SpiffeId,
        /// The authority's.
        domain: TrustDomain,
    },
    /// A name is not one.
    #[error(transparent)]
    Name(#[from] BadSpiffeId),
    /// The authority has ended.
    #[error("the authority has ended at {0}")]
    Ended(OffsetDateTime),
    /// A step of a rotation out of turn.
    #[error("{0}")]
    Turn(&'static str),
    /// A certificate can't be made.
    #[error("can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

impl Own {
    /// A new authority for `domain`.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new(domain: &TrustDomain) -> Result<Self, CertsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now - BACKDATED, now + time::Duration::days(OWN_DAYS));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, domain.as_str());
        params.distinguished_name.push(DnType::CommonName, format!("Outrigger CA {}", now.date()));
        params.subject_alt_names = vec![SanType::URI(domain.id().try_into()?)];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.custom_extensions = vec![constraints::only(domain)];
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, key: key.serialize_pem() })
    }
}

impl Authority {
    /// Makes a new one in `folder`, which workloads of `domain` will trust.
    ///
    /// # Errors
    /// There is one already, or the folder can't be written.
    pub fn create(folder: &Path, domain: &TrustDomain) -> Result<Self, CertsError> {
        let own = Own::new(domain)?;
        Self::put(folder, &own.certificate, &own.key, None)
    }

    /// Takes over one of the user's own: `certificate` is that which signs, with those that lead to a root behind it;
    /// `root` is what workloads trust, unless the certificate is a root itself.
    ///
    /// # Errors
    /// As [`Self::create`], and files that don't belong together.
    pub fn adopt(
        folder: &Path,
        certificate: &Path,
        key: &Path,
        root: Option<&Path>,
    ) -> Result<Self, CertsError> {
        let (chain, key_text) = (files::text(certificate)?, files::text(key)?);
        let roots = root.map(files::text).transpose()?;
        let trusted = roots.as_ref().unwrap_or(&chain);
        let of = |path: &Path| {
            let path = path.to_owned();
            move |source| CertsError::Chain { path, source }
        };
        chain::leads_to_root(&chain, trusted).map_err(of(certificate))?;
        chain::may_sign(&chain).map_err(of(certificate))?;
        if !chain::is_key_of(&key_text, &chain) {
            return Err(CertsError::Key(key.to_owned()));
        }
        Self::put(folder, &chain, &key_text, roots.as_deref())
    }

    fn put(folder: &Path, chain: &str, key: &str, roots: Option<&str>) -> Result<Self, CertsError> {
        for name in [CA_CERT, CA_KEY] {
            if folder.join(name).exists() {
                return Err(CertsError::Exists(folder.to_owned()));
            }
        }
        files::folder(folder, 0o700)?;
        files::put(&folder.join(CA_KEY), key, files::SECRET)?;
        files::put(&folder.join(ROOTS), roots.unwrap_or(chain), files::PUBLIC)?;
        // Last: with it the authority is there.
        files::put(&folder.join(CA_CERT), chain, files::PUBLIC)?;
        Self::open(folder)
    }

    /// The one in `folder`.
    ///
    /// # Errors
    /// It is not there, or its files don't belong together.
    pub fn open(folder: &Path) -> Result<Self, CertsError> {
        let certificate = files::text(&folder.join(CA_CERT))?;
        let key_text = files::text(&folder.join(CA_KEY))?;
        let roots = files::text(&folder.join(ROOTS))?;
        let of_chain = |source| CertsError::Chain { path: folder.to_owned(), source };
        chain::leads_to_root(&certificate, &roots).map_err(of_chain)?;
        let about = chain::first(&certificate).map_err(of_chain)?;
        if !chain::is_key_of(&key_text, &certificate) {
            return Err(CertsError::Key(folder.join(CA_KEY)));
        }
        let key = KeyPair::from_pem(&key_text).map_err(|_| CertsError::Key(folder.join(CA_KEY)))?;
        let chain = if chain::is_among(&certificate, &roots).map_err(of_chain)? {
            String::new()
        } else {
            certificate.clone()
        };
        let domain = about.uris.first().and_then(|uri| uri.strip_prefix("spiffe://")?.parse().ok());
        Ok(Self {
            issuer: Issuer::from_ca_cert_pem(&certificate, key)?,
            chain,
            roots,
            domain,
            ends: about.ends,
        })
    }

    /// Whose workloads it may name.
    pub fn trust_domain(&self) -> Option<&TrustDomain> {
        self.domain.as_ref()
    }

    /// Makes a certificate with a key of its own and writes both into `folder`, with what is trusted.
    ///
    /// # Errors
    /// An ID of another trust domain, or a folder that can't be written.
    pub fn issue(&self, wanted: &Wanted, folder: &Path) -> Result<OffsetDateTime, CertsError> {
        if let Some(domain) = self.domain.as_ref().filter(|domain| *domain != wanted.id.trust_domain()) {
            return Err(CertsError::Foreign { id: wanted.id.clone(), domain: domain.clone() });
        }
        let now = OffsetDateTime::now_utc();
        if self.ends <= now {
            return Err(CertsError::Ended(self.ends));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(wanted.id.as_str().try_into()?)];
        for name in &wanted.names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = now - BACKDATED;
        params.not_after = (now + wanted.lifetime).min(self.ends);
        let ends = params.not_after;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        files::folder(folder, 0o755)?;
        files::put(&folder.join(ROOTS), &self.roots, files::PUBLIC)?;
        files::put(&folder.join(KEY), &key.serialize_pem(), files::SECRET)?;
        files::put(&folder.join(CHAIN), &(certificate + &self.chain), files::PUBLIC)?;
        Ok(ends)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Own").finish_non_exhaustive()
    }
}
