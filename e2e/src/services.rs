//! The services behind the proxy: started as processes here, or standing in `compose.yaml`, and described to the proxy by
//! ServiceEntries either way.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// One service of the demo and the scenarios.
struct Service {
    name: &'static str,
    kind: &'static str,
    port: u16,
    versions: &'static [&'static str],
}

const SERVICES: [Service; 3] = [
    Service { name: "httpbin", kind: "httpbin", port: 8000, versions: &["v1"] },
    Service { name: "reviews", kind: "reviews", port: 9080, versions: &["v1", "v2"] },
    Service { name: "myapp", kind: "reviews", port: 8080, versions: &["v1", "v2"] },
];

/// Where one version of a service answers.
struct Endpoint {
    service: usize,
    version: &'static str,
    address: String,
    port: u16,
}

/// Running service processes; they end with this value.
pub struct Processes {
    children: Vec<Child>,
    endpoints: Vec<Endpoint>,
}

impl Processes {
    /// Starts every service on a free port of the loopback interface.
    ///
    /// # Errors
    /// The services' program is missing or does not start.
    pub fn start() -> Result<Self> {
        let program = program()?;
        let mut processes = Self { children: Vec::new(), endpoints: Vec::new() };
        for (index, service) in SERVICES.iter().enumerate() {
            for version in service.versions {
                let mut child = Command::new(&program)
                    .args([service.kind, "--bind", "127.0.0.1", "--port", "0"])
                    .args(["--name", service.name, "--version", version])
                    .stdout(Stdio::piped())
                    .spawn()
                    .with_context(|| format!("can't start {}", program.display()))?;
                let mut line = String::new();
                BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut line)?;
                processes.children.push(child);
                let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
                let port =
                    port.with_context(|| format!("{} did not say its port: `{line}`", service.name))?;
                let address = "127.0.0.1".to_owned();
                processes.endpoints.push(Endpoint { service: index, version, address, port });
            }
        }
        Ok(processes)
    }

    /// The ServiceEntries that lead to the processes.
    #[must_use]
    pub fn service_entries(&self) -> String {
        service_entries(&self.endpoints, "STATIC")
    }

    /// The port of one version of a service.
    #[must_use]
    pub fn port(&self, name: &str, version: &str) -> Option<u16> {
        let found = self.endpoints.iter().find(|endpoint| {
            SERVICES.get(endpoint.service).is_some_and(|service| service.name == name)
                && endpoint.version == version
        });
        found.map(|endpoint| endpoint.port)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One more service process; it ends with this value.
pub struct Single {
    child: Child,
    /// Where it listens on the loopback interface.
    pub port: u16,
}

impl Single {
    /// Starts a service that asks others by the proxy at `http_proxy`.
    ///
    /// # Errors
    /// The services' program is missing or does not start.
    pub fn start(kind: &str, name: &str, http_proxy: &str) -> Result<Self> {
        let program = program()?;
        let mut child = Command::new(&program)
            .args([kind, "--bind", "127.0.0.1", "--port", "0", "--name", name])
            .env("http_proxy", http_proxy)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut single = Self { child, port: 0 };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        single.port = port.with_context(|| format!("{name} did not say its port: `{line}`"))?;
        Ok(single)
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ServiceEntries that lead to the containers of `compose.yaml`.
#[must_use]
pub fn compose_service_entries() -> String {
    let mut endpoints = Vec::new();
    for (index, service) in SERVICES.iter().enumerate() {
        for version in service.versions {
            let address = match service.versions.len() {
                1 => service.name.to_owned(),
                _ => format!("{}-{version}", service.name),
            };
            endpoints.push(Endpoint { service: index, version, address, port: service.port });
        }
    }
    service_entries(&endpoints, "DNS")
}

/// Outside of the mesh, where nobody is told who sends a request: Envoy's own filters, which ours are compared with, would not
/// tell it either.
fn service_entries(endpoints: &[Endpoint], resolution: &str) -> String {
    let mut yaml = String::new();
    for (index, service) in SERVICES.iter().enumerate() {
        yaml += &format!(
            "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
spec:
  hosts:
  - {name}.default.svc.cluster.local
  location: MESH_EXTERNAL
  resolution: {resolution}
  ports:
  - number: {port}
    name: http
    protocol: HTTP
  endpoints:
",
            name = service.name,
            port = service.port
        );
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.service == index) {
            yaml += &format!(
                "  - address: {}\n    ports:\n      http: {}\n    labels:\n      app: {}\n      version: {}\n",
                endpoint.address, endpoint.port, service.name, endpoint.version
            );
        }
    }
    yaml
}

fn program() -> Result<PathBuf> {
    match std::env::var_os("OUTRIGGER_DEMO_SERVICES") {
        Some(path) => Ok(path.into()),
        None => bail!("OUTRIGGER_DEMO_SERVICES does not name the demo services: run through ./makew"),
    }
}
