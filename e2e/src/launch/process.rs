//! Everything as processes of this machine: the services, and Envoy under `outrigger run`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Launcher, Running, outrigger, role_flags};
use crate::client::Client;
use crate::ports::free_port;
use crate::scenario::{Role, Scenario};
use crate::services::Processes;

/// A port on which nobody listens.
const UNUSED: u16 = 9;

/// How long a proxy may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// The services as processes.
pub struct Local {
    /// The services.
    pub services: Processes,
    folder: tempfile::TempDir,
    filters: &'static str,
    /// The proxies of scenarios, one a role: each scenario is a change of its files, so that Envoy compiles the filters
    /// once.
    proxies: Mutex<Vec<Proxy>>,
}

/// A proxy that is given one scenario after the other.
struct Proxy {
    role: Role,
    resources: tempfile::TempDir,
    running: Running,
    lines: mpsc::Receiver<String>,
}

impl Local {
    /// Starts the services.
    ///
    /// # Errors
    /// They do not start.
    pub fn start() -> Result<Self> {
        let services = Processes::start()?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("services.yaml"), services.service_entries())?;
        Ok(Self { services, folder, filters: "suite", proxies: Mutex::default() })
    }

    /// The same with five filters in a chain instead of the suite.
    #[must_use]
    pub fn with_separate_filters(self) -> Self {
        Self { filters: "separate", ..self }
    }

    /// The file with the ServiceEntries of the services.
    #[must_use]
    pub fn services_file(&self) -> PathBuf {
        self.folder.path().join("services.yaml")
    }

    /// The flags that name `files`, the services' and the proxy's role.
    #[must_use]
    pub fn flags(&self, files: &[PathBuf], role: Role) -> Vec<String> {
        let mut flags = Vec::new();
        for file in files.iter().chain([&self.services_file()]) {
            flags.extend(["-f".to_owned(), file.display().to_string()]);
        }
        // A sidecar whose application is not among the services has none that is asked for anything.
        let application = self.services.port("httpbin", "v1").unwrap_or(UNUSED);
        flags.extend(role_flags(role, application));
        flags
    }

    /// Starts a proxy with `files`.
    ///
    /// # Errors
    /// It does not come up.
    pub fn run(
        &self,
        files: &[PathBuf],
        role: Role,
        more: &[String],
    ) -> Result<(Running, mpsc::Receiver<String>)> {
        let (port, admin) = (free_port()?, free_port()?);
        let mut flags = self.flags(files, role);
        flags.extend([
            "--admin".to_owned(),
            format!("127.0.0.1:{admin}"),
            "--bind".to_owned(),
            "127.0.0.1".to_owned(),
        ]);
        let (served, other) = match role {
            Role::Gateway => ("80", None),
            Role::Outbound => ("15001", Some("15006")),
            Role::Inbound => ("15006", Some("15001")),
        };
        flags.extend(["--port".to_owned(), format!("{served}={port}")]);
        if let Some(other) = other {
            flags.extend(["--port".to_owned(), format!("{other}={}", free_port()?)]);
        }
        flags.extend(more.iter().cloned());
        let (gateway, lines) = Gateway::start(&outrigger()?, &flags)?;
        let running = Running {
            client: Client::new(format!("127.0.0.1:{port}")),
            admin: Client::new(format!("127.0.0.1:{admin}")),
            gateway: Some(gateway),
        };
        Ok((running, lines))
    }
}

impl Launcher for Local {
    fn name(&self) -> &'static str {
        "local processes"
    }

    fn launch(&self, scenario: &Scenario) -> Result<Running> {
        let mut proxies = self.proxies.lock().unwrap_or_else(PoisonError::into_inner);
        let files = scenario.resource_files()?;
        if let Some(proxy) = proxies.iter().find(|proxy| proxy.role == scenario.role) {
            while proxy.lines.try_recv().is_ok() {}
            fill(proxy.resources.path(), &files)?;
            wait_for_reload(&proxy.lines)?;
            return Ok(proxy.running.another());
        }
        let resources = tempfile::tempdir()?;
        fill(resources.path(), &files)?;
        let filters = ["--filters".to_owned(), self.filters.to_owned()];
        let (running, lines) = self.run(&[resources.path().to_owned()], scenario.role, &filters)?;
        let another = running.another();
        proxies.push(Proxy { role: scenario.role, resources, running, lines });
        Ok(another)
    }
}

/// Leaves copies of `files` in `folder`, and nothing else.
fn fill(folder: &Path, files: &[PathBuf]) -> Result<()> {
    for old in std::fs::read_dir(folder)? {
        std::fs::remove_file(old?.path())?;
    }
    for (number, file) in files.iter().enumerate() {
        let name = file.file_name().context("a file without a name")?.to_string_lossy();
        std::fs::copy(file, folder.join(format!("{number}-{name}")))?;
    }
    Ok(())
}

/// Returns when a change of the files is taken over.
fn wait_for_reload(lines: &mpsc::Receiver<String>) -> Result<()> {
    let mut said = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with("reloaded:") => return Ok(()),
            Ok(line) => said.push(line),
            Err(_) => bail!("the new files are not taken over. It said:\n{}", said.join("\n")),
        }
        if said.last().is_some_and(|line| line.starts_with("not reloaded")) {
            bail!("the new files are refused:\n{}", said.join("\n"));
        }
    }
}

/// `outrigger run`, stopped when dropped, as by Ctrl-C.
pub struct Gateway {
    child: Child,
}

impl Gateway {
    /// Starts `outrigger run` and returns once it has said `ready`, with what it and Envoy say from then on.
    ///
    /// # Errors
    /// It ends or stays silent instead; with what it said.
    pub fn start(program: &Path, flags: &[String]) -> Result<(Self, mpsc::Receiver<String>)> {
        let mut child = Command::new(program)
            .arg("run")
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        let stderr = child.stderr.take().context("no stderr")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let gateway = Self { child };
        let (sender, lines) = mpsc::channel();
        forward_lines(stderr, sender.clone());
        forward_lines(stdout, sender);
        let mut said = Vec::new();
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) if line.trim_start().starts_with("ready") => return Ok((gateway, lines)),
                Ok(line) => said.push(line),
                Err(_) => {
                    bail!("outrigger run {}\nis not ready. It said:\n{}", flags.join(" "), said.join("\n"))
                }
            }
        }
    }

    /// Ends the process by SIGKILL.
    pub(super) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        // A busy machine takes its time.
        for _ in 0..600 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends every line of `stream` on, from a thread of its own.
fn forward_lines(stream: impl std::io::Read + Send + 'static, sender: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if std::env::var_os("OUTRIGGER_E2E_VERBOSE").is_some() {
                eprintln!("outrigger: {line}");
            }
            // Nobody may be listening any more, but the pipe must not fill.
            let _ = sender.send(line);
        }
    });
}
