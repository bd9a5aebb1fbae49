//! The load generator: some connections, each of which sends a request as soon as the one before is answered.
//!
//! Measurements may be a fraction of a second, so that the machine is the same for all that take turns within a round.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};

use super::configurations::Row;
use super::cpu::Meter;
use super::machine::pin_this_process;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is sent, again and again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Request {
    /// Path and query.
    pub(super) path: String,
    /// Header lines, with `host`.
    pub(super) headers: Vec<(String, String)>,
    /// Each request has another one of these.
    pub(super) each: Option<Lines>,
    /// Every answer has to be a refusal; otherwise none may be.
    pub(super) refused: bool,
}

impl Request {
    /// The one that is sent as `number`, from 0; the first, where all are alike or there are not so many.
    pub(super) fn nth(&self, number: usize) -> Result<Self> {
        let mut request = Self { each: None, ..self.clone() };
        if let Some(lines) = &self.each {
            let value = lines.get(number).or_else(|_| lines.get(0))?;
            request.headers.push((lines.header.to_owned(), value));
        }
        Ok(request)
    }
}

/// Values of a header in a file, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    /// The header.
    pub(super) header: &'static str,
    /// The file.
    pub(super) file: PathBuf,
}

impl Lines {
    /// One of them, from 0.
    fn get(&self, number: usize) -> Result<String> {
        self.read()?.lines().nth(number).map(str::to_owned).context("a file without so many lines")
    }

    fn read(&self) -> Result<String> {
        std::fs::read_to_string(&self.file).with_context(|| self.file.display().to_string())
    }
}

/// The requests of one row, put together.
#[derive(Debug)]
pub(super) struct Load {
    port: u16,
    requests: Vec<Vec<u8>>,
    /// Whose turn it is.
    next: Cell<usize>,
    refused: bool,
}

impl Load {
    /// What `row` sends.
    pub(super) fn new(row: &Row) -> Result<Rc<Self>> {
        let Request { path, headers, each, refused } = &row.request;
        let mut head = format!("GET {path} HTTP/1.1\r\n");
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let requests: Vec<_> = match each {
            None => vec![format!("{head}\r\n").into_bytes()],
            Some(lines) => {
                let with = |value| format!("{head}{}: {value}\r\n\r\n", lines.header).into_bytes();
                lines.read()?.lines().map(with).collect()
            }
        };
        ensure!(!requests.is_empty(), "nothing to send");
        Ok(Rc::new(Self { port: row.port, requests, next: Cell::new(0), refused: *refused }))
    }

    /// The next one.
    fn request(&self) -> &[u8] {
        let turn = self.next.get() % self.requests.len();
        self.next.set(turn + 1);
        self.requests.get(turn).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What a measurement has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// Requests that were answered.
    pub(super) requests: u64,
    /// Seconds of CPU time.
    pub(super) seconds: f64,
}

/// Sends.
#[derive(Debug)]
pub(super) struct Generator {
    runtime: Runtime,
    connections: u32,
}

impl Generator {
    /// On `core`, as all that this process does from now on.
    pub(super) fn new(core: Option<usize>, connections: u32) -> Result<Self> {
        core.map_or(Ok(()), pin_this_process)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, connections })
    }

    /// Sends `load` for `duration`. The connections are there before `meter` is read, and every answer before it is read again.
    ///
    /// # Errors
    /// A connection fails, or an answer is not of the kind that is asked for: their cost is not what is to be measured.
    pub(super) fn run(&self, load: &Rc<Load>, duration: Duration, meter: &Meter) -> Result<Measured> {
        let tasks = LocalSet::new();
        let sending = tasks.run_until(self.send(load, duration, meter));
        let limited = async { tokio::time::timeout(duration + PATIENCE, sending).await };
        self.runtime.block_on(limited).context("no answer")?
    }

    async fn send(&self, load: &Rc<Load>, duration: Duration, meter: &Meter) -> Result<Measured> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let mut connection = Connection::open(load.port).await?;
            connection.ask(load).await?;
            connections.push(connection);
        }
        let (before, end) = (meter.seconds()?, Instant::now() + duration);
        let sent: Vec<_> = connections
            .into_iter()
            .map(|mut connection| {
                let load = Rc::clone(load);
                spawn_local(async move {
                    let mut requests = 0;
                    while Instant::now() < end {
                        connection.ask(&load).await?;
                        requests += 1;
                    }
                    Ok::<u64, anyhow::Error>(requests)
                })
            })
            .collect();
        let mut requests = 0;
        for sent in sent {
            requests += sent.await??;
        }
        ensure!(requests > 0, "nothing was sent");
        Ok(Measured { requests, seconds: meter.seconds()? - before })
    }
}

/// A connection that is kept alive.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.context("no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends a request and reads its answer.
    async fn ask(&mut self, load: &Load) -> Result<()> {
        self.stream.write_all(load.request()).await?;
        self.answer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the connection was closed");
            if let Some(status) = status_of(&self.answer)? {
                let good = (200..400).contains(&status) != load.refused;
                ensure!(good, "status {status}: {}", String::from_utf8_lossy(&self.answer));
                return Ok(());
            }
        }
    }
}

/// The status of an answer that is there to its end.
fn status_of(answer: &[u8]) -> Result<Option<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer)? else { return Ok(None) };
    let value = |name: &str| {
        let line = response.headers.iter().find(|line| line.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(line.value).ok()
    };
    let length: usize = match value("content-length") {
        Some(length) => length.parse().with_context(|| format!("content-length: {length}"))?,
        None => bail!("an answer without content-length"),
    };
    Ok(response.code.filter(|_| answer.len() >= head + length))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn row(port: u16, request: Request) -> Row {
        let name = String::new;
        Row { name: name(), about: name(), port, request, bare: name(), native: name() }
    }

    #[test]
    fn an_answer_has_an_end() {
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!";
        for length in 0..answer.len() {
            assert_eq!(status_of(&answer[..length]).unwrap(), None, "{length}");
        }
        assert_eq!(status_of(answer).unwrap(), Some(403));
        for bad in [
            &b"HTTP/1.1 200 OK\r\n\r\n"[..],
            b"SSH-2.0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: a\r\n\r\n",
        ] {
            status_of(bad).unwrap_err();
        }
    }

    #[test]
    fn requests_take_turns() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a\nb\n").unwrap();
        let each = Some(Lines { header: "x-team", file: file.path().to_owned() });
        let headers = vec![("host".to_owned(), "shop".to_owned())];
        let request = Request { path: "/p?q".to_owned(), headers, each, refused: false };
        let load = Load::new(&row(1, request)).unwrap();
        let expected = |team| format!("GET /p?q HTTP/1.1\r\nhost: shop\r\nx-team: {team}\r\n\r\n");
        for team in ["a", "b", "a"] {
            assert_eq!(load.request(), expected(team).as_bytes());
        }
    }

    /// Answers everything on `connections` connections with this.
    fn serve(answer: &'static str, connections: usize) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut buffer = [0; 1024];
                    while stream.read(&mut buffer).is_ok_and(|size| size > 0) {
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        port
    }

    #[test]
    fn answers_are_counted_and_only_good_ones_do() {
        let generator = Generator::new(None, 2).unwrap();
        let meter = Meter::new(std::process::id()).unwrap();
        let run = |answer, refused| {
            let request = Request { path: "/".to_owned(), refused, ..Request::default() };
            let load = Load::new(&row(serve(answer, 2), request)).unwrap();
            generator.run(&load, Duration::from_millis(50), &meter)
        };
        let (good, bad) =
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n");
        let measured = run(good, false).unwrap();
        assert!(measured.requests >= 2 && measured.seconds > 0.0, "{measured:?}");
        run(bad, true).unwrap();
        assert!(run(good, true).is_err() && run(bad, false).is_err());
    }
}
