//! A sidecar as a process, on ports of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::{Gateway, outrigger};
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
        // All at once, or the system may give one of them twice.
        let listeners: Vec<_> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let port = |at: usize| listeners[at].local_addr().unwrap().port();
        Self { inbound: port(0), outbound: port(1), probes: port(2), admin: port(3) }
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

/// Each request's peers, as an access log tells them.
const MESH: &str = "accessLogFile: LOG
accessLogFormat: 'from=%DOWNSTREAM_PEER_URI_SAN% to=%UPSTREAM_PEER_URI_SAN% %RESPONSE_CODE%'
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
        let log: PathBuf = self.folder.path().join("access.log");
        wait_until(wanted, || fs::read_to_string(&log).is_ok_and(|log| log.contains(wanted)));
    }

    /// Istio's metrics.
    pub(crate) fn requests_total(&self) -> String {
        let client = Client::new(format!("127.0.0.1:{}", self.ports.admin));
        let stats = client.request("GET", "admin", "/stats/prometheus", &[]).unwrap().body;
        stats.lines().filter(|line| line.starts_with("istio_requests_total{")).collect::<Vec<_>>().join("\n")
    }

    /// Until when Envoy's certificates are valid, as its administration interface tells.
    pub(crate) fn certificate_ends(&self) -> Vec<String> {
        self.own_certificates("expiration_time")
    }

    /// Their serial numbers.
    pub(crate) fn certificate_serials(&self) -> Vec<String> {
        self.own_certificates("serial_number")
    }

    fn own_certificates(&self, field: &str) -> Vec<String> {
        let client = Client::new(format!("127.0.0.1:{}", self.ports.admin));
        let Ok(seen) = client.request("GET", "admin", "/certs", &[]) else { return Vec::new() };
        let all: serde_json::Value = serde_json::from_str(&seen.body).unwrap_or_default();
        let contexts = all["certificates"].as_array().into_iter().flatten();
        let own = contexts.flat_map(|context| context["cert_chain"].as_array().into_iter().flatten());
        own.filter_map(|certificate| certificate[field].as_str().map(str::to_owned)).collect()
    }

    /// The sum of the counters whose names match.
    pub(crate) fn statistic(&self, filter: &str) -> u64 {
        let client = Client::new(format!("127.0.0.1:{}", self.ports.admin));
        let filter = filter.replace('\\', "%5C").replace('|', "%7C").replace('^', "%5E").replace('+', "%2B");
        let path = format!("/stats?filter={filter}");
        let stats = client.request("GET", "admin", &path, &[]).unwrap().body;
        stats.lines().filter_map(|line| line.rsplit_once(": ")?.1.parse::<u64>().ok()).sum()
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
