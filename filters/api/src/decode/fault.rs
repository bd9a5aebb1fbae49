//! Faults to inject.

use super::{cursor::Cursor, cursor::shorten};
use crate::types::{
    common::Millionths,
    virtual_service::{Abort, AbortError, Delay, Fault},
};

/// gRPC's statuses; the place is the code.
const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

const NEVER: &str = "without `percentage` this never happens";

pub(crate) fn decode(fault: &Cursor<'_>) -> Option<Fault> {
    fault.object(|fields| {
        if !fields.has("delay") && !fields.has("abort") {
            fault.error("missing `delay` or `abort`: one of them is needed");
        }
        let delay = fields.get("delay", delay);
        let abort = fields.get("abort", abort);
        Some(Fault { delay, abort })
    })
}

fn delay(delay: &Cursor<'_>) -> Option<Delay> {
    delay.object(|fields| {
        let percent = fields.get("percent", |percent| {
            percent.deprecated("percent", "`percentage.value`");
            percent.within::<u32>(0, 100).map(|percent| Millionths::new(percent * 10_000))
        });
        let percentage = fields.get("percentage", |at| at.percent());
        if !fields.has("percent") && !fields.has("percentage") {
            delay.warn_hint(NEVER, "set `percentage: {value: 100}` to delay every request");
        }
        fields.get("exponentialDelay", |field| {
            field.error_hint("Istio does not support `exponentialDelay`", "use `fixedDelay`");
            Some(())
        });
        let fixed = fields.has("fixedDelay") || fields.has("exponentialDelay");
        // A wrong word for it is told as such.
        if cfg!(feature = "yaml") && !fixed && !fields.has_unknown() {
            delay.warn_hint("without `fixedDelay` nothing is delayed", "set it, such as `fixedDelay: 5s`");
        }
        let fixed_delay = fields.get("fixedDelay", |at| at.duration());
        let percentage = percentage.or(percent).unwrap_or(Millionths::NONE);
        Some(Delay { percentage, fixed_delay: fixed_delay? })
    })
}

fn abort(abort: &Cursor<'_>) -> Option<Abort> {
    abort.object(|fields| {
        fields.at_most_one(&["httpStatus", "grpcStatus", "http2Error"]);
        let percentage = fields.get("percentage", |at| at.percent());
        if !fields.has("percentage") {
            abort.warn_hint(NEVER, "set `percentage: {value: 100}` to abort every request");
        }
        let http = fields.get("httpStatus", |status| status.within(200, 600)).map(AbortError::Http);
        let grpc = fields.get("grpcStatus", grpc_status).map(AbortError::Grpc);
        fields.get("http2Error", |field| {
            field.error_hint("Istio does not support `http2Error`", "use `httpStatus` or `grpcStatus`");
            Some(())
        });
        if ["httpStatus", "grpcStatus", "http2Error"].iter().all(|name| !fields.has(name)) {
            abort.warn_hint("without `httpStatus` or `grpcStatus` nothing is aborted", "set one of them");
        }
        Some(Abort { percentage: percentage.unwrap_or(Millionths::NONE), error: http.or(grpc)? })
    })
}

fn grpc_status(status: &Cursor<'_>) -> Option<u32> {
    let text = status.string()?;
    let code = (0..).zip(GRPC_STATUSES).find(|(_, name)| *name == text).map(|(code, _)| code);
    if code.is_none() {
        let hint = super::suggest::nearest(&text, &GRPC_STATUSES).map_or_else(
            || format!("one of {}", GRPC_STATUSES.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        status.error_hint(format_args!("`{}` is not a status of gRPC", shorten(&text)), hint);
    }
    code
}
