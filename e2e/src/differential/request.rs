//! A request as bytes.

use std::fmt;

use super::wire::Wire;

/// A request to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The Gateway's port that it is sent to.
    pub(super) port: u16,
    /// Its method.
    pub(super) method: String,
    /// Its target: path and query, or a URL.
    pub(super) target: Vec<u8>,
    /// Its `Host`.
    pub(super) host: Vec<u8>,
    /// The other headers in order.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// How it gets there.
    pub(super) wire: Wire,
}

impl Request {
    /// What is sent.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\nhost: ", &self.host].concat();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes
    }

    /// The same with one header more.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut more = self.clone();
        more.headers.push((name.to_owned(), value.into()));
        more
    }

    /// The same with another tag in the place of one.
    pub(super) fn renamed(&self, from: &str, to: &str) -> Self {
        let rename = |bytes: &[u8]| replace(bytes, from.as_bytes(), to.as_bytes());
        Self {
            target: rename(&self.target),
            host: rename(&self.host),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), rename(value))).collect(),
            ..self.clone()
        }
    }

    /// Requests that are smaller by one step.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut smaller: Vec<Self> = (0..self.headers.len())
            .map(|index| {
                let mut less = self.clone();
                less.headers.remove(index);
                less
            })
            .collect();
        if let Some(query) = self.target.iter().position(|byte| *byte == b'?') {
            smaller.push(Self { target: self.target[..query].to_vec(), ..self.clone() });
        }
        if self.method != "GET" {
            smaller.push(Self { method: "GET".to_owned(), ..self.clone() });
        }
        smaller.extend(self.wire.plainer().into_iter().map(|wire| Self { wire, ..self.clone() }));
        smaller
    }
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "port {}{}", self.port, self.wire)?;
        let bytes = self.to_bytes();
        for line in bytes.trim_ascii_end().split(|byte| *byte == b'\n') {
            writeln!(formatter, "{}", line.trim_ascii_end().escape_ascii())?;
        }
        Ok(())
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut replaced, mut rest) = (Vec::new(), bytes);
    while let Some((first, tail)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) if !from.is_empty() => {
                replaced.extend_from_slice(to);
                rest = after;
            }
            _ => {
                replaced.push(*first);
                rest = tail;
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_and_renamed() {
        let request = Request {
            port: 80,
            method: "GET".to_owned(),
            target: b"/x?c1=c1".to_vec(),
            host: b"a.c1.test".to_vec(),
            headers: vec![("x".to_owned(), b"\xff".to_vec())],
            wire: Wire::default(),
        };
        assert_eq!(
            request.renamed("c1", "c2").to_bytes(),
            b"GET /x?c2=c2 HTTP/1.1\r\nhost: a.c2.test\r\nx: \xff\r\n\r\n"
        );
        assert_eq!(request.to_string(), "port 80\nGET /x?c1=c1 HTTP/1.1\nhost: a.c1.test\nx: \\xff\n");
        assert_eq!(request.smaller().len(), 2);
    }
}
