//! In containers.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::super::compose::{compose_command, root, succeed};
use super::super::outrigger;
use super::{HOST, Mesh, THROUGH_A, resources};
use crate::client::Client;
use crate::tally::Seen;

/// How long the mesh may take until it is whole again: every sidecar starts an Envoy.
const PATIENCE: Duration = Duration::from_secs(90);

/// The mesh in containers.
pub struct MeshContainers {
    project: String,
    folder: tempfile::TempDir,
}

impl MeshContainers {
    /// Builds or finds the images, injects, starts what came of it, and waits until it is whole.
    ///
    /// # Errors
    /// What Docker or the command says.
    pub fn start() -> Result<Self> {
        let mut build = Command::new(root().join("images/build"));
        build.arg("mesh");
        succeed(build)?;
        let folder = tempfile::tempdir()?;
        let mut inject = Command::new(outrigger()?);
        inject.args(["compose", "inject", "-f"]).arg(root().join("mesh/compose.yaml"));
        inject.arg("--resources").arg(resources(folder.path())?);
        inject.arg("-o").arg(folder.path().join("compose.yaml"));
        succeed(inject)?;
        let mesh = Self { project: format!("outrigger-mesh-{}", std::process::id()), folder };
        mesh.compose(&["up", "-d"])?;
        mesh.wait_until_whole()?;
        Ok(mesh)
    }

    /// Waits until a request gets from the gateway by way of A to B.
    ///
    /// # Errors
    /// It does not in time; with what the containers have written.
    pub fn wait_until_whole(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.ask("GET", &format!("{THROUGH_A}/status/200"));
            match seen {
                Ok(seen) if seen.status == Some(200) => return Ok(()),
                seen if Instant::now() > end => {
                    let (ps, logs) = (self.compose(&["ps"])?, self.compose(&["logs", "--no-color"])?);
                    bail!("the mesh is not whole: {seen:?}\n{ps}\n{logs}")
                }
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// Runs one `docker compose` command of the project and returns what it prints.
    ///
    /// # Errors
    /// What Docker says.
    pub fn compose(&self, arguments: &[&str]) -> Result<String> {
        let mut command = compose_command()?;
        command.arg("-p").arg(&self.project).arg("-f").arg(self.folder.path().join("compose.yaml"));
        command.args(arguments);
        // Empty: Docker chooses.
        command.env("OUTRIGGER_MESH_PORT", "");
        succeed(command).context("the mesh")
    }
}

impl Mesh for MeshContainers {
    fn ask(&self, method: &str, path: &str) -> Result<Seen> {
        // A restart may bring another port.
        let address = self.compose(&["port", "gateway", "8080"])?;
        Client::new(address.trim()).request(method, HOST, path, &[])
    }

    fn stranger(&self) -> Result<Client> {
        let container = self.compose(&["ps", "-q", "b-sidecar"])?;
        let mut inspect = Command::new("docker");
        inspect.args(["inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"]);
        inspect.arg(container.trim());
        let addresses = succeed(inspect)?;
        let address = addresses.split_whitespace().next().context("b-sidecar has no address")?;
        Ok(Client::new(format!("{address}:9090")))
    }
}

impl Drop for MeshContainers {
    fn drop(&mut self) {
        if let Err(error) = self.compose(&["down", "-t", "1", "-v", "--remove-orphans"]) {
            eprintln!("the containers of {} were not removed: {error}", self.project);
        }
    }
}
