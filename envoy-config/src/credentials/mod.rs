//! Certificates and keys that resources name: by `credentialName`, which is a Kubernetes Secret among the resources or a
//! folder below `--credentials`, or by the paths of files.

mod key;
mod pem;
mod place;
mod revoked;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use outrigger_api::problem::code;
use outrigger_api::resource::Resource;
use outrigger_api::{Kind, Problem};

use crate::envoy::secret::Inline;

pub use self::pem::{Authorities, Broken, KeyPair};
use self::place::Place;
pub use self::revoked::Revoked;

/// A credential that nobody has: Istio's code for what is named and absent.
pub(crate) const ABSENT: &str = "IST0101";
/// A credential that can't be used.
pub(crate) const BROKEN: &str = "OUT0110";

/// The names of certificate and key, in the order in which Istio looks.
const PAIRS: [(&str, &str); 2] = [("cert", "key"), ("tls.crt", "tls.key")];
/// The names of authorities and of what they have revoked.
const AUTHORITIES: [(&str, &str); 2] = [("cacert", "crl"), ("ca.crt", "ca.crl")];
/// Behind the name of a credential: the Secret of its authorities.
const CA_SUFFIX: &str = "-cacert";

/// Where credentials are.
#[derive(Debug)]
pub struct Credentials<'r> {
    resources: &'r [Resource],
    namespace: &'r str,
    folder: Option<&'r Path>,
    /// The files that were asked for, there or not.
    files: RefCell<BTreeSet<PathBuf>>,
}

/// A credential can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    code: &'static str,
    message: String,
    hint: Option<String>,
}

impl Trouble {
    fn absent(message: String, hint: impl Into<String>) -> Self {
        Self { code: ABSENT, message, hint: Some(hint.into()) }
    }

    fn broken(place: &str, why: &str) -> Self {
        Self { code: BROKEN, message: format!("{place}: {why}"), hint: None }
    }

    /// As a problem of the field that names the credential.
    pub fn of(self, resource: &Resource, path: &str) -> Problem {
        Problem { hint: self.hint, ..resource.error(path, self.code, self.message) }
    }
}

impl<'r> Credentials<'r> {
    /// Those of a proxy in `namespace`: Istio gives a proxy the Secrets of its own namespace alone.
    pub fn new(resources: &'r [Resource], namespace: &'r str, folder: Option<&'r Path>) -> Self {
        Self { resources, namespace, folder, files: RefCell::default() }
    }

    /// The files that were asked for by their path: what a change of has to be noticed.
    pub fn into_files(self) -> BTreeSet<PathBuf> {
        self.files.into_inner()
    }

    /// The certificate and key of the credential `name`.
    ///
    /// # Errors
    /// There is none, or it can't be used.
    pub fn key_pair(&self, name: &str) -> Result<KeyPair, Trouble> {
        let name = self.plain(name)?;
        let Some(found) = self.find(name) else { return Err(self.missing(name)) };
        let place = found.place();
        let part = |name| place.part(name).map_err(|why| Trouble::broken(&place.called(), &why));
        for (certificate, key) in PAIRS {
            if let (Some(certificate), Some(key)) = (part(certificate)?, part(key)?) {
                let pair = KeyPair::read(&certificate, &key);
                return pair.map_err(|why| Trouble::broken(&place.called(), &why.to_string()));
            }
        }
        let why = format!("it needs `tls.crt` and `tls.key`, or `cert` and `key`; it has {}", place.names());
        Err(Trouble::broken(&place.called(), &why))
    }

    /// The authorities of the credential `name`: those of the Secret `name-cacert` if there is one, else its own.
    ///
    /// # Errors
    /// There are none, or they can't be used.
    pub fn authorities(&self, name: &str) -> Result<Authorities, Trouble> {
        let name = self.plain(name)?;
        let own = name.strip_suffix(CA_SUFFIX).unwrap_or(name);
        let found = self.find(&format!("{own}{CA_SUFFIX}")).or_else(|| self.find(own));
        let Some(found) = found else { return Err(self.missing(name)) };
        let place = found.place();
        let part = |name| place.part(name).map_err(|why| Trouble::broken(&place.called(), &why));
        for (authorities, revoked) in AUTHORITIES {
            if let Some(authorities) = part(authorities)? {
                let read = Authorities::read(&authorities, part(revoked)?.as_deref());
                return read.map_err(|why| Trouble::broken(&place.called(), &why.to_string()));
            }
        }
        let why = format!("it needs `ca.crt` or `cacert` to judge certificates; it has {}", place.names());
        Err(Trouble {
            hint: Some(format!("add it there, or as Secret `{own}{CA_SUFFIX}`")),
            ..Trouble::broken(&place.called(), &why)
        })
    }

    /// A certificate and its key from two files.
    ///
    /// # Errors
    /// They are not there, or can't be used.
    pub fn key_pair_in_files(&self, certificate: &str, key: &str) -> Result<KeyPair, Trouble> {
        let pair = KeyPair::read(&self.file(certificate)?, &self.file(key)?);
        pair.map_err(|why| Trouble::broken(&format!("`{certificate}` and `{key}`"), &why.to_string()))
    }

    /// Authorities and what they have revoked from files.
    ///
    /// # Errors
    /// They are not there, or can't be used.
    pub fn authorities_in_files(&self, path: &str, revoked: Option<&str>) -> Result<Authorities, Trouble> {
        let list = revoked.map(|path| self.file(path)).transpose()?;
        let read = Authorities::read(&self.file(path)?, list.as_deref());
        read.map_err(|why| Trouble::broken(&format!("`{path}`"), &why.to_string()))
    }

    /// What these authorities, in PEM, have revoked, from a file.
    ///
    /// # Errors
    /// It is not there, or can't be used.
    pub fn revoked_in_file(&self, authorities: &Inline, path: &str) -> Result<Option<Revoked>, Trouble> {
        let read = Authorities::read(authorities.text().as_bytes(), Some(&self.file(path)?));
        let read = read.map_err(|why| Trouble::broken(&format!("`{path}`"), &why.to_string()))?;
        Ok(read.revoked)
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        self.files.borrow_mut().insert(PathBuf::from(path));
        fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::absent(
                format!("there is no file `{path}`"),
                "a path that does not begin with `/` is one from the folder in which `outrigger` is called",
            ),
            _ => Trouble::broken(&format!("`{path}`"), &format!("it can't be read: {error}")),
        })
    }

    /// The name without what Istio allows in front of it.
    fn plain<'n>(&self, name: &'n str) -> Result<&'n str, Trouble> {
        let Some((scheme, rest)) = name.split_once("://") else { return Ok(name) };
        let refused = |what: String| Trouble { code: code::UNSUPPORTED, message: what, hint: None };
        if scheme != "kubernetes" {
            return Err(refused(format!("credentials by `{scheme}://` are not carried out")));
        }
        match rest.split_once('/') {
            None => Ok(rest),
            Some((namespace, name)) if namespace == self.namespace => Ok(name),
            Some((namespace, _)) => Err(refused(format!(
                "a proxy in namespace `{}` gets no Secret of namespace `{namespace}`",
                self.namespace
            ))),
        }
    }

    fn find(&self, name: &str) -> Option<Found<'r>> {
        let secret = self.secrets(name).find(|secret| secret.meta.namespace == self.namespace);
        if let Some(secret) = secret {
            return Some(Found::Secret(secret));
        }
        place::folder(self.folder?, name).map(Found::Folder)
    }

    fn secrets<'n>(&self, name: &'n str) -> impl Iterator<Item = &'r Resource> + use<'r, 'n> {
        let secrets = self.resources.iter().filter(|resource| resource.kind == Kind::Secret);
        secrets.filter(move |secret| secret.meta.name == name)
    }

    fn missing(&self, name: &str) -> Trouble {
        let message = format!("there is no Secret `{}/{name}`", self.namespace);
        let hint = match self.secrets(name).next() {
            Some(elsewhere) => format!(
                "there is one in namespace `{0}`, but a proxy gets those of its own alone: `--namespace {0}`",
                elsewhere.meta.namespace
            ),
            None => match self.folder {
                Some(folder) => {
                    format!("put it into a file, or into the folder `{}/{name}`", folder.display())
                }
                None => {
                    format!("put it into a file, or into `DIR/{name}/tls.crt` … with `--credentials DIR`")
                }
            },
        };
        Trouble::absent(message, hint)
    }
}

/// A place that was looked up.
enum Found<'p> {
    Secret(&'p Resource),
    Folder(PathBuf),
}

impl Found<'_> {
    fn place(&self) -> Place<'_> {
        match self {
            Self::Secret(secret) => Place::Secret(secret),
            Self::Folder(folder) => Place::Folder(folder),
        }
    }
}

#[cfg(test)]
mod tests;
