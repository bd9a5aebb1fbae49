//! A proxy of its own for each test: its counters begin at nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::services::Single;
use outrigger_e2e::tally::Seen;
use tempfile::TempDir;

/// An httpbin; it ends with the value.
pub(crate) fn httpbin() -> Single {
    Single::start("httpbin", "httpbin", "").unwrap()
}

/// A service of the namespace `shop` with one endpoint, which is version `v1` of the app with the same name. `labels`:
/// more of them, such as `, security.istio.io/tlsMode: istio`.
pub(crate) fn service_entry(name: &str, protocol: &str, port: u16, labels: &str) -> String {
    format!(
        "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [{name}.shop.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 8000, name: {}, protocol: {protocol}}}]
  endpoints:
  - address: 127.0.0.1
    ports: {{{}: {port}}}
    labels: {{app: {name}, version: v1{labels}}}
",
        protocol.to_ascii_lowercase(),
        protocol.to_ascii_lowercase(),
    )
}

/// The proxy at the edge, with `rules` for the one host that it knows.
pub(crate) fn edge(rules: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: edge}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [shop.example]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: edge}}
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
{rules}
"
    )
}

/// How a request ended.
const LOG: &str = "%RESPONSE_CODE% %RESPONSE_FLAGS%\n";

/// A rule that sends everything to httpbin.
pub(crate) const TO_HTTPBIN: &str = "  - route: [{destination: {host: httpbin.shop.svc.cluster.local}}]";

/// A running proxy; it ends with this value.
pub(crate) struct Proxy {
    /// The listener that is spoken to.
    pub(crate) client: Client,
    pub(crate) admin: Client,
    folder: TempDir,
    _gateway: Gateway,
}

/// Where a proxy stands.
pub(crate) enum Place<'a> {
    /// At the edge, in the namespace `edge`.
    Edge,
    /// Beside the workload `web` of the namespace `front`, whose requests it takes.
    Outbound,
    /// Beside the workload `httpbin-v1` of the namespace `shop`: the port it opens, and that of the application.
    Inbound(u16, u16),
    /// The same places with certificates in a folder.
    With(&'a Place<'a>, &'a Path),
}

impl Place<'_> {
    fn flags(&self) -> Vec<String> {
        let flags: &[&str] = match self {
            Self::Edge => &["--namespace=edge", "--service-account=edge"],
            Self::Outbound => &[
                "--role=sidecar",
                "--namespace=front",
                "--workload=web",
                "--service-account=web",
                "--label=app=web",
                "--label=version=v7",
                "--label=service.istio.io/canonical-name=web-front",
                "--label=service.istio.io/canonical-revision=seven",
            ],
            Self::Inbound(..) => &[
                "--role=sidecar",
                "--namespace=shop",
                "--workload=httpbin-v1",
                "--service-account=httpbin",
                "--label=app=httpbin",
                "--label=version=v1",
            ],
            Self::With(place, certs) => {
                let mut flags = place.flags();
                flags.push(format!("--certs={}", certs.display()));
                return flags;
            }
        };
        let mut flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        if let Self::Inbound(_, application) = self {
            flags.push(format!("--app-port={application}"));
        }
        flags
    }

    /// The ports that it opens, the one that is spoken to first.
    fn ports(&self) -> Vec<(u16, u16)> {
        let free = || free_port().unwrap();
        match self {
            Self::Edge => vec![(80, free())],
            Self::Outbound => vec![(15001, free()), (15006, free())],
            Self::Inbound(port, _) => vec![(15006, *port), (15001, free())],
            Self::With(place, _) => place.ports(),
        }
    }
}

impl Proxy {
    pub(crate) fn start(place: &Place<'_>, resources: &str) -> Self {
        Self::start_with(place, resources, &[])
    }

    /// With more flags.
    pub(crate) fn start_with(place: &Place<'_>, resources: &str, more: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resources.yaml");
        std::fs::write(&file, resources).unwrap();
        let mesh = folder.path().join("mesh.yaml");
        let log = folder.path().join("access.log");
        std::fs::write(&mesh, format!("accessLogFile: {}\naccessLogFormat: {LOG:?}\n", log.display()))
            .unwrap();
        let admin = format!("127.0.0.1:{}", free_port().unwrap());
        let mut flags = place.flags();
        flags.extend(["-f".to_owned(), file.display().to_string(), format!("--admin={admin}")]);
        flags.push(format!("--mesh-config={}", mesh.display()));
        flags.extend(["--bind=127.0.0.1".to_owned(), "--concurrency=2".to_owned()]);
        flags.extend(more.iter().cloned());
        let ports = place.ports();
        flags.extend(ports.iter().map(|(named, opened)| format!("--port={named}={opened}")));
        let (gateway, _) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
        let client = Client::new(format!("127.0.0.1:{}", ports[0].1));
        Self { client, admin: Client::new(admin), folder, _gateway: gateway }
    }

    /// Has it take other resources.
    pub(crate) fn change(&self, resources: &str) {
        std::fs::write(self.folder.path().join("resources.yaml"), resources).unwrap();
    }

    /// Code and flags of each of the first `requests`, as Envoy logs them; it does every ten seconds.
    pub(crate) fn logged(&self, requests: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let text = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            if lines.len() >= requests {
                lines.sort();
                return lines;
            }
            assert!(Instant::now() < end, "{requests} requests, and the log has {text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Sends a GET, checks its status, and returns what came of it.
    pub(crate) fn get(&self, host: &str, path: &str, status: u16) -> Seen {
        let seen = self.client.request("GET", host, path, &[]).unwrap();
        assert_eq!(seen.status, Some(status), "{host} {path}: {seen:?}");
        seen
    }
}
