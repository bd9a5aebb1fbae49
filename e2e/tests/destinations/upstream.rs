//! Endpoints: processes of the demo services, and a server of a few lines where those do too much.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A demo service, which ends with this value.
pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
}

impl Service {
    /// `reviews` of this version; it says `reviews-VERSION` of itself.
    pub(crate) fn start(version: &str) -> Self {
        Self::on(0, version)
    }

    /// The same on a port that was free before.
    pub(crate) fn on(port: u16, version: &str) -> Self {
        let program = std::env::var_os("OUTRIGGER_DEMO_SERVICES").expect("run through ./makew");
        let mut child = Command::new(program)
            .args(["reviews", "--bind", "127.0.0.1", "--port", &port.to_string(), "--version", version])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().expect("the service says its port");
        Self { child, port }
    }

    pub(crate) fn stop(mut self) -> u16 {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.port
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// [`answering`] after `delay`.
pub(crate) fn slow(delay: Duration) -> u16 {
    answering(move || thread::sleep(delay))
}

/// Serves on a free port until the test ends: each request is answered after a `wait` by `reviews-slow`, with what came
/// before the first request of its connection as body, as Rust would write it.
pub(crate) fn answering(wait: impl Fn() + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let wait = wait.clone();
            thread::spawn(move || answer(stream, wait));
        }
    });
    port
}

fn answer(mut stream: TcpStream, wait: impl Fn()) -> Option<()> {
    let (mut bytes, mut first, mut chunk) = (Vec::new(), None, [0; 4096]);
    loop {
        let (start, end) = loop {
            let start = find(&bytes, b"GET /", 0);
            if let Some((start, end)) = start.and_then(|at| Some((at, find(&bytes, b"\r\n\r\n", at)?))) {
                break (start, end);
            }
            let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            bytes.extend(&chunk[..read]);
        };
        let body = first.get_or_insert_with(|| bytes[..start].escape_ascii().to_string().into_bytes());
        wait();
        let head =
            format!("HTTP/1.1 200 OK\r\nx-served-by: reviews-slow\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        bytes.drain(..end + 4);
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}
