//! Prometheus as a process with a folder of its own.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::ports::free_port;

/// A process, its address and its data.
pub(super) struct Process {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Process {
    /// Starts it with a configuration and the files it names.
    pub(super) fn start(config: &str, files: &[(&str, &str)]) -> Result<Self> {
        let program = program("PROMETHEUS", "prometheus")?;
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("prometheus.yml"), config)?;
        for (name, text) in files {
            std::fs::write(at(name), text)?;
        }
        let address = format!("127.0.0.1:{}", free_port()?);
        let log = File::create(at("log"))?;
        let child = Command::new(&program)
            .arg(format!("--config.file={}", at("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", at("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=info")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        Ok(Self { child, address, folder })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What it has said, if it has ended.
    pub(super) fn has_ended(&mut self) -> Result<Option<String>> {
        let ended = self.child.try_wait()?.is_some();
        ended.then(|| self.said()).transpose()
    }

    /// What it has said.
    pub(super) fn said(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }
}

impl Drop for Process {
    /// By its id, and with patience: it writes its data to the folder that goes after it.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `promtool` with a file as its last argument and returns what it says.
///
/// # Errors
/// It does not approve; with what it says.
pub fn promtool(arguments: &[&str], file: &Path) -> Result<String> {
    let program = program("PROMTOOL", "promtool")?;
    let output = Command::new(program).args(arguments).arg(file).stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    ensure!(output.status.success(), "promtool {arguments:?} {}: {}\n{said}", file.display(), output.status);
    Ok(said)
}

/// Has Prometheus' own parser read `text`, the page that a scrape gets. What it only advises about names is not looked
/// at: they are Istio's and Envoy's.
///
/// # Errors
/// The page is malformed.
pub fn promtool_reads(text: &str) -> Result<()> {
    let program = program("PROMTOOL", "promtool")?;
    let mut child = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    // It reads everything before it says anything.
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    /// The exit code for advice, after the whole was read.
    const ADVICE: i32 = 3;
    let read = output.status.success() || output.status.code() == Some(ADVICE);
    ensure!(read, "promtool: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A program by its variable, else as `./makew` leaves it in the cache.
fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let missing = || format!("neither {variable} nor OUTRIGGER_CACHE is set: run through ./makew");
    let cached =
        Path::new(&std::env::var_os("OUTRIGGER_CACHE").with_context(missing)?).join("prometheus").join(name);
    ensure!(cached.exists(), "{} is missing: run through ./makew, or set {variable}", cached.display());
    Ok(cached)
}
