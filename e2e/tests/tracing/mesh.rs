//! A gateway in front of service `a`, which asks service `b`, with a sidecar beside each and a collector behind all.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;

use outrigger_e2e::client::Client;
use outrigger_e2e::collector::{Collector, Span};
use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::services::Single;
use outrigger_e2e::tally::Seen;

/// The name of the gateway for others.
pub(crate) const A: &str = "a.default.svc.cluster.local:80";
pub(crate) const B: &str = "b.default.svc.cluster.local:80";

/// A running proxy; it ends with this value.
struct Proxy {
    _process: Gateway,
    _lines: Mutex<Receiver<String>>,
}

/// All of it; it ends with this value.
pub(crate) struct Mesh {
    pub(crate) client: Client,
    pub(crate) collector: Collector,
    _proxies: Vec<Proxy>,
    _services: Vec<Single>,
    folder: tempfile::TempDir,
}

/// The providers, by the ways that spans go.
const PROVIDERS: &str = "
extensionProviders:
- {name: otlp, opentelemetry: {service: collector.test, port: 4317}}
- name: otlp-http
  opentelemetry:
    service: collector.test
    port: 4318
    http: {path: /v1/traces, timeout: 2s, headers: [{name: x-token, value: secret}]}
- {name: b3, zipkin: {service: collector.test, port: 4318}}
- {name: b3-and-w3c, zipkin: {service: collector.test, port: 4318, traceContextOption: USE_B3_WITH_W3C_PROPAGATION}}
";

impl Mesh {
    /// `tracing`: the entry of the mesh's Telemetry. `more`: further resources, for every proxy.
    pub(crate) fn start(tracing: &str, more: &str) -> Self {
        let collector = Collector::start().unwrap();
        let ports: Vec<u16> = (0..8).map(|_| free_port().unwrap()).collect();
        let (edge, in_a, out_a, in_b, out_b) = (ports[0], ports[1], ports[2], ports[3], ports[4]);
        let a = Single::start("httpbin", "a", &format!("http://127.0.0.1:{out_a}")).unwrap();
        let b = Single::start("httpbin", "b", &format!("http://127.0.0.1:{out_b}")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mesh.config"), PROVIDERS).unwrap();
        let common = format!(
            "{}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: mesh, namespace: istio-system}}
spec: {{tracing: [{tracing}]}}
---
{more}",
            entry("collector.test", &[("grpc", 4317, collector.grpc), ("http", 4318, collector.http)])
        );
        let to = |name: &str, port: u16| {
            entry(&format!("{name}.default.svc.cluster.local"), &[("http", 80, port)])
        };
        let own = |name: &str, port: u16| {
            format!(
                "apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: {port}}}]}}"
            )
        };
        let mut mesh = Self {
            client: Client::new(format!("127.0.0.1:{edge}")),
            collector,
            _proxies: Vec::new(),
            _services: Vec::new(),
            folder,
        };
        let proxies = [
            mesh.proxy(
                "gateway",
                &[EDGE, &to("a", in_a), &common],
                &[
                    "--role=gateway".to_owned(),
                    "--workload=edge".to_owned(),
                    format!("--port=80={edge}"),
                    format!("--admin=127.0.0.1:{}", ports[5]),
                ],
            ),
            mesh.proxy(
                "a",
                &[&own("a", a.port), &to("b", in_b), &common],
                &sidecar("a", a.port, [in_a, out_a, ports[6]]),
            ),
            mesh.proxy("b", &[&own("b", b.port), &common], &sidecar("b", b.port, [in_b, out_b, ports[7]])),
        ];
        mesh._proxies.extend(proxies);
        mesh._services.extend([a, b]);
        mesh
    }

    fn proxy(&self, name: &str, resources: &[&str], flags: &[String]) -> Proxy {
        let file = self.folder.path().join(format!("{name}.yaml"));
        fs::write(&file, resources.join("\n---\n")).unwrap();
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut all = vec![
            format!("-f={}", path(file)),
            format!("--mesh-config={}", path(self.folder.path().join("mesh.config"))),
            "--bind=127.0.0.1".to_owned(),
            "--concurrency=1".to_owned(),
        ];
        all.extend(flags.iter().cloned());
        let (process, lines) = Gateway::start(&outrigger().unwrap(), &all).unwrap();
        Proxy { _process: process, _lines: Mutex::new(lines) }
    }

    /// Sends a request to the gateway.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.client.request("GET", "shop.example", path, &headers).unwrap()
    }

    /// The trace of the request to a path, in the order of the way.
    pub(crate) fn trace(&self, path: &str, spans: usize) -> Vec<Span> {
        let url = format!("http://shop.example{path}");
        let is_root = |span: &Span| span.tags.get("http.url") == Some(&url);
        in_order(self.collector.trace(spans, is_root).unwrap())
    }
}

/// Each after the one that it is a part of; one trace has one beginning.
fn in_order(spans: Vec<Span>) -> Vec<Span> {
    let (mut ordered, mut left) = (Vec::<Span>::new(), spans);
    while !left.is_empty() {
        let parent = ordered.last().map_or(String::new(), |span| span.id.clone());
        let known = |id: &str| left.iter().any(|span| span.id == id);
        let next = match ordered.len() {
            0 => left.iter().position(|span| !known(&span.parent)),
            _ => left.iter().position(|span| span.parent == parent),
        };
        let next = next.unwrap_or_else(|| panic!("not a chain: {ordered:#?}\nand {left:#?}"));
        ordered.push(left.remove(next));
    }
    ordered
}

/// What a span says in short: whose it is, which side, and its name.
pub(crate) fn short(spans: &[Span]) -> Vec<String> {
    spans.iter().map(|span| format!("{} {} {}", span.service, span.kind, span.name)).collect()
}

fn sidecar(name: &str, application: u16, [inbound, outbound, admin]: [u16; 3]) -> Vec<String> {
    vec![
        "--role=sidecar".to_owned(),
        format!("--workload={name}-v1"),
        format!("--label=app={name}"),
        "--label=version=v1".to_owned(),
        format!("--app-port={application}"),
        format!("--port=15006={inbound}"),
        format!("--port=15001={outbound}"),
        format!("--admin=127.0.0.1:{admin}"),
    ]
}

fn entry(host: &str, ports: &[(&str, u16, u16)]) -> String {
    let listed = ports.iter().map(|(name, number, _)| {
        let protocol = name.to_uppercase();
        format!("{{name: {name}, number: {number}, protocol: {protocol}}}")
    });
    let opened = ports.iter().map(|(name, _, port)| format!("{name}: {port}"));
    format!(
        "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {}}}
spec:
  hosts: [{host}]
  resolution: STATIC
  location: MESH_INTERNAL
  ports: [{}]
  endpoints: [{{address: 127.0.0.1, ports: {{{}}}}}]",
        host.replace('.', "-"),
        listed.collect::<Vec<_>>().join(", "),
        opened.collect::<Vec<_>>().join(", ")
    )
}

const EDGE: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ['*']
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /here}}]
    directResponse: {status: 200}
  - route: [{destination: {host: a.default.svc.cluster.local, port: {number: 80}}}]
";
