//! A sidecar as a process, on ports of its own.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::tally::Seen;
use tempfile::TempDir;

/// Its ports.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) inbound: u16,
    outbound: u16,
    probes: u16,
    admin: u16,
}

impl Ports {
    pub(crate) fn free() -> Self {
        let port = || free_port().unwrap();
        Self { inbound: port(), outbound: port(), probes: port(), admin: port() }
    }
}

/// A running sidecar; it ends with this value.
pub(crate) struct Sidecar {
    ports: Ports,
    outbound: Client,
    folder: TempDir,
    _process: Gateway,
    _lines: Mutex<Receiver<String>>,
}

/// Each request's peers, as an access log tells them, and why it failed.
const MESH: &str = "accessLogFile: LOG
accessLogFormat: 'from=%DOWNSTREAM_PEER_URI_SAN% to=%UPSTREAM_PEER_URI_SAN% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON%'
";

impl Sidecar {
    /// Starts the sidecar of `account` in `namespace`, before an application at `application`.
    pub(crate) fn start(
        (namespace, account): (&str, &str),
        certificate: &Path,
        application: u16,
        ports: Ports,
        resources: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, mesh) = (folder.path().join("resources.yaml"), folder.path().join("mesh.yaml"));
        fs::write(&file, resources).unwrap();
        fs::write(&mesh, MESH.replace("LOG", folder.path().join("access.log").to_str().unwrap())).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let flags = [
            ("-f", text(&file)),
            ("--mesh-config", text(&mesh)),
            ("--role", "sidecar".to_owned()),
            ("--namespace", namespace.to_owned()),
            ("--workload", account.to_owned()),
            ("--label", format!("app={account}")),
            ("--service-account", account.to_owned()),
            ("--certs", text(certificate)),
            ("--app-port", application.to_string()),
            ("--bind", "127.0.0.1".to_owned()),
            ("--port", format!("15006={}", ports.inbound)),
            ("--port", format!("15001={}", ports.outbound)),
            ("--probe-port", ports.probes.to_string()),
            ("--app-probe", format!("/status/200={application}")),
            ("--admin", format!("127.0.0.1:{}", ports.admin)),
            ("--concurrency", "1".to_owned()),
        ];
        let flags: Vec<String> =
            flags.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let (process, lines) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
        Self {
            ports,
            outbound: Client::new(format!("127.0.0.1:{}", ports.outbound)),
            folder,
            _process: process,
            _lines: Mutex::new(lines),
        }
    }

    /// Sends a request as its application would.
    pub(crate) fn send(&self, method: &str, host: &str, path: &str) -> Seen {
        self.outbound.request(method, host, path, &[]).unwrap()
    }

    /// The status of a request in plain text to its inbound port, on a new connection. `None`: it was closed.
    pub(crate) fn plain_text(&self) -> Option<u16> {
        let client = Client::new(format!("127.0.0.1:{}", self.ports.inbound));
        client.request("GET", "b", "/headers", &[("connection".to_owned(), "close".to_owned())]).ok()?.status
    }

    /// The status of a health check.
    pub(crate) fn probe(&self, path: &str) -> Option<u16> {
        let client = Client::new(format!("127.0.0.1:{}", self.ports.probes));
        client.request("GET", "kubelet", path, &[]).unwrap().status
    }

    /// A line of the access log that contains `wanted`.
    pub(crate) fn wait_for_log(&self, wanted: &str) {
        wait_until(wanted, || self.log().contains(wanted));
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default()
    }

    /// What Envoy's administration interface says.
    fn admin(&self, path: &str) -> anyhow::Result<Seen> {
        Client::new(format!("127.0.0.1:{}", self.ports.admin)).request("GET", "admin", path, &[])
    }

    /// Istio's metrics.
    pub(crate) fn requests_total(&self) -> String {
        let stats = self.admin("/stats/prometheus").unwrap().body;
        stats.lines().filter(|line| line.starts_with("istio_requests_total{")).collect::<Vec<_>>().join("\n")
    }

    /// The serial numbers of Envoy's own certificates, as its administration interface tells them.
    pub(crate) fn certificate_serials(&self) -> Vec<String> {
        let Ok(seen) = self.admin("/certs") else { return Vec::new() };
        let all: serde_json::Value = serde_json::from_str(&seen.body).unwrap_or_default();
        let contexts = all["certificates"].as_array().into_iter().flatten();
        let own = contexts.flat_map(|context| context["cert_chain"].as_array().into_iter().flatten());
        own.filter_map(|certificate| certificate["serial_number"].as_str().map(str::to_owned)).collect()
    }

    /// The sum of the counters whose names match.
    pub(crate) fn statistic(&self, filter: &str) -> u64 {
        let filter = filter.replace('\\', "%5C").replace('|', "%7C").replace('^', "%5E").replace('+', "%2B");
        let stats = self.admin(&format!("/stats?filter={filter}")).unwrap().body;
        stats.lines().filter_map(|line| line.rsplit_once(": ")?.1.parse::<u64>().ok()).sum()
    }

    /// What may tell why requests failed: their lines in the access log, and the counters of connections that went wrong.
    pub(crate) fn trouble(&self) -> String {
        let log = self.log();
        let failed = log.lines().filter(|line| line.contains(" 503 "));
        let counters = self.admin("/stats?usedonly&type=Counters").map(|seen| seen.body).unwrap_or_default();
        let wrong =
            ["fail", "error", "overflow", "no_filter_chain", "timeout", "not_ready", "destroy", "sds"];
        let counters = counters.lines().filter(|line| wrong.iter().any(|part| line.contains(part)));
        failed.chain(counters).collect::<Vec<_>>().join("\n")
    }

    /// Replaces its resources.
    pub(crate) fn edit(&self, resources: &str) {
        let new = self.folder.path().join("resources.new");
        fs::write(&new, resources).unwrap();
        fs::rename(new, self.folder.path().join("resources.yaml")).unwrap();
    }
}

/// Waits until `holds`.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < end, "not within 15 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
