//! The services that requests are forwarded to: one server that tells what it saw, on a port for each endpoint.

use std::collections::HashMap;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};

/// A service.
pub(super) struct Service {
    /// Its full name.
    pub(super) host: &'static str,
    /// Its ports.
    pub(super) ports: &'static [u16],
    /// One endpoint a version, which has a label `version`.
    pub(super) versions: &'static [&'static str],
    /// The header by whose hash its DestinationRule chooses an endpoint.
    pub(super) hash: Option<&'static str>,
}

/// Every service.
pub(super) const SERVICES: &[Service] = &[
    service("alpha.default.svc.cluster.local", &[80, 8080], &["v1"]),
    service("beta.default.svc.cluster.local", &[9080], &["v1", "v2", "v3"]),
    service("gamma.other.svc.cluster.local", &[8000], &["v1"]),
    service("delta.default.svc.cluster.local", &[7000, 7001], &["v1"]),
    Service {
        hash: Some("x-role"),
        ..service("hashed.default.svc.cluster.local", &[9090], &["v1", "v2", "v3"])
    },
    service("outside.example.com", &[80], &["v1"]),
];

const fn service(host: &'static str, ports: &'static [u16], versions: &'static [&'static str]) -> Service {
    Service { host, ports, versions, hash: None }
}

/// A subset that the DestinationRule names but no endpoint belongs to.
pub(super) const EMPTY_SUBSET: &str = "nobody";

/// Where one port of one version of a service answers.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The service.
    pub(super) host: &'static str,
    /// The service's port.
    pub(super) port: u16,
    /// The version.
    pub(super) version: &'static str,
    /// The port of the loopback interface.
    pub(super) real: u16,
}

/// Names a request, for copies of it to be found by. The upstream does not tell of it.
pub(super) const NUMBER: &str = "x-differential-number";

/// What has come in of each request with a number: itself, its retries and its copies.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies(Arc<Mutex<HashMap<String, Vec<Vec<u8>>>>>);

impl Copies {
    fn add(&self, number: &str, seen: &[u8]) {
        if let Ok(mut copies) = self.0.lock() {
            copies.entry(number.to_owned()).or_default().push(seen.to_vec());
        }
    }

    /// Everything of the request with this number, as the upstream tells what it sees.
    pub(super) fn of(&self, number: &str) -> Vec<Vec<u8>> {
        self.0.lock().ok().and_then(|copies| copies.get(number).cloned()).unwrap_or_default()
    }
}

/// Starts the server; it runs until the process ends.
pub(super) fn start() -> Result<(Vec<Endpoint>, Copies)> {
    let (mut endpoints, copies) = (Vec::new(), Copies::default());
    for service in SERVICES {
        for &port in service.ports {
            for &version in service.versions {
                let listener = TcpListener::bind("127.0.0.1:0").context("no port for an upstream")?;
                let real = listener.local_addr()?.port();
                let name = format!("{}:{port} {version}", service.host);
                let copies = copies.clone();
                std::thread::spawn(move || {
                    for stream in listener.incoming().flatten() {
                        let (name, copies) = (name.clone(), copies.clone());
                        // A connection that breaks off ends its thread, and nothing else.
                        std::thread::spawn(move || serve(stream, &name, &copies));
                    }
                });
                endpoints.push(Endpoint { host: service.host, port, version, real });
            }
        }
    }
    Ok((endpoints, copies))
}

/// Answers requests of one connection with what was seen. `x-answer: 503` asks for another status than 200, and
/// `x-answer: 503 2` for that status to the first two tries only.
fn serve(stream: TcpStream, name: &str, copies: &Copies) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_head(&mut reader)? {
        let value = |name: &str| {
            let found = head.iter().skip(1).find_map(|line| {
                let (key, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
                key.eq_ignore_ascii_case(name.as_bytes()).then(|| String::from_utf8_lossy(&value[1..]))
            });
            found.map(|value| value.trim().to_owned())
        };
        if let Some(length) = value("content-length").and_then(|length| length.parse::<u64>().ok()) {
            std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        }
        let attempt = value("x-envoy-attempt-count").and_then(|count| count.parse().ok()).unwrap_or(1);
        let status = value("x-answer").map_or(200, |answer| status(&answer, attempt));
        let mut body = format!("{name}\n").into_bytes();
        for line in head.iter().filter(|line| !line.starts_with(NUMBER.as_bytes())) {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        if let Some(number) = value(NUMBER) {
            copies.add(&number, &body);
        }
        let bodiless = head.first().is_some_and(|line| line.starts_with(b"HEAD "));
        let mut answer = format!(
            "HTTP/1.1 {status} Answer\r\nx-from: {name}\r\nx-twice: 1\r\nx-twice: 2\r\nset-cookie: a=b\r\ncontent-type: text/x-seen\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        if !bodiless && status != 204 && status != 304 {
            answer.extend_from_slice(&body);
        }
        writer.write_all(&answer)?;
    }
    Ok(())
}

fn status(answer: &str, attempt: u32) -> u16 {
    let mut parts = answer.split(' ');
    let status = parts.next().and_then(|status| status.parse().ok()).unwrap_or(200);
    let failures = parts.next().and_then(|count| count.parse().ok()).unwrap_or(u32::MAX);
    if attempt <= failures { status } else { 200 }
}

/// The lines of a message's head, without their ends. `None`: the connection was closed before it.
pub(super) fn read_head(reader: &mut impl std::io::BufRead) -> Result<Option<Vec<Vec<u8>>>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            anyhow::ensure!(lines.is_empty(), "the connection was closed in the middle of a head");
            return Ok(None);
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        if line.is_empty() {
            return Ok(Some(lines));
        }
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_change_after_the_asked_number_of_failures() {
        assert_eq!(status("503", 9), 503);
        assert_eq!(status("503 2", 2), 503);
        assert_eq!(status("503 2", 3), 200);
    }

    #[test]
    fn a_head_ends_at_an_empty_line() {
        let mut text = &b"GET / HTTP/1.1\r\nhost: a\xff\r\n\r\nbody"[..];
        assert_eq!(read_head(&mut text).unwrap().unwrap(), [&b"GET / HTTP/1.1"[..], b"host: a\xff"]);
        assert_eq!(text, b"body");
        assert!(read_head(&mut &b""[..]).unwrap().is_none());
        assert!(read_head(&mut &b"GET"[..]).is_err());
    }
}
