//! The services of `e2e/mesh` with the sidecars that `outrigger compose inject` puts beside them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::compose::{compose_command, root, succeed};
use super::outrigger;
use crate::client::Client;
use crate::tally::Seen;

/// How long the mesh may take until it is whole again: every sidecar starts an Envoy.
const PATIENCE: Duration = Duration::from_secs(90);

/// By this path the gateway asks A, and A asks B for `/`.
pub const THROUGH_A: &str = "/via/b.demo-b:9090";

/// The mesh in containers; it ends with this value.
pub struct Mesh {
    project: String,
    folder: tempfile::TempDir,
}

impl Mesh {
    /// Builds or finds the images, injects, and starts what came of it.
    ///
    /// # Errors
    /// What Docker or the command says.
    pub fn start() -> Result<Self> {
        let mut build = Command::new(root().join("images/build"));
        build.arg("mesh");
        succeed(build)?;
        let folder = tempfile::tempdir()?;
        // Where the services are is written beside the other resources.
        let resources = folder.path().join("istio");
        fs::create_dir(&resources)?;
        for file in ["gateway.yaml", "security.yaml"] {
            fs::copy(root().join("mesh/istio").join(file), resources.join(file))?;
        }
        let mut inject = Command::new(outrigger()?);
        inject.args(["compose", "inject", "-f"]).arg(root().join("mesh/compose.yaml"));
        inject.arg("--resources").arg(&resources).arg("-o").arg(folder.path().join("compose.yaml"));
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
                    bail!("the mesh is not whole: {seen:?}\n{}\n{}", self.compose(&["ps"])?, self.logs()?)
                }
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// What the gateway answers. Each request goes over a connection of its own.
    ///
    /// # Errors
    /// No answer.
    pub fn ask(&self, method: &str, path: &str) -> Result<Seen> {
        let address = self.compose(&["port", "gateway", "8080"])?;
        Client::new(address.trim()).request(method, "mesh.demo", path, &[])
    }

    /// A client without a certificate of a port of B's sidecar.
    ///
    /// # Errors
    /// What Docker says.
    pub fn stranger(&self) -> Result<Client> {
        let container = self.compose(&["ps", "-q", "b-sidecar"])?;
        let mut inspect = Command::new("docker");
        inspect.args(["inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"]);
        inspect.arg(container.trim());
        let addresses = succeed(inspect)?;
        let address = addresses.split_whitespace().next().context("b-sidecar has no address")?;
        Ok(Client::new(format!("{address}:9090")))
    }

    /// What all containers have written.
    ///
    /// # Errors
    /// What Docker says.
    pub fn logs(&self) -> Result<String> {
        self.compose(&["logs", "--no-color"])
    }

    /// Runs one `docker compose` command of the project and returns what it prints.
    ///
    /// # Errors
    /// What Docker says.
    pub fn compose(&self, arguments: &[&str]) -> Result<String> {
        let mut command = compose_command()?;
        command.arg("-p").arg(&self.project).arg("-f").arg(self.folder.path().join("compose.yaml")).args(arguments);
        // Empty: Docker chooses.
        command.env("OUTRIGGER_MESH_PORT", "");
        succeed(command).context("the mesh")
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        if let Err(error) = self.compose(&["down", "-t", "1", "-v", "--remove-orphans"]) {
            eprintln!("the containers of {} were not removed: {error}", self.project);
        }
    }
}
