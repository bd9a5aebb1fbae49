//! The fault drawn for one request.

use std::fmt;
use std::time::Duration;

use outrigger_api::types::virtual_service::AbortError;

use crate::duration::milliseconds;
use crate::telemetry::ResponseFlags;
use crate::verdict::Reply;
use crate::{Request, RuleRef};

/// Why a request was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A draw hit.
    Draw,
    /// Its caller's point, which is always the same, is below the percentage.
    Sticky,
    /// Its headers ask for it.
    Headers,
}

/// Why a request that was chosen is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// `outrigger.io/fault-expires` has passed.
    Expired,
    /// `outrigger.io/fault-dry-run`
    DryRun,
    /// As many are under a fault as `outrigger.io/fault-max-active` allows.
    Overflow,
}

impl Withheld {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::DryRun => "dry-run",
            Self::Overflow => "overflow",
        }
    }
}

/// The fault drawn for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection<'e> {
    /// How long to hold it, unless the fault is withheld.
    pub delay: Option<Duration>,
    /// What to abort it with, after the delay, unless the fault is withheld.
    pub abort: Option<AbortError>,
    /// Why it was drawn.
    pub trigger: Trigger,
    /// Why nothing is done for all that.
    pub withheld: Option<Withheld>,
    /// The rule.
    pub rule: &'e RuleRef,
}

impl<'e> Injection<'e> {
    /// How long to hold the request.
    pub fn hold(&self) -> Duration {
        self.delay.filter(|_| self.withheld.is_none()).unwrap_or_default()
    }

    /// Envoy's response flags of such a request. A filter of ours can't set them in Envoy.
    pub fn flags(&self) -> ResponseFlags {
        let flag = |set, flag| if set { flag } else { ResponseFlags::default() };
        let done = self.withheld.is_none();
        flag(done && self.delay.is_some(), ResponseFlags::DELAY_INJECTED)
            .with(flag(done && self.abort.is_some(), ResponseFlags::FAULT_INJECTED))
    }

    /// The HTTP status that the client would see; a gRPC abort comes with 200, even to a client that speaks plain HTTP,
    /// which is how Envoy's fault filter does it.
    pub fn abort_status(&self) -> Option<u16> {
        self.abort.map(|error| match error {
            AbortError::Http(status) => status,
            AbortError::Grpc(_) => 200,
        })
    }

    /// The answer to an aborted request, before the route's response header changes.
    pub fn reply(&self, request: &Request<'_>) -> Option<Reply<'e>> {
        let status = self.abort_status().filter(|_| self.withheld.is_none())?;
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

/// For a log: `default/shop[0] delay=5000ms abort=503 dry-run`.
impl fmt::Display for Injection<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]", self.rule.resource, self.rule.rule)?;
        if let Some(delay) = self.delay {
            write!(formatter, " delay={}ms", milliseconds(delay))?;
        }
        match self.abort {
            Some(AbortError::Http(status)) => write!(formatter, " abort={status}")?,
            Some(AbortError::Grpc(code)) => write!(formatter, " abort=grpc:{code}")?,
            None => {}
        }
        match self.withheld {
            Some(why) => write!(formatter, " {}", why.as_str()),
            None => Ok(()),
        }
    }
}
