//! Retries of an HTTP route.

use super::{cursor::Cursor, cursor::shorten};
use crate::types::virtual_service::{HttpRetry, RetryOn};

/// Conditions which Istio takes.
const CONDITIONS: [&str; 16] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// Statuses which Go knows by name; Istio takes no others.
const STATUSES: [u16; 62] = [
    100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307,
    308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421,
    422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
];

pub(crate) fn decode(retries: &Cursor<'_>) -> Option<HttpRetry> {
    retries.object_like("{attempts: 3}", |fields| {
        let attempts = fields.get("attempts", |at| at.count());
        let disabled = attempts.map_or(!fields.has("attempts"), |attempts| attempts == 0);
        for name in ["perTryTimeout", "retryOn", "retryRemoteLocalities"] {
            fields.get(name, |field| {
                if disabled {
                    field.error_hint(
                        format_args!(
                            "`{name}` has no effect: without `attempts` above 0 there are no retries"
                        ),
                        "set `attempts`",
                    );
                }
                Some(())
            });
        }
        Some(HttpRetry {
            attempts: attempts.unwrap_or_default(),
            per_try_timeout: fields.get("perTryTimeout", |at| at.duration()),
            retry_on: fields.get("retryOn", retry_on),
            retry_remote_localities: fields.get("retryRemoteLocalities", |at| at.bool()),
            retry_ignore_previous_hosts: fields.get("retryIgnorePreviousHosts", |at| at.bool()),
            backoff: fields.get("backoff", |at| at.duration()),
        })
    })
}

fn retry_on(field: &Cursor<'_>) -> Option<RetryOn> {
    let text = field.string()?;
    if text.is_empty() {
        return None;
    }
    let mut retry_on = RetryOn::default();
    for condition in text.split(',') {
        let status = condition.parse().ok().filter(|status| STATUSES.contains(status));
        match status {
            Some(status) => retry_on.status_codes.push(status),
            None if CONDITIONS.contains(&condition) => {
                retry_on.conditions.push(condition.to_owned());
            }
            None => unknown(field, condition),
        }
    }
    Some(retry_on)
}

fn unknown(field: &Cursor<'_>, condition: &str) {
    let trimmed = condition.trim();
    if trimmed.is_empty() {
        field.error("the list of conditions has an empty entry");
        return;
    }
    let hint = if trimmed != condition {
        "write the list without spaces".to_owned()
    } else {
        super::suggest::nearest(trimmed, &CONDITIONS).map_or_else(
            || format!("one of {}, or a status", CONDITIONS.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        )
    };
    field.error_hint(format_args!("`{}` is not a condition of a retry", shorten(condition)), hint);
}
