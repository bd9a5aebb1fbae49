//! DestinationRules and the ways services are found, on real Envoy with real endpoints: limits, ejection, each way of
//! balancing, TLS, the PROXY protocol, `expect: 100-continue`, and endpoints that come and go.

mod balancing;
mod breaker;
mod continues;
mod endpoints;
mod health;
mod tls;
mod upstream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::tally::Seen;

/// A gateway that sends everything to `reviews.test`.
const GATEWAY: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: ['*']
  gateways: [gateway]
  http: [{route: [{destination: {host: reviews.test}}], retries: {attempts: 0}}]
";

/// The cluster of `reviews.test` in statistics.
const CLUSTER: &str = "cluster.outbound|80||reviews.test";

/// `reviews.test` with these endpoints: ports of this machine with what else is said of them.
fn service(endpoints: &[(u16, &str)]) -> String {
    let endpoints: Vec<_> = endpoints
        .iter()
        .map(|(port, more)| format!("{{address: 127.0.0.1, ports: {{http: {port}}}{more}}}"))
        .collect();
    format!(
        "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: reviews}}
spec:
  hosts: [reviews.test]
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  endpoints: [{}]
",
        endpoints.join(", ")
    )
}

/// A DestinationRule of `reviews.test` with this policy.
fn rule(policy: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: reviews}}
spec: {{host: reviews.test, trafficPolicy: {{{policy}}}}}
"
    )
}

/// A running proxy; it ends with this value.
struct Proxy {
    client: Client,
    admin: Client,
    lines: Mutex<Receiver<String>>,
    folder: tempfile::TempDir,
    _process: Gateway,
}

impl Proxy {
    /// A gateway with one worker, so that numbers are exact.
    fn start(resources: &[&str], flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&file_in(folder.path()), resources);
        let (port, admin) = (free_port(), free_port());
        let mut all = vec!["-f".to_owned(), file_in(folder.path()).display().to_string()];
        let opened = [format!("80={port}"), format!("127.0.0.1:{admin}")];
        for (flag, value) in [
            ("--port", opened[0].as_str()),
            ("--admin", &opened[1]),
            ("--bind", "127.0.0.1"),
            ("--concurrency", "1"),
        ] {
            all.extend([flag.to_owned(), value.to_owned()]);
        }
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let (process, lines) = Gateway::start(&outrigger().unwrap(), &all).unwrap();
        let client = |port| Client::new(format!("127.0.0.1:{port}"));
        Self {
            client: client(port),
            admin: client(admin),
            lines: Mutex::new(lines),
            folder,
            _process: process,
        }
    }

    /// Puts these in the place of the resources it started with.
    fn change(&self, resources: &[&str]) {
        write(&file_in(self.folder.path()), resources);
    }

    /// Waits until it has said a line with `wanted` in it.
    fn says(&self, wanted: &str) {
        let mut said = Vec::new();
        let lines = self.lines.lock().unwrap();
        while let Ok(line) = lines.recv_timeout(Duration::from_secs(20)) {
            if line.contains(wanted) {
                return;
            }
            said.push(line);
        }
        panic!("`{wanted}` was not said, but: {said:#?}");
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.client.request("GET", "reviews.test", path, &headers).unwrap()
    }

    /// Who served so many requests, one after the other.
    fn served(&self, requests: u32) -> BTreeMap<String, u32> {
        count((0..requests).map(|_| self.get("/", &[])))
    }

    /// The counter or gauge of this name.
    fn stat(&self, name: &str) -> u64 {
        let text = self.admin.request("GET", "admin", "/stats", &[]).unwrap().body;
        let lines = text.lines().filter_map(|line| line.rsplit_once(": "));
        let found = lines.into_iter().find(|(of, _)| *of == name);
        found.unwrap_or_else(|| panic!("there is no `{name}`")).1.parse().unwrap()
    }
}

/// How many answers came from whom; those of the proxy itself count by their status.
fn count(answers: impl Iterator<Item = Seen>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for seen in answers {
        let who = match seen.forward {
            Some(who) if seen.status == Some(200) => who,
            _ => seen.status.unwrap_or_default().to_string(),
        };
        *counts.entry(who).or_default() += 1;
    }
    counts
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("resources.yaml")
}

fn write(file: &Path, resources: &[&str]) {
    let new = file.with_extension("new");
    std::fs::write(&new, resources.join("---\n")).unwrap();
    std::fs::rename(&new, file).unwrap();
}

fn free_port() -> u16 {
    outrigger_e2e::ports::free_port().unwrap()
}
