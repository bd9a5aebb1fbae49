//! A gateway that passes bytes on to a service that says them again.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::ports::free_port;

/// It ends with this value.
pub(crate) struct Proxy {
    ports: BTreeMap<u16, u16>,
    admin: u16,
    _lines: Mutex<Receiver<String>>,
    _gateway: Gateway,
    _folder: tempfile::TempDir,
}

impl Proxy {
    /// `ports`: of plain TCP. `tls`: further servers. `providers`: entries of MeshConfig's list. `resources`: all the rest.
    pub(crate) fn start(ports: &[u16], tls: &str, providers: &str, resources: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, mesh) = (folder.path().join("edge.yaml"), folder.path().join("mesh.config"));
        let servers: String = ports
            .iter()
            .map(|port| {
                format!("  - {{port: {{number: {port}, name: tcp-{port}, protocol: TCP}}, hosts: ['*']}}\n")
            })
            .collect();
        let backend = backend();
        std::fs::write(&file, edge(&(servers + tls), backend) + &resources.concat()).unwrap();
        std::fs::write(&mesh, format!("extensionProviders: [{providers}]\n")).unwrap();
        let ports: BTreeMap<_, _> =
            ports.iter().chain(&[443]).map(|port| (*port, free_port().unwrap())).collect();
        let admin = free_port().unwrap();
        let mut flags = vec![
            format!("-f={}", file.display()),
            format!("--mesh-config={}", mesh.display()),
            format!("--admin=127.0.0.1:{admin}"),
            "--bind=127.0.0.1".to_owned(),
        ];
        flags.extend(ports.iter().map(|(named, opened)| format!("--port={named}={opened}")));
        let (gateway, lines) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
        Self { ports, admin, _lines: Mutex::new(lines), _gateway: gateway, _folder: folder }
    }

    /// Where it opened a port of the resources.
    pub(crate) fn opened(&self, port: u16) -> u16 {
        self.ports[&port]
    }

    /// Whether what is sent to a port comes back.
    pub(crate) fn passes(&self, port: u16) -> bool {
        passes(connect(self.opened(port)))
    }

    /// The sum of the statistics whose names end like this.
    pub(crate) fn stat(&self, end: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/stats?filter={end}$", self.admin);
        let text = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
        text.lines().filter_map(|line| line.split_once(": ")?.1.trim().parse::<u64>().ok()).sum()
    }
}

/// A connection to a port of this machine.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Whether what is sent on a connection comes back; else it has to be closed.
pub(crate) fn passes(mut stream: impl Read + Write) -> bool {
    if stream.write_all(b"again\n").is_err() {
        return false;
    }
    let mut answer = [0; 6];
    match stream.read_exact(&mut answer) {
        Ok(()) => answer == *b"again\n",
        Err(error) => {
            let closed = [std::io::ErrorKind::UnexpectedEof, std::io::ErrorKind::ConnectionReset];
            assert!(closed.contains(&error.kind()), "neither an answer nor an end: {error}");
            false
        }
    }
}

/// The same where the end may be an alert of TLS.
pub(crate) fn passes_or_alerts(mut stream: impl Read + Write) -> bool {
    let mut answer = [0; 6];
    stream.write_all(b"again\n").and_then(|()| stream.read_exact(&mut answer)).is_ok()
        && answer == *b"again\n"
}

/// Says everything again.
pub(crate) fn backend() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    port
}

fn edge(servers: &str, backend: u16) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
{servers}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: bytes}}
spec:
  hosts: ['*']
  gateways: [edge]
  tls:
  - {{match: [{{sniHosts: ['*.through.test']}}], route: [{{destination: {{host: again.test}}}}]}}
  tcp:
  - {{route: [{{destination: {{host: again.test}}}}]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: again}}
spec:
  hosts: [again.test]
  resolution: STATIC
  ports: [{{number: 443, name: tcp, protocol: TCP}}]
  endpoints: [{{address: 127.0.0.1, ports: {{tcp: {backend}}}}}]
"
    )
}
