//! `outrigger run` with a real Envoy: start, changes, stop. Requests find no route, which is all that is asked here.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(files: &Path, ports: &[(u16, u16)], admin: u16) -> Self {
        Self::start_with(files, ports, admin, &[])
    }

    fn start_with(files: &Path, ports: &[(u16, u16)], admin: u16, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outrigger"));
        command
            .args(["run", "--bind", "127.0.0.1", "--admin", &format!("127.0.0.1:{admin}"), "-f"])
            .arg(files)
            .args(flags);
        for (named, opened) in ports {
            command.args(["--port", &format!("{named}={opened}")]);
        }
        let modules = files.parent().unwrap().join("modules");
        fs::create_dir_all(&modules).unwrap();
        support::write_modules(&modules);
        command.env("OUTRIGGER_MODULES", modules).env("ENVOY_BIN", support::envoy());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut output, sink) = (child.stderr.take().unwrap(), Arc::clone(&said));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Self { child, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until `text` has been said since `from` characters.
    fn says(&self, text: &str, from: usize) {
        let end = Instant::now() + PATIENCE;
        while !self.said()[from..].contains(text) {
            assert!(Instant::now() < end, "`{text}` is never said, but: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn exit_code(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it never ends: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.exit_code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The status line of an answer.
fn status(port: u16) -> io::Result<String> {
    status_of(port, "/")
}

fn status_of(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn gateway(ports: &[u16]) -> String {
    let server = |port: &u16| {
        format!("  - {{port: {{number: {port}, name: p{port}, protocol: HTTP}}, hosts: ['*']}}\n")
    };
    let servers: String = ports.iter().map(server).collect();
    format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw}}\nspec:\n  \
         selector: {{istio: ingressgateway}}\n  servers:\n{servers}"
    )
}

#[test]
fn serves_takes_over_changes_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    let (one, two, admin) = (port(), port(), port());
    fs::write(&file, gateway(&[80])).unwrap();
    let mut run = Running::start(&file, &[(80, one), (81, two)], admin);
    run.says("ready", 0);
    run.says(&format!("http://127.0.0.1:{one}"), 0);
    assert_eq!(status(one).unwrap(), "HTTP/1.1 404 Not Found");
    assert!(status(two).is_err(), "nothing listens there yet");

    let before = run.said().len();
    fs::write(&file, gateway(&[80, 81]).replace("selector", "selektor")).unwrap();
    run.says("not reloaded", before);
    let complaint = run.said()[before..].to_owned();
    assert!(complaint.contains("istio.yaml:5:3") && complaint.contains("selektor"), "{complaint}");
    assert_eq!(status(one).unwrap(), "HTTP/1.1 404 Not Found");

    let before = run.said().len();
    // As editors do it: a new file in the place of the old one.
    fs::write(folder.path().join("new"), gateway(&[80, 81])).unwrap();
    fs::rename(folder.path().join("new"), &file).unwrap();
    run.says("reloaded: filters, listeners", before);
    assert_eq!(status(two).unwrap(), "HTTP/1.1 404 Not Found");
    assert_eq!(status(one).unwrap(), "HTTP/1.1 404 Not Found");

    let before = run.said().len();
    fs::write(&file, gateway(&[81])).unwrap();
    run.says("reloaded", before);
    assert_eq!(status(two).unwrap(), "HTTP/1.1 404 Not Found");

    assert_eq!(run.terminate(), Some(0), "{}", run.said());
    assert!(status(two).is_err(), "Envoy is gone too");
}

#[test]
fn after_sigterm_it_serves_until_load_balancers_know() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    let (one, probe, admin) = (port(), port(), port());
    fs::write(&file, gateway(&[80])).unwrap();
    let probe_port = probe.to_string();
    let flags = ["--probe-port", &probe_port, "--min-drain-duration", "8s"];
    let mut run = Running::start_with(&file, &[(80, one)], admin, &flags);
    run.says("ready", 0);
    assert_eq!(status_of(probe, "/healthz/ready").unwrap(), "HTTP/1.1 200 OK");
    run.signal("-TERM");
    let start = Instant::now();
    run.says("stopping", 0);
    while status_of(probe, "/healthz/ready").unwrap() != "HTTP/1.1 503 Service Unavailable" {
        assert!(start.elapsed() < PATIENCE, "the probe never fails");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(status(one).unwrap(), "HTTP/1.1 404 Not Found", "requests are served meanwhile");
    assert_eq!(run.exit_code(), Some(0), "{}", run.said());
    assert!(start.elapsed() >= Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_person_is_not_kept_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    fs::write(&file, gateway(&[80])).unwrap();
    let flags = ["--drain-timeout", "60s"];
    for (signals, open) in [(1, false), (2, true)] {
        let one = port();
        let mut run = Running::start_with(&file, &[(80, one)], port(), &flags);
        run.says("ready", 0);
        // A request that never ends.
        let request = open.then(|| {
            let mut stream = TcpStream::connect(("127.0.0.1", one)).unwrap();
            stream.write_all(b"POST / HTTP/1.1\r\nhost: a.test\r\n\r\n").unwrap();
            stream
        });
        let start = Instant::now();
        for _ in 0..signals {
            run.signal("-INT");
            run.says("stopping", 0);
        }
        assert_eq!(run.exit_code(), Some(0), "{}", run.said());
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        drop(request);
    }
}

#[test]
fn what_fails_for_a_passing_reason_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    let (one, admin) = (port(), port());
    fs::write(&file, gateway(&[80])).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let two = other.local_addr().unwrap().port();
    let mut run = Running::start(&file, &[(80, one), (81, two)], admin);
    run.says("ready", 0);
    let before = run.said().len();
    fs::write(&file, gateway(&[80, 81])).unwrap();
    run.says("trying again in 5 s", before);
    assert!(run.said()[before..].contains(&format!("port {two} ")), "{}", run.said());
    drop(other);
    run.says("\nreloaded: ", before);
    assert_eq!(status(two).unwrap(), "HTTP/1.1 404 Not Found");
    run.signal("-INT");
    assert_eq!(run.exit_code(), Some(0), "{}", run.said());
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    fs::write(&file, gateway(&[80])).unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port();
    let mut run = Running::start(&file, &[(80, taken)], port());
    assert_eq!(run.exit_code(), Some(3), "{}", run.said());
    run.says(&format!("port {taken} (listener on `127.0.0.1`) is taken"), 0);
}

#[test]
fn resources_with_errors_are_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("istio.yaml");
    fs::write(&file, gateway(&[80]).replace("HTTP}", "HTPP}")).unwrap();
    let mut run = Running::start(&file, &[], port());
    assert_eq!(run.exit_code(), Some(1), "{}", run.said());
    run.says("istio.yaml:", 0);
}
