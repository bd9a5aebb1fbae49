//! Keeps the certificates of workloads fresh: each gets a new one when half of its life is over, or when the authority
//! has changed. It holds the authority's key alone, so that no proxy has to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::authority::{Authority, CA_CERT, CertsError, Wanted};
use super::{chain, files};
use crate::identity::{CHAIN, Identity, ROOTS};

/// A workload and where its certificate is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What it gets.
    pub wanted: Wanted,
    /// Where.
    pub folder: PathBuf,
}

/// Keeps certificates of one authority.
#[derive(Debug)]
pub struct Keeper {
    authority: PathBuf,
    workloads: Vec<Workload>,
    /// What was said last about each, so that it is said once.
    said: Vec<Option<String>>,
}

/// What has happened to a workload's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It got a new one, valid until then.
    Issued(usize, OffsetDateTime),
    /// It could not get one.
    Failed(usize, String),
}

impl Keeper {
    /// For the authority in the folder `authority`.
    pub fn new(authority: PathBuf, workloads: Vec<Workload>) -> Self {
        let said = workloads.iter().map(|_| None).collect();
        Self { authority, workloads, said }
    }

    /// The workloads.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// Gives each workload that needs one a new certificate. What stays wrong is told once.
    pub fn look(&mut self) -> Vec<Told> {
        let authority = Authority::open(&self.authority);
        let mut told = Vec::new();
        for (at, (workload, said)) in self.workloads.iter().zip(&mut self.said).enumerate() {
            let outcome = match &authority {
                Ok(authority) => {
                    refresh(authority, &self.authority, workload).map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            match outcome {
                Ok(Some(ends)) => told.push(Told::Issued(at, ends)),
                Ok(None) => {}
                Err(error) => {
                    if said.as_ref() != Some(&error) {
                        told.push(Told::Failed(at, error.clone()));
                    }
                    *said = Some(error);
                    continue;
                }
            }
            *said = None;
        }
        told
    }

    /// How long until it has to look again, at most a second: the authority may change, too.
    pub fn pause(&self) -> Duration {
        let shortest = self.workloads.iter().map(|workload| workload.wanted.lifetime).min();
        shortest.map_or(LONGEST_PAUSE, |shortest| (shortest / 20).min(LONGEST_PAUSE))
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A new certificate, if `workload` needs one; until when it is valid.
fn refresh(
    authority: &Authority,
    folder: &Path,
    workload: &Workload,
) -> Result<Option<OffsetDateTime>, CertsError> {
    if is_fresh(authority, folder, workload).unwrap_or(false) {
        return Ok(None);
    }
    authority.issue(&workload.wanted, &workload.folder).map(Some)
}

/// Whether there is one of this authority with more than half of its life before it. `None`: there is none.
fn is_fresh(authority: &Authority, folder: &Path, workload: &Workload) -> Option<bool> {
    let identity = Identity::read(&workload.folder).ok()?;
    let chain = files::text(&workload.folder.join(CHAIN)).ok()?;
    let signed = chain::is_signed_by(&chain, &files::text(&folder.join(CA_CERT)).ok()?).ok()?;
    let trusted = files::text(&workload.folder.join(ROOTS)).ok()? == authority.roots;
    let named = identity.id == workload.wanted.id && identity.names == workload.wanted.names;
    let half = workload.wanted.lifetime / 2;
    Some(signed && trusted && named && identity.ends - OffsetDateTime::now_utc() > half)
}
