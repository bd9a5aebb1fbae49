//! Gateways with TLS and without on real Envoy: who is let in, what is shown, and where bytes go.

mod authority;
mod backend;
mod client;
mod connections;
mod judged;
mod rotation;
mod termination;

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, MutexGuard};

use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::scenario::Role;

/// A VirtualService that sends every request to a service which tells the headers it got.
const ECHO: &str = "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: ['*.example.com']
  gateways: [edge]
  http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
";

/// A Gateway with these servers.
fn gateway(servers: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
{servers}"
    )
}

/// A service at this port of the loopback interface.
fn service(name: &str, port: u16, protocol: &str) -> String {
    format!(
        "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}}}
spec:
  hosts: [{name}.test]
  resolution: STATIC
  ports: [{{number: 443, name: port, protocol: {protocol}}}]
  endpoints: [{{address: 127.0.0.1, ports: {{port: {port}}}}}]
"
    )
}

/// A gateway that runs; it ends with this value.
struct Edge {
    running: Running,
    lines: Mutex<Receiver<String>>,
    /// Where port 443 of the resources is.
    tls: u16,
    /// Where port 9000 of the resources is.
    tcp: u16,
    _services: Local,
}

impl Edge {
    fn start(file: &Path, more: &[String]) -> Self {
        let services = Local::start().unwrap();
        let (tls, tcp) = (free_port(), free_port());
        let mut flags = vec![format!("--port=443={tls}"), format!("--port=9000={tcp}")];
        flags.extend(more.iter().cloned());
        let (running, lines) = services.run(&[file.to_owned()], Role::Gateway, &flags).unwrap();
        Self { running, lines: Mutex::new(lines), tls, tcp, _services: services }
    }

    fn lines(&self) -> MutexGuard<'_, Receiver<String>> {
        self.lines.lock().unwrap()
    }
}

fn free_port() -> u16 {
    outrigger_e2e::ports::free_port().unwrap()
}
