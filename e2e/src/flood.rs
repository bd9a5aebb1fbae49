//! Many requests at once, each on a connection of its own that stays open, with as little of a client around them as
//! will do: the client must not be what is measured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

/// Enough for a client that only waits.
const STACK: usize = 128 * 1024;

/// One connection over HTTP/1.1.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Status line and header lines, in lower case.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
    /// From the last byte of the request to the last of the answer.
    pub took: Duration,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Connection {
    /// Connects to `address` (`host:port`).
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Sends a GET of `path` at `host` with further header lines, each with its line end, and leaves it at that.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn send(&mut self, host: &str, path: &str, lines: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n");
        Ok(self.stream.write_all(request.as_bytes())?)
    }

    /// The same, and waits for the answer.
    ///
    /// # Errors
    /// There is none within a minute.
    pub fn get(&mut self, host: &str, path: &str, lines: &str) -> Result<Answer> {
        self.send(host, path, lines)?;
        let started = Instant::now();
        self.receive(started)
    }

    /// Waits for the answer of a request sent at `started`.
    ///
    /// # Errors
    /// There is none within a minute.
    pub fn receive(&mut self, started: Instant) -> Result<Answer> {
        const END: &[u8] = b"\r\n\r\n";
        let head_end = self.read_until(|bytes| bytes.windows(4).position(|four| four == END))?;
        let head: Vec<u8> = self.unread.drain(..head_end + END.len()).collect();
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase().replace("\r\n", "\n");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let mut answer = Answer { status, head, body: Vec::new(), took: Duration::ZERO };
        let length = answer.header("content-length").map_or(Ok(0), str::parse::<usize>)?;
        if answer.header("transfer-encoding").is_some() {
            bail!("chunks are not read here");
        }
        self.read_until(|bytes| (bytes.len() >= length).then_some(length))?;
        answer.body = self.unread.drain(..length).collect();
        answer.took = started.elapsed();
        Ok(answer)
    }

    fn read_until(&mut self, found: impl Fn(&[u8]) -> Option<usize>) -> Result<usize> {
        let mut buffer = [0u8; 4096];
        loop {
            if let Some(at) = found(&self.unread) {
                return Ok(at);
            }
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                bail!("the connection was closed without an answer");
            }
            self.unread.extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
    }
}

/// Lets `clients` connections do `work` at once, each with its number, and collects what they return.
///
/// # Errors
/// The first failure.
pub fn at_once<T: Send>(
    address: &str,
    clients: usize,
    work: impl Fn(usize, &mut Connection) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(clients);
        for number in 0..clients {
            let work = &work;
            let client = move || work(number, &mut Connection::open(address)?);
            threads.push(std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client)?);
        }
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a client panicked"))?).collect()
    })
}

/// Every connection with a request sent, and nothing read.
///
/// # Errors
/// One could not be opened.
pub fn held(address: &str, clients: usize, host: &str, path: &str) -> Result<Vec<Connection>> {
    let open = |_| {
        let mut connection = Connection::open(address)?;
        connection.send(host, path, "")?;
        Ok(connection)
    };
    (0..clients).map(open).collect()
}
