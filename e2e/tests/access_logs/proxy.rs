//! A proxy with logs in files of its own folder, and a collector.

use std::fs;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::collector::Collector;
use outrigger_e2e::launch::{Gateway, Local, outrigger};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::scenario::Role;
use outrigger_e2e::tally::Seen;

/// Providers, and a file for what no provider gets.
const MESH: &str = "
extensionProviders:
- {name: text, envoyFileAccessLog: {path: FOLDER/text.log}}
- {name: json, envoyFileAccessLog: {path: FOLDER/json.log, logFormat: {labels: {}}}}
- name: own
  envoyFileAccessLog:
    path: FOLDER/own.log
    logFormat: {text: 'own %RESPONSE_CODE% <%REQ(X-A)%> %REQ_WITHOUT_QUERY(:PATH)%'}
    omitEmptyValues: true
- {name: errors, envoyFileAccessLog: {path: FOLDER/errors.log, logFormat: {labels: {code: '%RESPONSE_CODE%', flags: '%RESPONSE_FLAGS%'}}}}
- name: otel
  envoyOtelAls: {service: collector.test, port: 4317, logFormat: {labels: {path: '%REQ(:PATH)%', why: '%RESPONSE_CODE_DETAILS%'}}}
- {name: als, envoyHttpAls: {service: collector.test, port: 4318, logName: edge, additionalRequestHeadersToLog: [x-a]}}
accessLogFile: FOLDER/mesh.log
accessLogFormat: mesh %RESPONSE_CODE%
";

/// It ends with this value.
pub(crate) struct Proxy {
    pub(crate) collector: Collector,
    pub(crate) services: Local,
    /// The gateway's, or a sidecar's for its application.
    outbound: Client,
    /// A sidecar's for its clients.
    inbound: Client,
    folder: tempfile::TempDir,
    _process: Gateway,
    _lines: Mutex<Receiver<String>>,
}

impl Proxy {
    pub(crate) fn start(role: Role, resources: &str) -> Self {
        let collector = Collector::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let services = Local::start().unwrap();
        let (file, mesh) = (folder.path().join("resources.yaml"), folder.path().join("mesh.config"));
        fs::write(&mesh, MESH.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        let entry = COLLECTOR.replace("@GRPC@", &collector.grpc.to_string());
        fs::write(&file, entry.replace("@HTTP@", &collector.http.to_string()) + resources).unwrap();
        let mut flags = services.flags(&[file], role);
        let (port, inbound, admin) = (free_port().unwrap(), free_port().unwrap(), free_port().unwrap());
        let opened = if role == Role::Gateway { "80" } else { "15001" };
        flags.extend([
            format!("--port={opened}={port}"),
            format!("--port=15006={inbound}"),
            format!("--admin=127.0.0.1:{admin}"),
            format!("--mesh-config={}", mesh.display()),
            "--bind=127.0.0.1".to_owned(),
            "--concurrency=1".to_owned(),
        ]);
        let (process, lines) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
        let at = |port: u16| Client::new(format!("127.0.0.1:{port}"));
        Self {
            collector,
            services,
            outbound: at(port),
            inbound: at(inbound),
            folder,
            _process: process,
            _lines: Mutex::new(lines),
        }
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        ask(&self.outbound, "shop.example", path, headers)
    }

    pub(crate) fn get_of(&self, host: &str, path: &str) -> Seen {
        ask(&self.outbound, host, path, &[])
    }

    pub(crate) fn get_inbound(&self, path: &str) -> Seen {
        ask(&self.inbound, "httpbin", path, &[])
    }

    /// The lines of a log, once there are so many. Envoy writes them every ten seconds.
    pub(crate) fn log(&self, name: &str, lines: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let text = self.written(name);
            if text.lines().count() >= lines {
                return text.lines().map(str::to_owned).collect();
            }
            assert!(started.elapsed() < Duration::from_secs(40), "{name}: {text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What is there now.
    pub(crate) fn written(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }
}

fn ask(client: &Client, host: &str, path: &str, headers: &[(&str, &str)]) -> Seen {
    let own = [("user-agent", "test")];
    let headers = own.iter().chain(headers);
    let headers: Vec<_> = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    client.request("GET", host, path, &headers).unwrap()
}

const COLLECTOR: &str = "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: collector}
spec:
  hosts: [collector.test]
  resolution: STATIC
  ports: [{name: grpc, number: 4317, protocol: GRPC}, {name: http, number: 4318, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {grpc: @GRPC@, http: @HTTP@}}]
---
";
