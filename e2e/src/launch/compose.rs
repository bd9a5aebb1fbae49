//! Everything in containers: the official images by name, `docker compose` or `docker-compose`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Launcher, Running, outrigger, role_flags};
use crate::client::Client;
use crate::scenario::{Role, Scenario};
use crate::services;

/// Where httpbin listens in its container.
const HTTPBIN: u16 = 8000;

/// Whether a Docker engine answers here.
#[must_use]
pub fn docker_answers() -> bool {
    let version = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .stderr(Stdio::null())
        .output();
    version.is_ok_and(|output| output.status.success())
}

/// The services and a proxy of each kind in containers; they end with this value.
pub struct Compose {
    project: String,
    folder: tempfile::TempDir,
}

impl Compose {
    /// Builds or finds the images and starts the services.
    ///
    /// # Errors
    /// What Docker says.
    pub fn start() -> Result<Self> {
        succeed(Command::new(root().join("images/build")))?;
        let folder = tempfile::tempdir()?;
        for rendered in ["gateway", "sidecar"] {
            std::fs::create_dir(folder.path().join(rendered))?;
        }
        std::fs::write(folder.path().join("services.yaml"), services::compose_service_entries())?;
        let compose = Self { project: format!("outrigger-e2e-{}", std::process::id()), folder };
        compose.compose(&["up", "-d", "httpbin", "reviews-v1", "reviews-v2", "myapp-v1", "myapp-v2"])?;
        Ok(compose)
    }

    /// Renders `files` for `role` and (re)starts that container with them.
    ///
    /// # Errors
    /// It does not render or does not come up.
    pub fn run(&self, files: &[PathBuf], role: Role, more: &[&str]) -> Result<Running> {
        let container = if role == Role::Gateway { "gateway" } else { "sidecar" };
        let rendered = self.folder.path().join(container);
        let mut render = Command::new(outrigger()?);
        render.args(["render", "--to", "envoy", "--at", "/etc/envoy", "--admin", "0.0.0.0:15000"]);
        render.args(["--bind", "0.0.0.0", "-o"]).arg(&rendered);
        for file in files {
            render.arg("-f").arg(file);
        }
        render.arg("-f").arg(self.folder.path().join("services.yaml"));
        render.args(role_flags(role, HTTPBIN)).args(more);
        succeed(render)?;
        self.compose(&["rm", "-s", "-f", container])?;
        self.compose(&["up", "-d", "--no-deps", container])?;
        let port = match role {
            Role::Gateway => "80",
            Role::Outbound => "15001",
            Role::Inbound => "15006",
        };
        let running = Running {
            client: Client::new(self.address(container, port)?),
            admin: Client::new(self.address(container, "15000")?),
            gateway: None,
        };
        self.wait_until_ready(container, &running)?;
        Ok(running)
    }

    fn wait_until_ready(&self, container: &str, running: &Running) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(30) {
            let answer = running.admin.request("GET", "admin", "/ready", &[]);
            if answer.is_ok_and(|seen| seen.status == Some(200)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("{container} is not ready. Its log:\n{}", self.logs(container)?)
    }

    /// What a container has written.
    ///
    /// # Errors
    /// What Docker says.
    pub fn logs(&self, container: &str) -> Result<String> {
        self.compose(&["logs", "--no-color", container])
    }

    /// Where a port of a container is reached from this machine.
    ///
    /// # Errors
    /// What Docker says.
    pub fn address(&self, container: &str, port: &str) -> Result<String> {
        let address = self.compose(&["port", container, port])?;
        Ok(address.trim().to_owned())
    }

    /// Runs one `docker compose` command of the project and returns what it prints.
    ///
    /// # Errors
    /// What Docker says.
    pub fn compose(&self, arguments: &[&str]) -> Result<String> {
        let mut command = compose_command()?;
        command.arg("-p").arg(&self.project).arg("-f").arg(root().join("compose.yaml"));
        command.args(arguments);
        command.env("OUTRIGGER_RENDERED", self.folder.path().join("gateway"));
        command.env("OUTRIGGER_RENDERED_SIDECAR", self.folder.path().join("sidecar"));
        for port in ["HTTP", "ADMIN", "OUTBOUND", "INBOUND", "SIDECAR_ADMIN", "PROMETHEUS"] {
            // Empty: Docker chooses.
            command.env(format!("OUTRIGGER_{port}_PORT"), "");
        }
        succeed(command)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if let Err(error) = self.compose(&["down", "-t", "1", "--remove-orphans"]) {
            eprintln!("the containers of {} were not removed: {error}", self.project);
        }
    }
}

impl Launcher for Compose {
    fn name(&self) -> &'static str {
        "containers"
    }

    fn launch(&self, scenario: &Scenario) -> Result<Running> {
        self.run(&scenario.resource_files()?, scenario.role, &[])
    }
}

/// `docker compose` where Docker has that plugin, else `docker-compose`.
pub(super) fn compose_command() -> Result<Command> {
    let answers = |program: &str, arguments: &[&str]| {
        let version =
            Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    if answers("docker", &["compose", "version"]) {
        let mut command = Command::new("docker");
        command.arg("compose");
        return Ok(command);
    }
    ensure!(
        answers("docker-compose", &["version"]),
        "a Docker engine answers, but there is neither `docker compose` nor `docker-compose`"
    );
    Ok(Command::new("docker-compose"))
}

/// The folder of this crate.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn succeed(mut command: Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("can't run {command:?}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(stdout)
}
