//! Fault injection of a VirtualService's rule: delay and abort.

use std::time::Duration;

use outrigger_api::types::virtual_service::{AbortError, Fault as Spec};

use crate::route::Rule;
use crate::telemetry::ResponseFlags;
use crate::verdict::Reply;
use crate::{Draws, Request, RuleRef};

/// The faults of a rule, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Of how many in a million requests, and how long.
    delay: Option<(u32, Duration)>,
    /// Of how many in a million requests, and with what.
    abort: Option<(u32, AbortError)>,
}

impl Fault {
    /// Compiles Istio's `fault`.
    pub fn new(spec: &Spec) -> Self {
        Self {
            delay: spec.delay.as_ref().map(|delay| (delay.percentage.get(), delay.fixed_delay)),
            abort: spec.abort.as_ref().map(|abort| (abort.percentage.get(), abort.error)),
        }
    }
}

/// The fault drawn for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection<'e> {
    /// How long to hold it.
    pub delay: Option<Duration>,
    /// What to abort it with, after the delay.
    pub abort: Option<AbortError>,
    /// The rule.
    pub rule: &'e RuleRef,
}

impl<'e> Injection<'e> {
    /// The HTTP status that the client sees; a gRPC abort comes with 200, even to a client that speaks plain HTTP,
    /// which is how Envoy's fault filter does it.
    pub fn abort_status(&self) -> Option<u16> {
        self.abort.map(|error| match error {
            AbortError::Http(status) => status,
            AbortError::Grpc(_) => 200,
        })
    }

    /// The response flags that Envoy's own filter would set.
    pub fn flags(&self) -> ResponseFlags {
        let mut flags = ResponseFlags::default();
        if self.delay.is_some() {
            flags = flags.with(ResponseFlags::DELAY_INJECTED);
        }
        if self.abort.is_some() {
            flags = flags.with(ResponseFlags::FAULT_INJECTED);
        }
        flags
    }

    /// The answer to an aborted request, before the route's response header changes.
    pub fn reply(&self, request: &Request<'_>) -> Option<Reply<'e>> {
        let status = self.abort_status()?;
        let grpc_status = match self.abort {
            Some(AbortError::Grpc(code)) if request.is_grpc() => Some(code),
            _ => None,
        };
        Some(Reply {
            status,
            headers: Vec::new(),
            body: b"fault filter abort".into(),
            details: "fault_filter_abort".into(),
            grpc_status,
        })
    }
}

/// Draws the faults of `rule`: the delay first, then the abort, independently. `None` if neither hits.
pub fn draw<'e>(rule: &'e Rule, draws: &mut Draws) -> Option<Injection<'e>> {
    let fault = rule.fault?;
    let delay = fault.delay.filter(|(millionths, _)| draws.hits(*millionths)).map(|(_, delay)| delay);
    let abort = fault.abort.filter(|(millionths, _)| draws.hits(*millionths)).map(|(_, error)| error);
    (delay.is_some() || abort.is_some()).then_some(Injection { delay, abort, rule: &rule.reference })
}

#[cfg(test)]
mod tests;
