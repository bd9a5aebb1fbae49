//! Two ways to put the proxy and the services up; the tests are the same for both.

mod compose;
mod mesh;
mod process;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

pub use compose::{Compose, docker_answers};
pub use mesh::{Mesh, MeshContainers, MeshProcesses, THROUGH_A};
pub use process::{Gateway, Local};

use crate::client::Client;
use crate::scenario::{Exchange, Scenario};
use crate::tally::Seen;

/// A running proxy with its scenario's resources.
pub struct Running {
    /// Client of the listener that the scenario talks to.
    pub client: Client,
    /// Client of Envoy's admin interface.
    pub admin: Client,
    /// Ends the proxy when it is dropped.
    gateway: Option<Gateway>,
}

impl Running {
    /// The same proxy, which ends with the other value.
    fn another(&self) -> Self {
        Self { client: self.client.clone(), admin: self.admin.clone(), gateway: None }
    }

    /// Kills `outrigger run` so that it can do nothing about it.
    ///
    /// # Errors
    /// It is not this value that it ends with.
    pub fn kill(&mut self) -> Result<()> {
        self.gateway.take().context("the proxy ends with another value")?.kill()
    }

    /// Sends `exchange` as often as it asks.
    ///
    /// # Errors
    /// A request that got no HTTP answer.
    pub fn send_all(&self, exchange: &Exchange) -> Result<Vec<Seen>> {
        self.client.send_all(exchange)
    }
}

/// Puts up a scenario.
pub trait Launcher {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// Starts the proxy with the scenario's resources and returns once it serves.
    ///
    /// # Errors
    /// It does not come up.
    fn launch(&self, scenario: &Scenario) -> Result<Running>;
}

/// The `outrigger` command under test.
///
/// # Errors
/// `OUTRIGGER_BIN` does not name it.
pub fn outrigger() -> Result<PathBuf> {
    let path = std::env::var_os("OUTRIGGER_BIN").context("OUTRIGGER_BIN is not set: run through ./makew")?;
    Ok(path.into())
}

/// The flags that put a proxy at `role`, the same for `run`, `render`, `analyze` and `explain`. The application beside it
/// listens on `application`.
pub(crate) fn role_flags(role: crate::scenario::Role, application: u16) -> Vec<String> {
    use crate::scenario::Role;
    let application = application.to_string();
    let flags: &[&str] = match role {
        Role::Gateway => &["--role", "gateway"],
        Role::Outbound | Role::Inbound => &[
            "--role",
            "sidecar",
            "--label",
            "app=httpbin",
            "--label",
            "version=v1",
            "--app-port",
            &application,
        ],
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}
