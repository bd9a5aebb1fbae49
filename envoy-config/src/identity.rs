//! The certificate of the proxy's own workload, by which other proxies of the mesh know it: what `outrigger certs issue`
//! leaves in a folder and `--certs` names.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use outrigger_api::Proxy;
use time::OffsetDateTime;

use crate::certs::{BadSpiffeId, ChainError, SpiffeId, judge};
use crate::credentials::{Authorities, Broken, KeyPair};
use crate::envoy::secret::Inline;

/// The certificate, and what leads from it to a root.
pub const CHAIN: &str = "cert-chain.pem";
/// Its key.
pub const KEY: &str = "key.pem";
/// The authorities of the mesh.
pub const ROOTS: &str = "root-cert.pem";

/// Kubernetes' name for the account of who has none of its own.
const DEFAULT_ACCOUNT: &str = "default";

/// How long the three files may not fit together: someone is replacing them.
const IN_BETWEEN: Duration = Duration::from_secs(1);

/// A workload's certificate, and whose certificates it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate first, then those that lead to an authority.
    pub certificate_chain: Inline,
    /// The certificate's key.
    pub private_key: Inline,
    /// The authorities of the mesh.
    pub roots: Inline,
    /// Whom the certificate names.
    pub id: SpiffeId,
    /// DNS names that it has besides.
    pub names: Vec<String>,
    /// The certificate's serial number, as Envoy's `/certs` tells it.
    pub serial_number: String,
    /// From when it is valid.
    pub starts: OffsetDateTime,
    /// Until when.
    pub ends: OffsetDateTime,
}

/// A folder with a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file can't be read.
    #[error("can't use `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("can't use the certificate in `{}`: {source}", folder.display())]
    Broken {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: Broken,
    },
    /// The certificate is not accepted.
    #[error("can't use the certificate in `{}`: {source}", folder.display())]
    Chain {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: ChainError,
    },
}

/// The name of the workload that `proxy` is beside.
///
/// # Errors
/// A namespace, service account or trust domain that can't stand in a name.
pub fn spiffe_id(proxy: &Proxy) -> Result<SpiffeId, BadSpiffeId> {
    let account = proxy.service_account.as_deref().unwrap_or(DEFAULT_ACCOUNT);
    SpiffeId::of_account(&proxy.trust_domain, &proxy.namespace, account)
}

impl Identity {
    /// How the certificate differs from what the flags say about the proxy; other proxies go by the certificate.
    pub fn differs_from(&self, proxy: &Proxy) -> Option<String> {
        let said = spiffe_id(proxy).ok()?;
        let account = proxy.service_account.is_some();
        let same = if account {
            said == self.id
        } else {
            let stem = |id: &SpiffeId| id.as_str().rsplit_once('/').map(|(stem, _)| stem.to_owned());
            stem(&said) == stem(&self.id)
        };
        (!same).then(|| {
            format!(
                "the certificate is that of `{}`, the flags say `{said}`: others go by the certificate",
                self.id
            )
        })
    }

    /// When its certificate ends, or has ended: then peers refuse it. For people.
    pub fn end(&self) -> String {
        let verb = if self.ends <= OffsetDateTime::now_utc() { "which has ended" } else { "which ends" };
        format!("{verb} at {}", self.ends)
    }

    /// What the user has to know about its end, and when, after the moment `now`: a while before it, and then.
    pub fn notice(&self, now: OffsetDateTime) -> Option<(OffsetDateTime, String)> {
        let tenth: time::Duration = (self.ends - self.starts) / 10;
        let soon = self.ends - tenth.min(time::Duration::HOUR);
        let of = format!("the certificate of `{}`", self.id);
        if now < soon {
            Some((soon, format!("{of} ends at {}, and there is no new one yet", self.ends)))
        } else if now < self.ends {
            Some((self.ends, format!("{of} has ended: peers refuse it from now on")))
        } else {
            None
        }
    }

    /// Reads the three files of `folder` and sees that they fit together.
    ///
    /// # Errors
    /// A file can't be read or holds something else; the key is another's; the certificate does not lead to a root, is
    /// not valid now, or does not name one workload.
    pub fn read(folder: &Path) -> Result<Self, IdentityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| IdentityError::File { path, source })
        };
        let (chain, key, roots) = (read(CHAIN)?, read(KEY)?, read(ROOTS)?);
        let broken = |source| IdentityError::Broken { folder: folder.to_owned(), source };
        let pair = KeyPair::read(chain.as_bytes(), key.as_bytes()).map_err(broken)?;
        let authorities = Authorities::read(roots.as_bytes(), None).map_err(broken)?;
        let judged = judge(&chain, &roots, OffsetDateTime::now_utc());
        let (id, named) =
            judged.map_err(|source| IdentityError::Chain { folder: folder.to_owned(), source })?;
        Ok(Self {
            certificate_chain: pair.chain,
            private_key: pair.key,
            roots: authorities.certificates,
            id,
            names: named.names,
            serial_number: named.serial_number,
            starts: named.starts,
            ends: named.ends,
        })
    }

    /// As [`Self::read`], of a folder whose files may just be replaced: gives whoever does it a moment.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_settled(folder: &Path) -> Result<Self, IdentityError> {
        let end = Instant::now() + IN_BETWEEN;
        loop {
            let identity = Self::read(folder);
            if identity.is_ok() || Instant::now() >= end || !folder.is_dir() {
                return identity;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn the_end_is_told_an_hour_before_and_when_it_is_there() {
        let ends = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        let identity = |lifetime: Duration| Identity {
            certificate_chain: Inline::new(""),
            private_key: Inline::new(""),
            roots: Inline::new(""),
            id: "spiffe://cluster.local/ns/a/sa/b".parse().unwrap(),
            names: Vec::new(),
            serial_number: String::new(),
            starts: ends - lifetime,
            ends,
        };
        let day = identity(Duration::DAY);
        let (soon, text) = day.notice(ends - Duration::hours(5)).unwrap();
        assert_eq!(soon, ends - Duration::HOUR);
        assert!(text.contains("spiffe://cluster.local/ns/a/sa/b") && text.contains("no new one"), "{text}");
        let (end, text) = day.notice(soon).unwrap();
        assert!(end == ends && text.contains("has ended"), "{text}");
        assert_eq!(day.notice(ends), None);
        let hour = identity(Duration::HOUR);
        let soon = hour.notice(ends - Duration::HOUR).unwrap().0;
        assert_eq!(soon, ends - Duration::minutes(6), "a tenth of a short life");
    }
}
