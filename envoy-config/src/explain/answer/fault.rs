//! Faults in an answer.

use outrigger_api::types::virtual_service::{AbortError, Fault as Spec};
use outrigger_core::fault::{Injection, Trigger, Withheld};
use serde::Serialize;

use super::{millis, percent};

/// The fault drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// How long the request is held.
    pub delay_ms: u64,
    /// The status it is aborted with.
    pub abort_status: Option<u16>,
    /// The gRPC status, of an abort that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_grpc_status: Option<u32>,
    /// `ns/name` of the VirtualService.
    pub policy: String,
    /// Why this request: `draw`, `sticky` or `headers`.
    pub trigger: &'static str,
    /// Why it is spared for all that: `expired`, `dry-run` or `overflow`. Then the delay is 0 and there is no abort.
    pub withheld: Option<&'static str>,
    /// How long it would have been held, if it is spared.
    pub would_delay_ms: Option<u64>,
    /// The status it would have been aborted with, if it is spared.
    pub would_abort_status: Option<u16>,
}

impl Fault {
    pub(super) fn of(injection: &Injection<'_>) -> Self {
        let spared = injection.withheld.is_some();
        let status = injection.abort_status();
        Self {
            delay_ms: millis(injection.hold()),
            abort_status: status.filter(|_| !spared),
            abort_grpc_status: match injection.abort {
                Some(AbortError::Grpc(status)) if !spared => Some(status),
                _ => None,
            },
            policy: injection.rule.resource.to_string(),
            trigger: match injection.trigger {
                Trigger::Draw => "draw",
                Trigger::Sticky => "sticky",
                Trigger::Headers => "headers",
            },
            withheld: injection.withheld.map(Withheld::as_str),
            would_delay_ms: injection.delay.filter(|_| spared).map(millis),
            would_abort_status: status.filter(|_| spared),
        }
    }
}

/// How many of a hundred requests meet a fault; the two are drawn independently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultChances {
    /// Are held.
    pub delay_percent: f64,
    /// Are aborted.
    pub abort_percent: f64,
}

impl FaultChances {
    /// Those of `fault`.
    pub fn of(fault: &Spec) -> Self {
        Self {
            delay_percent: fault.delay.as_ref().map_or(0.0, |delay| percent(delay.percentage)),
            abort_percent: fault.abort.as_ref().map_or(0.0, |abort| percent(abort.percentage)),
        }
    }
}
