//! A running Envoy.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::cpu::Meter;
use super::machine::pinned;
use crate::client::Client;
use crate::ports::free_port;

/// How long it may take until it serves: V8 compiles each module first, about a second a megabyte.
const PATIENCE: Duration = Duration::from_secs(120);

/// An Envoy process with one worker; it ends with this value.
#[derive(Debug)]
pub(crate) struct Envoy {
    child: Child,
    /// Its administration interface.
    pub(crate) admin: Client,
    /// Its CPU time.
    pub(super) meter: Meter,
    log: PathBuf,
}

impl Envoy {
    /// Starts it with `bootstrap`, to which the administration interface is added, and returns once it serves.
    pub(crate) fn start(name: &str, bootstrap: &Value, folder: &Path, core: Option<usize>) -> Result<Self> {
        let [admin] = free_ports()?;
        let mut bootstrap = bootstrap.clone();
        bootstrap["admin"] = json!({"address": address(admin)});
        std::fs::create_dir_all(folder)?;
        let (config, log) = (folder.join("envoy.json"), folder.join("envoy.log"));
        std::fs::write(&config, serde_json::to_vec_pretty(&bootstrap)?)?;
        let child = pinned(&binary(), core)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--config-path"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("can't start {}", binary()))?;
        let meter = Meter::new(child.id())?;
        let mut envoy = Self { child, admin: Client::new(format!("127.0.0.1:{admin}")), meter, log };
        envoy.wait().with_context(|| {
            format!("the {name} Envoy does not serve; its log ends with:\n{}", end(&envoy.log))
        })?;
        Ok(envoy)
    }

    /// The functions that host and VMs call of one another while `act` happens, in order.
    pub(super) fn crossings(&self, act: impl FnOnce() -> Result<()>) -> Result<Vec<String>> {
        let told = |level| self.admin.request("POST", "admin", &format!("/logging?wasm={level}"), &[]);
        let before = std::fs::read(&self.log)?.len();
        told("trace")?;
        act()?;
        // The last callback comes after the answer.
        std::thread::sleep(Duration::from_millis(50));
        told("warning")?;
        let log = std::fs::read(&self.log)?;
        let log = String::from_utf8_lossy(log.get(before..).unwrap_or_default()).into_owned();
        Ok(log.lines().filter_map(crossing).map(str::to_owned).collect())
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            match self.admin.request("GET", "admin", "/ready", &[]) {
                Ok(answer) if answer.status == Some(200) => return Ok(()),
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        bail!("it is not ready after {} s", PATIENCE.as_secs())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Envoy to start.
fn binary() -> String {
    std::env::var("ENVOY_BIN").unwrap_or_else(|_| "envoy".to_owned())
}

/// Its version.
pub(crate) fn version() -> Option<String> {
    let output = Command::new(binary()).arg("--version").output().ok()?;
    released(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned)
}

/// The number in `envoy  version: COMMIT/NUMBER/STATE/BUILD/TLS`.
fn released(said: &str) -> Option<&str> {
    said.split_once("version:")?.1.split('/').nth(1)
}

/// Ports of the loopback interface that nobody listens on just now.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let ports: Vec<u16> = (0..N).map(|_| free_port()).collect::<Result<_>>()?;
    ports.try_into().ok().context("as many ports as asked for")
}

/// A listener that answers each request which `filter` lets through with 200. `name` is its statistics'.
pub(crate) fn answering(port: u16, name: &str, filter: &Value) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [
            filter,
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            },
        ],
        "route_config": {"virtual_hosts": [{
            "name": "any",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
        }]},
    });
    json!({
        "address": address(port),
        "filter_chains": [{
            "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
        }],
    })
}

/// `envoy.config.core.v3.Address` on the loopback interface.
pub(crate) fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

/// The function in `… [vm->host] env.NAME(…)` or `… [host->vm] NAME(…)`.
fn crossing(line: &str) -> Option<&str> {
    let call = ["[vm->host] ", "[host->vm] "].iter().find_map(|mark| line.split_once(mark))?.1;
    call.split_once('(').map(|(name, _)| name)
}

fn end(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(15)).fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_release() {
        assert_eq!(
            released("\n/usr/bin/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n"),
            Some("1.40.0")
        );
        assert_eq!(released("nothing"), None);
    }

    #[test]
    fn ports_differ() {
        let mut ports = free_ports::<20>().unwrap().to_vec();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
    }
}
