//! Requests as bytes: what no decent client would send.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// Sends `request` as it is on a connection of its own and returns the status of the answer.
///
/// # Errors
/// No HTTP answer within ten seconds.
pub fn status_of(address: &str, request: &[u8]) -> Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // The proxy may answer and close before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut buffer = [0u8; 4096];
    while !answer.windows(2).any(|bytes| bytes == b"\r\n") {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the connection was closed without an answer");
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let line = String::from_utf8_lossy(&answer).into_owned();
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.with_context(|| format!("no status line: {line}"))
}

/// A connection that is kept for one request after another.
#[derive(Debug)]
pub struct Kept(BufReader<TcpStream>);

impl Kept {
    /// Connects to `address`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn new(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends `request` as it is and returns the status of the answer.
    ///
    /// # Errors
    /// No HTTP answer within ten seconds, or one without a length.
    pub fn status_of(&mut self, request: &[u8]) -> Result<u16> {
        self.0.get_mut().write_all(request)?;
        let (mut status, mut length) = (None, None);
        loop {
            let mut line = Vec::new();
            ensure!(self.0.read_until(b'\n', &mut line)? > 0, "the connection was closed without an answer");
            let line = String::from_utf8_lossy(&line).trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if status.is_none() {
                status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
            }
            length = length.or_else(|| line.strip_prefix("content-length: ")?.parse::<u64>().ok());
        }
        std::io::copy(
            &mut (&mut self.0).take(length.context("an answer without a length")?),
            &mut std::io::sink(),
        )?;
        status.context("no status line")
    }
}

/// A GET of `path` with one more header line and `connection: close`.
#[must_use]
pub fn get(path: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    [
        b"GET ",
        path,
        b" HTTP/1.1\r\nhost: hostile.example\r\nconnection: close\r\n",
        name,
        b": ",
        value,
        b"\r\n\r\n",
    ]
    .concat()
}
