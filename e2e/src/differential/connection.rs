//! A kept connection to a listener.

use std::fmt;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::answer::Answer;
use super::upstream::read_head;

/// Bytes to and from a listener.
pub(super) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// Connects.
type Open = Box<dyn Fn() -> Result<Box<dyn Stream>> + Send>;

/// A client of one listener, one request at a time.
pub(super) struct Connection {
    open: Open,
    stream: Option<BufReader<Box<dyn Stream>>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("is_open", &self.stream.is_some()).finish()
    }
}

/// What every socket of a client has.
pub(super) fn prepared(stream: TcpStream) -> Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    Ok(stream)
}

impl Connection {
    /// To the listener at `address`; connects when there is something to send.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self::by(Box::new(move || Ok(Box::new(prepared(TcpStream::connect(address)?)?))))
    }

    /// That connects by `open`, when there is something to send.
    pub(super) fn by(open: Open) -> Self {
        Self { open, stream: None }
    }

    /// Sends a request with this method.
    ///
    /// # Errors
    /// No answer, twice.
    pub(super) fn send(&mut self, method: &str, bytes: &[u8]) -> Result<Answer> {
        // The listener may have closed the connection after the last answer.
        let first = self.attempt(method, bytes);
        if first.is_ok() {
            return first;
        }
        self.stream = None;
        let second = self.attempt(method, bytes);
        if second.is_err() {
            self.stream = None;
        }
        second
    }

    fn attempt(&mut self, method: &str, bytes: &[u8]) -> Result<Answer> {
        let mut reader = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new((self.open)()?),
        };
        reader.get_mut().write_all(bytes)?;
        reader.get_mut().flush()?;
        let head = read_head(&mut reader)?.context("closed without an answer")?;
        let mut lines = head.iter();
        let line = lines.next().context("no status line")?;
        let status =
            std::str::from_utf8(line.get(9..12).unwrap_or_default()).ok().and_then(|s| s.parse().ok());
        let status: u16 = status.with_context(|| format!("no status line: {}", line.escape_ascii()))?;
        let headers: Vec<(String, Vec<u8>)> = lines
            .map(|line| {
                let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
                let value = line.get(at + 1..).unwrap_or_default().trim_ascii();
                (String::from_utf8_lossy(&line[..at]).to_ascii_lowercase(), value.to_vec())
            })
            .collect();
        let value = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let mut body = Vec::new();
        if method != "HEAD" && status != 204 && status != 304 {
            if let Some(length) = value("content-length").and_then(|length| length.parse::<u64>().ok()) {
                reader.by_ref().take(length).read_to_end(&mut body)?;
            } else if value("transfer-encoding").as_deref() == Some("chunked") {
                body = chunked(&mut reader)?;
            } else {
                reader.read_to_end(&mut body)?;
            }
        }
        if value("connection").as_deref() != Some("close") {
            self.stream = Some(reader);
        }
        Ok(Answer::new(status, headers, &body))
    }
}

fn chunked(reader: &mut BufReader<Box<dyn Stream>>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        std::io::BufRead::read_until(reader, b'\n', &mut line)?;
        let size =
            u64::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).context("a chunk's size")?;
        if size == 0 {
            // Trailers, if any, end with an empty line.
            read_head(reader)?;
            return Ok(body);
        }
        reader.by_ref().take(size).read_to_end(&mut body)?;
        reader.read_exact(&mut [0; 2])?;
    }
}
