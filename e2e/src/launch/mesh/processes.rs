//! As processes of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::compose::succeed;
use super::super::{Gateway, outrigger};
use super::{HOST, Mesh, resources};
use crate::client::Client;
use crate::ports::free_port;
use crate::prometheus::Target;
use crate::services::Single;
use crate::tally::Seen;

/// The mesh as processes.
pub struct MeshProcesses {
    gateway: Client,
    b: Client,
    targets: Vec<Target>,
    _proxies: [Gateway; 3],
    _services: [Single; 2],
    _folder: tempfile::TempDir,
}

/// A service with its sidecar.
struct Place {
    name: &'static str,
    namespace: &'static str,
    /// Under which others know it.
    port: u16,
    inbound: u16,
    outbound: u16,
}

impl Place {
    fn new(name: &'static str, namespace: &'static str, port: u16) -> Result<Self> {
        Ok(Self { name, namespace, port, inbound: free_port()?, outbound: free_port()? })
    }

    /// What others know of it, and its own sidecar: which application it is for.
    fn service_entry(&self, application: &Single) -> String {
        let Self { name, namespace, port, inbound, .. } = self;
        let application = application.port;
        format!(
            "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{name}.{namespace}.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {port}, name: http, protocol: HTTP, targetPort: {application}}}]
  workloadSelector: {{labels: {{app: {name}}}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  address: 127.0.0.1
  ports: {{http: {inbound}}}
  labels: {{app: {name}, security.istio.io/tlsMode: istio}}
  serviceAccount: {name}
"
        )
    }

    fn service(&self) -> Result<Single> {
        Single::start("httpbin", self.name, &format!("http://127.0.0.1:{}", self.outbound))
    }

    fn sidecar(&self, home: &mut Home, service: &Single) -> Result<Gateway> {
        let app = format!("app={}", self.name);
        let (inbound, outbound) = (format!("15006={}", self.inbound), format!("15001={}", self.outbound));
        let port = service.port.to_string();
        home.run(
            (self.namespace, self.name),
            &[
                "--role",
                "sidecar",
                "--workload",
                self.name,
                "--label",
                &app,
                "--app-port",
                &port,
                "--port",
                &inbound,
                "--port",
                &outbound,
            ],
        )
    }
}

/// Where the authority and the resources are.
struct Home {
    outrigger: PathBuf,
    ca: PathBuf,
    certs: PathBuf,
    resources: PathBuf,
    /// The proxies that it has started.
    targets: Vec<Target>,
}

impl Home {
    fn new(folder: &Path) -> Result<Self> {
        let outrigger = outrigger()?;
        let ca = folder.join("ca");
        let mut init = Command::new(&outrigger);
        init.args(["certs", "init", "--dir"]).arg(&ca);
        succeed(init)?;
        Ok(Self {
            outrigger,
            ca,
            certs: folder.join("certs"),
            resources: resources(folder)?,
            targets: Vec::new(),
        })
    }

    /// A proxy with a certificate of its own.
    fn run(&mut self, (namespace, account): (&str, &str), flags: &[&str]) -> Result<Gateway> {
        let certs = self.certs.join(account);
        let mut issue = Command::new(&self.outrigger);
        issue.args([
            "certs",
            "issue",
            "--id",
            &format!("spiffe://cluster.local/ns/{namespace}/sa/{account}"),
        ]);
        issue.arg("--dir").arg(&self.ca).arg("-o").arg(&certs);
        succeed(issue)?;
        let admin = format!("127.0.0.1:{}", free_port()?);
        let (resources, certs) = (self.resources.display().to_string(), certs.display().to_string());
        let own = ["-f", &resources, "--certs", &certs, "--admin", &admin, "--bind", "127.0.0.1"];
        let whose = ["--namespace", namespace, "--service-account", account];
        let flags = own.iter().chain(&whose).chain(flags).map(|flag| (*flag).to_owned());
        let started = Gateway::start(&self.outrigger, &flags.collect::<Vec<_>>())?.0;
        self.targets.push(Target { instance: account.to_owned(), admin });
        Ok(started)
    }
}

impl MeshProcesses {
    /// Makes the certificates, starts services and proxies, and waits until they serve.
    ///
    /// # Errors
    /// They do not start.
    pub fn start() -> Result<Self> {
        Self::start_with("", &[])
    }

    /// The same with more resources for all proxies, and more flags for the gateway.
    ///
    /// # Errors
    /// They do not start.
    pub fn start_with(more: &str, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut home = Home::new(folder.path())?;
        if !more.is_empty() {
            fs::write(home.resources.join("more.yaml"), more)?;
        }
        let (a, b) = (Place::new("a", "demo-app", 8080)?, Place::new("b", "demo-b", 9090)?);
        let services = [a.service()?, b.service()?];
        let [of_a, of_b] = &services;
        let entries = a.service_entry(of_a) + &b.service_entry(of_b);
        fs::write(home.resources.join("services.yaml"), entries)?;
        let open = free_port()?;
        let port = format!("80={open}");
        let proxies = [
            b.sidecar(&mut home, of_b)?,
            a.sidecar(&mut home, of_a)?,
            home.run(("istio-system", "gateway"), &[&["--port", &port], flags].concat())?,
        ];
        Ok(Self {
            gateway: Client::new(format!("127.0.0.1:{open}")),
            b: Client::new(format!("127.0.0.1:{}", b.inbound)),
            targets: home.targets,
            _proxies: proxies,
            _services: services,
            _folder: folder,
        })
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &Client {
        &self.gateway
    }

    /// Where the metrics of each proxy are.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

impl Mesh for MeshProcesses {
    fn ask(&self, method: &str, path: &str) -> Result<Seen> {
        self.gateway.request(method, HOST, path, &[])
    }

    fn stranger(&self) -> Result<Client> {
        Ok(self.b.clone())
    }
}
