//! Faults that a request asks for by Envoy's `x-envoy-fault-…` headers, where a VirtualService lets it.

use std::time::Duration;

use outrigger_api::types::virtual_service::AbortError;

use super::guards::Allowed;
use super::{Fault, secret};
use crate::Request;

/// The header by which a client shows that it may ask for faults. It is taken away before the request goes on.
pub const SECRET: &str = "x-outrigger-fault-secret";

/// A hundredth of a million.
const PERCENT: u32 = 10_000;

/// What the headers of `request` ask for; `None` if it is nothing, or if the client may not.
pub(super) fn faults(allowed: &Allowed, request: &Request<'_>) -> Option<Fault> {
    let number = |name: &[u8]| std::str::from_utf8(request.header(name)?).ok()?.trim().parse::<u32>().ok();
    // As with Envoy's fault filter: all requests, unless a percentage says less.
    let share = |name: &[u8]| number(name).unwrap_or(100).min(100).saturating_mul(PERCENT);
    let delay = number(b"x-envoy-fault-delay-request").filter(|delay| *delay > 0);
    let http = number(b"x-envoy-fault-abort-request").and_then(|status| u16::try_from(status).ok());
    let http = http.filter(|status| (200..600).contains(status)).map(AbortError::Http);
    let abort = http.or_else(|| number(b"x-envoy-fault-abort-grpc-request").map(AbortError::Grpc));
    if delay.is_none() && abort.is_none() {
        return None;
    }
    is_allowed(allowed, request).then(|| Fault {
        delay: delay.map(|delay| {
            (share(b"x-envoy-fault-delay-request-percentage"), Duration::from_millis(u64::from(delay)))
        }),
        abort: abort.map(|error| (share(b"x-envoy-fault-abort-request-percentage"), error)),
    })
}

fn is_allowed(allowed: &Allowed, request: &Request<'_>) -> bool {
    let known = allowed.from.as_ref().is_none_or(|from| from.hold(request));
    let shown = || request.header(SECRET.as_bytes()).unwrap_or_default();
    known && allowed.secret.as_ref().is_none_or(|digest| secret::is(shown(), digest))
}
