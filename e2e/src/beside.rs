//! The same policy twice: `outrigger run` with Istio's resources, and an Envoy with its own filters and routes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::launch::{Local, Running};
use crate::ports::free_port;
use crate::scenario::Role;

/// How long Envoy may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway of ours and an Envoy with the same routes.
pub struct Beside {
    ours: Running,
    native: Child,
    native_port: u16,
    _folder: tempfile::TempDir,
}

/// What a client got, in an order that does not depend on who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status line.
    pub status: String,
    /// Header lines, sorted; without those that differ from answer to answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Headers whose values are about the moment.
const OF_THE_MOMENT: [&str; 3] = ["date", "x-envoy-upstream-service-time", "x-request-id"];

impl Beside {
    /// Starts both: `http` are the rules of a VirtualService for every host, `routes` the routes of Envoy, and
    /// `filters` Envoy's filters before the router. The cluster `httpbin` is the service of that name, and `dead` one
    /// that nobody listens at (`dead.example` as a destination of ours).
    ///
    /// # Errors
    /// One of them does not start.
    pub fn start(local: &Local, http: &Value, filters: &[Value], routes: &Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("resources.json");
        std::fs::write(&file, serde_json::to_vec_pretty(&resources(http))?)?;
        let (ours, _) = local.run(&[file], Role::Gateway, &[])?;
        let httpbin = local.services.port("httpbin", "v1").context("httpbin has no port")?;
        let (native_port, admin) = (free_port()?, free_port()?);
        let config = folder.path().join("native.json");
        let bootstrap = bootstrap(native_port, admin, httpbin, filters, routes);
        std::fs::write(&config, serde_json::to_vec_pretty(&bootstrap)?)?;
        let binary = std::env::var("ENVOY_BIN").unwrap_or_else(|_| "envoy".to_owned());
        let native = Command::new(&binary)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "--config-path"])
            .arg(&config)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("can't start {binary}"))?;
        let mut both = Self { ours, native, native_port, _folder: folder };
        both.wait(admin)?;
        Ok(both)
    }

    fn wait(&mut self, admin: u16) -> Result<()> {
        let started = Instant::now();
        let admin = crate::client::Client::new(format!("127.0.0.1:{admin}"));
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.native.try_wait()? {
                bail!("the native Envoy ended with {status}");
            }
            if admin.request("GET", "admin", "/ready", &[]).is_ok_and(|answer| answer.status == Some(200)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the native Envoy is not ready after {} s", PATIENCE.as_secs())
    }

    /// What ours and Envoy answer to a request with these header lines.
    ///
    /// # Errors
    /// No HTTP answer.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(Answer, Answer)> {
        let native = format!("127.0.0.1:{}", self.native_port);
        Ok((ask(self.ours.client.address(), method, path, headers)?, ask(&native, method, path, headers)?))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.native.kill();
        let _ = self.native.wait();
    }
}

fn resources(http: &Value) -> Value {
    let meta = |name: &str| json!({"name": name});
    let port = json!({"number": 80, "name": "http", "protocol": "HTTP"});
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": meta("gateway"),
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": port, "hosts": ["*"]}]},
    });
    let service = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta("all"),
        "spec": {"hosts": ["*"], "gateways": ["gateway"], "http": http},
    });
    let dead = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": meta("dead"),
        "spec": {
            "hosts": ["dead.example"], "ports": [port], "resolution": "STATIC", "location": "MESH_EXTERNAL",
            "endpoints": [{"address": "127.0.0.1", "ports": {"http": 1}}],
        },
    });
    json!({"apiVersion": "v1", "kind": "List", "items": [gateway, service, dead]})
}

fn bootstrap(port: u16, admin: u16, httpbin: u16, filters: &[Value], routes: &Value) -> Value {
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let cluster = |name: &str, port: u16| {
        let endpoints = json!([{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]);
        json!({
            "name": name, "type": "STATIC", "connect_timeout": "10s",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        })
    };
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<_> = filters.iter().cloned().chain([router]).collect();
    let host = json!({
        "name": "any", "domains": ["*"], "include_request_attempt_count": true, "routes": routes,
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "native", "use_remote_address": true, "normalize_path": true,
        "http_filters": filters, "route_config": {"name": "native", "virtual_hosts": [host]},
    });
    let network = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{"name": "native", "address": address(port), "filter_chains": [{"filters": [network]}]}],
            "clusters": [cluster("httpbin", httpbin), cluster("dead", 1)],
        },
    })
}

fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request += "host: a.example\r\n";
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(format!("{request}\r\n").as_bytes())?;
    // Header bytes may be anything: each is kept as a character of its own. Envoy closes a second after an answer of
    // its own, which nobody waits for.
    let (mut text, mut buffer) = (String::new(), [0u8; 16_384]);
    while !is_whole(method, &text) {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        text.extend(buffer.iter().take(read).map(|byte| char::from(*byte)));
    }
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no answer: {text:?}"))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default().to_owned();
    ensure!(status.starts_with("HTTP/1.1 "), "{status}");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.to_ascii_lowercase(), value.trim_start().to_owned())
    });
    let mut headers: Vec<_> = headers.filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str())).collect();
    headers.sort();
    Ok(Answer { status, headers, body: body.to_owned() })
}

/// Whether an answer has come to its end.
fn is_whole(method: &str, answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let chunked = head.contains("\r\ntransfer-encoding: chunked");
    let bodiless = method == "HEAD" || head.starts_with("HTTP/1.1 204");
    bodiless
        || length.is_some_and(|length: usize| body.chars().count() >= length)
        || (chunked && body.ends_with("0\r\n\r\n"))
}
