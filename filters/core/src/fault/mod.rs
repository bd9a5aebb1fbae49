//! Fault injection of a VirtualService's rule: delay and abort.

use std::time::Duration;

use crate::route::Rule;
use crate::verdict::Reply;
use crate::{Draws, Request, RuleRef};

/// The fault drawn for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection<'e> {
    /// How long to hold it.
    pub delay: Option<Duration>,
    /// HTTP status to abort it with.
    pub abort_status: Option<u16>,
    /// The rule.
    pub rule: &'e RuleRef,
}

impl<'e> Injection<'e> {
    /// The answer to an aborted request.
    pub fn reply(&self, _request: &Request<'_>) -> Option<Reply<'e>> {
        None
    }
}

/// Draws the faults of `rule`: the delay first, then the abort, independently. `None` if neither hits.
pub fn draw<'e>(_rule: &'e Rule, _draws: &mut Draws) -> Option<Injection<'e>> {
    None
}
