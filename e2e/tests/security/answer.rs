//! Answers to requests that were sent as bytes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer in full, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer(String);

/// Sends `request` on a connection of its own.
pub(crate) fn ask(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The proxy may answer and close before it has read everything.
    let _ = stream.write_all(request);
    let (mut answer, mut buffer) = (Vec::new(), [0u8; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if read == 0 || is_complete(&text) {
            assert!(!text.is_empty(), "no answer to {}", request.escape_ascii());
            return Answer(text);
        }
    }
}

/// Whether the body is there too. One without a length ends with the connection.
fn is_complete(answer: &str) -> bool {
    answer.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        length.is_some_and(|length| body.len() >= length)
    })
}

/// Its verdict.
pub(crate) fn verdict(address: SocketAddr, request: &[u8]) -> String {
    ask(address, request).verdict()
}

impl Answer {
    /// The status, and of a refusal by a policy the rule.
    pub(crate) fn verdict(&self) -> String {
        let status = self.0.split(' ').nth(1).unwrap_or_default();
        match self.header("x-details").and_then(refused_by) {
            Some(rule) => format!("{status} {rule}"),
            None => status.to_owned(),
        }
    }

    /// The value of a header; of what the upstream has seen, if that is what is in the body.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }

    /// All of it.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The rule in Envoy's details, as short as the tables have it.
pub(crate) fn refused_by(details: &str) -> Option<String> {
    let id = details.strip_prefix("rbac_access_denied_matched_policy[")?.strip_suffix(']')?;
    let Some(policy) = id.strip_prefix("ns[default]-policy[") else { return Some(id.to_owned()) };
    let (policy, rule) = policy.split_once("]-rule[")?;
    Some(format!("{policy}[{rule}"))
}

#[test]
fn verdicts_are_short() {
    let answer =
        |details: &str| Answer(format!("http/1.1 403 forbidden\r\nx-details: {details}\r\n\r\nbody"));
    let denied = answer("rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[3]]");
    assert_eq!(denied.verdict(), "403 p[3]");
    assert_eq!(answer("rbac_access_denied_matched_policy[none]").verdict(), "403 none");
    assert_eq!(answer("via_upstream").verdict(), "403");
    assert_eq!(Answer("http/1.1 200 ok\r\n\r\n".to_owned()).verdict(), "200");
}
