//! A new root in the place of an old one, in three steps: everyone trusts both; the new one signs; nobody trusts the old
//! one any more. Between two steps every workload has to get a new certificate, so that none meets one it does not
//! trust.

use std::fs;
use std::path::Path;

use super::authority::{Authority, CA_CERT, CA_KEY, CertsError, Own};
use super::files;
use crate::identity::ROOTS;

/// The certificate of the authority to come.
const NEXT_CERT: &str = "next-ca-cert.pem";
/// Its key.
const NEXT_KEY: &str = "next-ca-key.pem";

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// There is none.
    None,
    /// The new root is trusted, and signs nothing yet.
    Begun,
    /// The new root signs, and the old one is still trusted.
    Switched,
}

/// A step of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Makes a new root that is trusted besides the old one.
    Begin,
    /// Signs with the new one.
    Switch,
    /// Trusts the new one alone.
    Finish,
}

impl Rotation {
    /// How far that of the authority in `folder` has come.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn of(folder: &Path) -> Result<Self, CertsError> {
        if folder.join(NEXT_CERT).exists() {
            return Ok(Self::Begun);
        }
        let (roots, certificate) = (files::text(&folder.join(ROOTS))?, files::text(&folder.join(CA_CERT))?);
        Ok(if roots != certificate && roots.contains(&certificate) { Self::Switched } else { Self::None })
    }

    /// Takes a step.
    ///
    /// # Errors
    /// It is not its turn, the authority is one of the user's own, or the folder can't be written.
    pub fn step(folder: &Path, step: Step) -> Result<Self, CertsError> {
        let authority = Authority::open(folder)?;
        let read = |name: &str| files::text(&folder.join(name));
        match (step, Self::of(folder)?) {
            (Step::Begin, Self::None) => {
                let domain = authority
                    .trust_domain()
                    .filter(|_| read(CA_CERT).is_ok_and(|own| own == authority.roots));
                let Some(domain) = domain else {
                    return Err(CertsError::Turn(
                        "this authority is not one of `certs init --trust-domain`: give it a new certificate where it comes from",
                    ));
                };
                let next = Own::new(domain)?;
                files::put(&folder.join(NEXT_KEY), &next.key, files::SECRET)?;
                files::put(&folder.join(NEXT_CERT), &next.certificate, files::PUBLIC)?;
                let both = authority.roots + &next.certificate;
                files::put(&folder.join(ROOTS), &both, files::PUBLIC)?;
                Ok(Self::Begun)
            }
            (Step::Switch, Self::Begun) => {
                // The key first: a command that is killed in between leaves two that don't belong together, which is
                // found out, and this step can be taken again.
                files::put(&folder.join(CA_KEY), &read(NEXT_KEY)?, files::SECRET)?;
                files::put(&folder.join(CA_CERT), &read(NEXT_CERT)?, files::PUBLIC)?;
                for name in [NEXT_CERT, NEXT_KEY] {
                    let path = folder.join(name);
                    fs::remove_file(&path).map_err(|source| CertsError::Write { path, source })?;
                }
                Ok(Self::Switched)
            }
            (Step::Finish, Self::Switched) => {
                files::put(&folder.join(ROOTS), &read(CA_CERT)?, files::PUBLIC)?;
                Ok(Self::None)
            }
            (Step::Begin, _) => Err(CertsError::Turn(
                "a rotation has begun already: `--step switch` or `--step finish` is next",
            )),
            (Step::Switch, _) => Err(CertsError::Turn(
                "no rotation has begun, or it was switched already: `--step begin` comes first, `--step finish` last",
            )),
            (Step::Finish, _) => Err(CertsError::Turn(
                "the new root does not sign yet: `--step begin` and `--step switch` come first",
            )),
        }
    }
}
