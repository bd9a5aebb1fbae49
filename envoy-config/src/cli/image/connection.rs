//! How to come to a registry.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::Exit;
use crate::image::reference::Host;
use crate::image::registry::{Login, Options, Registry};

/// A registry and who asks.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// Authorities to trust besides those of the system (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "plain_http")]
    ca_file: Option<PathBuf>,

    /// Go without TLS, also to a registry that is not on this machine
    #[arg(long)]
    plain_http: bool,

    /// Who asks [default: as `docker login` has kept it in DOCKER_CONFIG or ~/.docker]
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
}

impl Connection {
    /// Connects.
    pub(super) fn to(&self, host: &Host) -> Result<Registry, Failure> {
        let login = self.login()?;
        let options = Options { ca_file: self.ca_file.clone(), plain_http: self.plain_http, login };
        Registry::connect(host, &options).map_err(|error| Failure(Exit::Environment, error.to_string()))
    }

    fn login(&self) -> Result<Option<Login>, Failure> {
        let Some(username) = self.username.clone() else { return Ok(None) };
        let mut password = String::new();
        let read = std::io::stdin().read_to_string(&mut password);
        read.map_err(|error| Failure(Exit::Usage, format!("can't read the password: {error}")))?;
        // As `docker login` does: `echo` puts a line's end behind it.
        let password = password.trim_end_matches(['\n', '\r']).to_owned();
        if password.is_empty() {
            return Err(Failure(
                Exit::Usage,
                "there is no password on standard input\nhint: `echo \"$PASSWORD\" | outrigger image …`"
                    .to_owned(),
            ));
        }
        Ok(Some(Login::Basic { username, password }))
    }
}
