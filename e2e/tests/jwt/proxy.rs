//! A gateway that takes tokens of one issuer.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::launch::{Gateway, Local, outrigger};
use outrigger_e2e::scenario::{Role, Token};
use outrigger_e2e::tokens::mint;

/// It ends with this value.
pub(crate) struct Proxy {
    port: u16,
    admin: u16,
    agent: ureq::Agent,
    lines: Mutex<Receiver<String>>,
    _gateway: Gateway,
    folder: tempfile::TempDir,
    _services: Local,
}

/// An answer, and how long it took.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) after: Duration,
}

impl Proxy {
    /// Four threads, and a RequestAuthentication of this form.
    pub(crate) fn start(annotations: &str, rule: &str) -> Self {
        Self::by(&outrigger().unwrap(), annotations, rule)
    }

    /// The next line of its access log that begins like this.
    pub(crate) fn logged(&self, start: &str) -> String {
        let lines = self.lines.lock().unwrap();
        loop {
            // Envoy writes its logs every ten seconds.
            let line = lines.recv_timeout(Duration::from_secs(30)).unwrap();
            let line = line.strip_prefix("envoy: ").unwrap_or(&line);
            if line.starts_with(start) {
                return line.to_owned();
            }
        }
    }

    /// The same by another command.
    pub(crate) fn by(command: &Path, annotations: &str, rule: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jwt.yaml");
        write(folder.path(), annotations, rule);
        let services = Local::start().unwrap();
        let (port, admin) = (free_port(), free_port());
        let mut flags = services.flags(&[file], Role::Gateway);
        flags.push(format!("--port=80={port}"));
        flags.push(format!("--admin=127.0.0.1:{admin}"));
        flags.push("--concurrency=4".to_owned());
        let mesh = folder.path().join("mesh.config");
        std::fs::write(&mesh, MESH_CONFIG).unwrap();
        flags.push(format!("--mesh-config={}", mesh.display()));
        let (gateway, lines) = Gateway::start(command, &flags).unwrap();
        // A connection for each request, so that all threads get some.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(20)));
        let agent = config.build().into();
        let lines = Mutex::new(lines);
        Self { port, admin, agent, lines, _gateway: gateway, folder, _services: services }
    }

    /// Changes its RequestAuthentication to one of this form.
    pub(crate) fn edit(&self, annotations: &str, rule: &str) {
        write(self.folder.path(), annotations, rule);
    }

    /// Sends a request, with a token if there is one.
    pub(crate) fn get(&self, token: Option<&str>) -> Answered {
        let started = Instant::now();
        let mut request = self.agent.get(format!("http://127.0.0.1:{}/", self.port));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().unwrap();
        Answered {
            status: answer.status().as_u16(),
            body: answer.body_mut().read_to_string().unwrap(),
            after: started.elapsed(),
        }
    }

    /// Sends a request and closes the connection.
    pub(crate) fn ask_and_leave(&self, token: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
    }

    /// All of the proxy's statistics that have changed, for Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/stats/prometheus?usedonly", self.admin);
        self.agent.get(url).call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// One of the proxy's statistics.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/stats?filter={name}$", self.admin);
        let mut answer = self.agent.get(url).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let value = text.lines().find_map(|line| line.split_once(": "));
        value.map_or(0, |(_, value)| value.trim().parse().unwrap())
    }
}

/// What a log says of tokens.
const MESH_CONFIG: &str = "accessLogFile: /dev/stdout
accessLogFormat: \"token %FILTER_STATE(wasm.outrigger.claims:PLAIN)% %FILTER_STATE(wasm.outrigger.jwt_dry_run:PLAIN)%\\n\"
";

/// Writes the resources at once, so that nobody reads half of them.
fn write(folder: &Path, annotations: &str, rule: &str) {
    let new = folder.join("new");
    std::fs::write(&new, resources(annotations, rule)).unwrap();
    std::fs::rename(new, folder.join("jwt.yaml")).unwrap();
}

fn resources(annotations: &str, rule: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['*']}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all}}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{{directResponse: {{status: 200, body: {{string: through}}}}}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: tokens, annotations: {{{annotations}}}}}
spec:
  jwtRules: [{{{rule}}}]
"
    )
}

/// A token of `issuer` that lives for an hour.
pub(crate) fn token(alg: &str, issuer: &str) -> String {
    let claims = serde_json::json!({"iss": issuer, "sub": "ann"});
    let token =
        Token { alg: alg.to_owned(), claims: claims.as_object().unwrap().clone(), expires_in: Some(3600) };
    mint(&token).unwrap()
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    outrigger_e2e::ports::free_port().unwrap()
}
