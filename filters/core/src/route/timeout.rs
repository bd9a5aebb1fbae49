//! The time that a request may take. Istio gives gRPC clients a say: the route's `timeout` is the most that
//! their `grpc-timeout` can ask for (Envoy's `max_grpc_timeout`).

use std::time::Duration;

use crate::Request;

/// The limit for `request` on a route with `timeout`.
pub(super) fn limit(timeout: Option<Duration>, request: &Request<'_>) -> Option<Duration> {
    let timeout = timeout?;
    if !request.is_grpc() {
        return Some(timeout);
    }
    let asked = request.header(b"grpc-timeout").and_then(parse).filter(|asked| !asked.is_zero());
    Some(asked.map_or(timeout, |asked| asked.min(timeout)))
}

/// A `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        // Envoy counts in whole milliseconds, rounded up.
        b'u' => Duration::from_millis(amount.div_ceil(1_000)),
        b'n' => Duration::from_millis(amount.div_ceil(1_000_000)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::Connection;

    #[test]
    fn grpc_clients_can_ask_for_less() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (timeout, content_type, asked, expected) in [
            (None, "application/grpc", "1S", None),
            (seconds(3), "text/plain", "1S", seconds(3)),
            (seconds(3), "application/grpc", "1S", seconds(1)),
            (seconds(3), "application/grpc", "1H", seconds(3)),
            (seconds(3), "application/grpc", "1500000u", Some(Duration::from_millis(1500))),
            (seconds(3), "application/grpc", "1n", Some(Duration::from_millis(1))),
            (seconds(3), "application/grpc", "0S", seconds(3)),
            (seconds(3), "application/grpc", "", seconds(3)),
            (seconds(3), "application/grpc", "123456789S", seconds(3)),
            (seconds(3), "application/grpc", "\u{e9}S", seconds(3)),
        ] {
            let headers =
                [(&b"content-type"[..], content_type.as_bytes()), (b"grpc-timeout", asked.as_bytes())];
            let request = Request::new(&headers, &Connection::UNKNOWN);
            assert_eq!(limit(timeout, &request), expected, "{asked}");
        }
    }
}
