//! Answers to requests of gRPC: Envoy makes the status and body of its own, and of the filters', into those of gRPC.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Answer, HeaderChanges, Outcome};

impl Answer {
    /// The same answer as a client of gRPC gets it, if the proxy answers.
    #[must_use]
    pub(in crate::explain) fn into_grpc(self) -> Self {
        let (Outcome::Reply, Some(status)) = (self.outcome, self.status) else { return self };
        let grpc_status = self.grpc_status.unwrap_or_else(|| of_http(status));
        let HeaderChanges { mut set, add, remove } = self.headers;
        set.insert("content-type".to_owned(), "application/grpc".to_owned());
        set.insert("grpc-status".to_owned(), grpc_status.to_string());
        let message = self.body.as_deref().filter(|body| !body.is_empty()).map(encoded);
        set.extend(message.map(|message| ("grpc-message".to_owned(), message)));
        Self {
            status: Some(200),
            grpc_status: Some(grpc_status),
            body: None,
            headers: HeaderChanges { set, add, remove },
            ..self
        }
    }
}

/// The status of gRPC that stands for one of HTTP, by gRPC's own table.
fn of_http(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

/// As `grpc-message` has it.
fn encoded(message: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
    utf8_percent_encode(message, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_become_those_of_grpc() {
        for (status, grpc_status, body, expected, message) in [
            (403, None, "RBAC: access denied", 7, Some("RBAC: access denied")),
            (401, None, "no 100 %\n", 16, Some("no 100 %25%0A")),
            (404, None, "", 12, None),
            (503, None, "a", 14, Some("a")),
            (301, None, "", 2, None),
            (200, Some(5), "fault filter abort", 5, Some("fault filter abort")),
        ] {
            let reply = Answer { grpc_status, body: Some(body.to_owned()), ..Answer::reply(status, "") };
            let answer = reply.into_grpc();
            assert_eq!((answer.status, answer.grpc_status, answer.body), (Some(200), Some(expected), None));
            assert_eq!(answer.headers.set.get("grpc-status"), Some(&expected.to_string()));
            assert_eq!(answer.headers.set.get("grpc-message").map(String::as_str), message);
        }
    }
}
