//! Logins as `docker login` keeps them.

use std::env;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

use crate::image::reference::Host;

/// By what somebody is known to a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for others.
    Identity(String),
}

impl std::fmt::Debug for Login {
    /// Without what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Basic { username, .. } => write!(f, "Basic({username})"),
            Self::Identity(_) => f.write_str("Identity"),
        }
    }
}

impl Login {
    /// The one that Docker's configuration has for a registry: the file `config.json` in the folder `DOCKER_CONFIG`,
    /// else in `~/.docker`, with the helpers that it names. `None`: it has none, or there is no such file.
    ///
    /// # Errors
    /// The file can't be read, or a helper fails.
    pub fn kept(registry: &Host) -> Result<Option<Self>, CredentialsError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
        folder.map_or(Ok(None), |folder| Self::read(&folder.join("config.json"), registry))
    }

    fn read(path: &Path, registry: &Host) -> Result<Option<Self>, CredentialsError> {
        let failed =
            |why: String| CredentialsError { path: path.to_owned(), registry: registry.to_string(), why };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        // By this key Docker keeps the login of its own registry.
        let key = if registry.is_docker_hub() { "https://index.docker.io/v1/" } else { registry.as_str() };
        match get_credential_from_reader(BufReader::new(file), key) {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Self::Basic { username, password }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Self::Identity(token))),
            Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
            // This is how a helper says that it has none (docker-credential-helpers, `credentials/error.go`).
            Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                if [&stdout, &stderr].iter().any(|said| said.contains("credentials not found")) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(error.to_string().trim().to_owned())),
        }
    }
}

/// The logins that are kept can't be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't look up the login for `{registry}` in `{}`: {why}\nhint: `docker login {registry}` writes it anew; \
     `--username` with `--password-stdin` goes without it",
    path.display()
)]
pub struct CredentialsError {
    path: PathBuf,
    registry: String,
    why: String,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::reference::Reference;

    fn kept(config: &str, registry: &str) -> Result<Option<Login>, CredentialsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, config).unwrap();
        let reference: Reference = format!("{registry}/a").parse().unwrap();
        Login::read(&path, &reference.registry)
    }

    fn ann() -> Login {
        Login::Basic { username: "ann".to_owned(), password: "p:w".to_owned() }
    }

    #[test]
    fn logins_are_found_by_the_registry() {
        // ann:p:w
        let config =
            r#"{"auths": {"localhost:5000": {"auth": "YW5uOnA6dw=="}, "quay.io": {"identitytoken": "t"}}}"#;
        assert_eq!(kept(config, "localhost:5000").unwrap(), Some(ann()));
        assert_eq!(kept(config, "quay.io").unwrap(), Some(Login::Identity("t".to_owned())));
        assert_eq!(kept(config, "localhost:5001").unwrap(), None);
        let hub = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YW5uOnA6dw=="}}}"#;
        assert_eq!(kept(hub, "docker.io").unwrap(), Some(ann()));
    }

    #[test]
    fn what_is_broken_is_no_anonymous_request() {
        for config in ["{", r#"{"auths": {"localhost:5000": {"auth": "???"}}}"#] {
            let error = kept(config, "localhost:5000").unwrap_err().to_string();
            assert!(
                error.contains("config.json") && error.contains("docker login localhost:5000"),
                "{error}"
            );
        }
        let helper = r#"{"credsStore": "outrigger-has-no-such-helper"}"#;
        assert!(kept(helper, "localhost:5000").unwrap_err().to_string().contains("helper"));
    }

    #[test]
    fn no_file_is_no_login() {
        let folder = tempfile::tempdir().unwrap();
        let reference: Reference = "localhost:5000/a".parse().unwrap();
        assert_eq!(Login::read(&folder.path().join("config.json"), &reference.registry).unwrap(), None);
    }

    #[test]
    fn a_password_is_not_printed() {
        assert!(!format!("{:?}", ann()).contains("p:w"));
    }
}
