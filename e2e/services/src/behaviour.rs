//! What every service can be asked for, to see how a proxy copes: slowness, failure, and a count of attempts.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use crate::attempts::Attempts;
use crate::response::{Reply, error, grpc, json};

/// The longest `/delay`, in seconds: a mistaken request does not hold a connection for ever.
const MAX_DELAY: f64 = 60.0;

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed on request")
    }
}

impl std::error::Error for Reset {}

/// How `/flaky` fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Status(StatusCode),
    /// A gRPC status: 14 `UNAVAILABLE` and 1 `CANCELLED` are retried by Istio's default policy.
    Grpc(u16),
    Reset,
}

impl Failure {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "unavailable" => Some(Self::Grpc(14)),
            "cancelled" => Some(Self::Grpc(1)),
            "reset" => Some(Self::Reset),
            status => final_status(status).map(Self::Status),
        }
    }
}

/// A status that can end a response: 200 to 599.
pub(crate) fn final_status(text: &str) -> Option<StatusCode> {
    let status: StatusCode = text.parse().ok()?;
    (200..600).contains(&status.as_u16()).then_some(status)
}

/// Answers the paths that ask for a behaviour; `None` for every other path.
///
/// - `/delay/SECONDS`: an answer after that time; decimals are allowed.
/// - `/flaky/KEY/N[/HOW]`: the first N requests of KEY fail, later ones succeed. HOW is a status (503 if absent),
///   `unavailable` or `cancelled` (gRPC), or `reset`.
/// - `/reset/KEY`: the connection closes without an answer.
/// - `/count/KEY`: how many requests of KEY `/flaky` and `/reset` saw.
pub(crate) async fn answer(attempts: &Attempts, path: &str, is_grpc: bool) -> Option<Result<Reply, Reset>> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match *segments.as_slice() {
        ["delay", seconds] => Some(Ok(delay(seconds).await)),
        ["flaky", key, failures] => Some(flaky(attempts, key, failures, "503", is_grpc)),
        ["flaky", key, failures, how] => Some(flaky(attempts, key, failures, how, is_grpc)),
        ["reset", key] => {
            attempts.record(key);
            Some(Err(Reset))
        }
        ["count", key] => {
            Some(Ok(json(StatusCode::OK, &json!({ "key": key, "attempts": attempts.seen(key) }))))
        }
        _ => None,
    }
}

async fn delay(seconds: &str) -> Reply {
    let Some(wanted) = seconds.parse().ok().filter(|wanted| (0.0..=MAX_DELAY).contains(wanted)) else {
        return error(StatusCode::BAD_REQUEST, "a delay is a number of seconds from 0 to 60");
    };
    tokio::time::sleep(Duration::from_secs_f64(wanted)).await;
    json(StatusCode::OK, &json!({ "delay": wanted }))
}

fn flaky(attempts: &Attempts, key: &str, failures: &str, how: &str, is_grpc: bool) -> Result<Reply, Reset> {
    let (Ok(failures), Some(failure)) = (failures.parse::<u64>(), Failure::parse(how)) else {
        return Ok(error(
            StatusCode::BAD_REQUEST,
            "want /flaky/KEY/N/HOW with a number N, and HOW a status, `unavailable`, `cancelled` or `reset`",
        ));
    };
    let attempt = attempts.record(key);
    if attempt > failures {
        return Ok(if is_grpc {
            grpc(0)
        } else {
            json(StatusCode::OK, &json!({ "key": key, "attempt": attempt }))
        });
    }
    match failure {
        Failure::Status(status) => Ok(json(status, &json!({ "key": key, "attempt": attempt }))),
        Failure::Grpc(status) => Ok(grpc(status)),
        Failure::Reset => Err(Reset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_failures() {
        let table = [
            ("503", Some(Failure::Status(StatusCode::SERVICE_UNAVAILABLE))),
            ("unavailable", Some(Failure::Grpc(14))),
            ("cancelled", Some(Failure::Grpc(1))),
            ("reset", Some(Failure::Reset)),
            ("100", None),
            ("600", None),
            ("", None),
            ("often", None),
        ];
        for (text, expected) in table {
            assert_eq!(Failure::parse(text), expected, "{text}");
        }
    }
}
