//! What the generic routes and clusters carry out once the filter has chosen, against real Envoy: retries, copies,
//! consistent hashes, WebSocket and gRPC.

mod capture;
mod grpc;
pub(crate) mod grpc_service;
mod hashes;
mod mirrors;
mod removed;
mod retries;
mod websocket;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;

use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::scenario::Role;

const GATEWAY: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gateway
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ['*']
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: versions
spec:
  host: myapp
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
";

/// A VirtualService on the gateway whose `http` is this.
fn virtual_service(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: routes
spec:
  hosts: ['*']
  gateways: [gateway]
  http:{http}"
    )
}

/// A service `name` at this port of the loopback interface.
fn service_entry(name: &str, port: u16, protocol: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
spec:
  hosts: [{name}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: port, protocol: {protocol}}}]
  endpoints: [{{address: 127.0.0.1, ports: {{port: {port}}}}}]
"
    )
}

/// A gateway with resources of its own; it ends with this value.
struct Proxy {
    running: Running,
    _lines: Mutex<Receiver<String>>,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// Starts a gateway before `services`.
    fn start(services: &Local, resources: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("resources.yaml");
        let all = std::iter::once(GATEWAY).chain(resources.iter().map(String::as_str));
        std::fs::write(&file, all.collect::<Vec<_>>().join("\n---\n")).unwrap();
        let (running, lines) = services.run(&[file], Role::Gateway, &[]).unwrap();
        Self { running, _lines: Mutex::new(lines), folder }
    }

    /// Where it listens, `host:port`.
    fn address(&self) -> &str {
        self.running.client.address()
    }

    /// Sends a request and says what came of it.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> outrigger_e2e::tally::Seen {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.running.client.request(method, "test.example", path, &headers).unwrap()
    }
}
