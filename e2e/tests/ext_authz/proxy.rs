//! A gateway before httpbin, with policies and the servers that they name.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::metrics;
use outrigger_e2e::scenario::Role;

/// It ends with this value.
pub(crate) struct Proxy {
    running: Running,
    agent: ureq::Agent,
    _lines: Mutex<Receiver<String>>,
    _folder: tempfile::TempDir,
    _services: Local,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) after: Duration,
}

impl Answered {
    /// A header that httpbin got.
    pub(crate) fn seen(&self, header: &str) -> Option<String> {
        let echo: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        echo["headers"].get(header).map(|value| value.as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Proxy {
    /// `providers`: entries of MeshConfig's list. `resources`: policies.
    pub(crate) fn start(providers: &[String], resources: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, mesh) = (folder.path().join("policies.yaml"), folder.path().join("mesh.config"));
        std::fs::write(&file, EDGE.to_owned() + &resources.concat()).unwrap();
        std::fs::write(&mesh, format!("extensionProviders:\n{}", providers.concat())).unwrap();
        let services = Local::start().unwrap();
        let flags = [format!("--mesh-config={}", mesh.display())];
        let (running, lines) = services.run(&[file], Role::Gateway, &flags).unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        Self {
            running,
            agent: config.build().into(),
            _lines: Mutex::new(lines),
            _folder: folder,
            _services: services,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], "")
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let url = format!("http://{}{path}", self.running.client.address());
        let mut request =
            ureq::http::Request::builder().method(method).uri(url).header("host", "edge.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let started = Instant::now();
        let answer = match body {
            "" => self.agent.run(request.body(()).unwrap()),
            body => self.agent.run(request.body(body.to_owned()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
        Answered {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            body: answer.body_mut().read_to_string().unwrap(),
            after: started.elapsed(),
        }
    }

    /// One of Envoy's own statistics, by the end of its name.
    pub(crate) fn stat(&self, end: &str) -> u64 {
        let path = format!("/stats?filter={end}$");
        let text = self.running.admin.request("GET", "admin", &path, &[]).unwrap().body;
        text.lines().filter_map(|line| line.split_once(": ")?.1.trim().parse::<u64>().ok()).sum()
    }

    /// How many requests Istio's metrics count with this status.
    pub(crate) fn counted(&self, status: &str) -> f64 {
        let name = "istio_requests_total";
        metrics::sum(&self.running.admin, name, &[("response_code", status)]).unwrap()
    }
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
metadata: {name: all}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
";
