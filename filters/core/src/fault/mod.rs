//! Fault injection of a VirtualService's rule: delay and abort, and what keeps them within bounds.

mod asked;
pub mod guards;
mod injection;
mod secret;

use std::time::Duration;

use outrigger_api::types::virtual_service::{AbortError, Fault as Spec};

use crate::route::Rule;
use crate::{Draws, Now, Request, header_names};

pub use asked::SECRET;
pub use guards::{Guards, is_over};
pub use injection::{Injection, Trigger, Withheld};

/// The faults of a rule, compiled: of how many in a million requests each, and what is done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fault {
    delay: Option<(u32, Duration)>,
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

/// Counts the requests that are under a fault, on all threads of the proxy.
pub trait ActiveFaults {
    /// How many of the VirtualService `namespace/name` are under one right now.
    fn active(&self, resource: &str) -> u64;
}

/// None is: for who asks offline.
#[derive(Debug, Clone, Copy)]
pub struct NoneActive;

impl ActiveFaults for NoneActive {
    fn active(&self, _: &str) -> u64 {
        0
    }
}

/// What a fault depends on besides the request.
#[derive(Clone, Copy)]
pub struct Moment<'m> {
    /// The time; any will do if no rule has an expiry date.
    pub now: Now,
    /// The faults of other requests.
    pub active: &'m dyn ActiveFaults,
}

/// Draws the faults of `rule`: the delay first, then the abort, independently. `None` if neither hits.
pub fn draw<'e>(
    rule: &'e Rule,
    request: &Request<'_>,
    draws: &mut Draws,
    moment: Moment<'_>,
) -> Option<Injection<'e>> {
    let guards = rule.guards.as_deref();
    let asked = guards.and_then(|guards| asked::faults(guards.headers.as_ref()?, request));
    if rule.fault.is_none() && asked.is_none() {
        return None;
    }
    // What headers ask for stands in place of what the rule says, each for its own.
    let (own, asked) = (rule.fault.unwrap_or_default(), asked.unwrap_or_default());
    let caller = guards.and_then(|guards| guards.caller(request));
    let mut hits = |millionths: u32, purpose: fn(&guards::Points) -> u32| match &caller {
        Some(points) => purpose(points) < millionths,
        None => draws.hits(millionths),
    };
    let delay = asked.delay.or(own.delay);
    let delay = delay.filter(|(millionths, _)| hits(*millionths, |points| points.delay));
    let abort = asked.abort.or(own.abort);
    let abort = abort.filter(|(millionths, _)| hits(*millionths, |points| points.abort));
    if delay.is_none() && abort.is_none() {
        return None;
    }
    let by_headers = (delay.is_some() && asked.delay.is_some()) || (abort.is_some() && asked.abort.is_some());
    Some(Injection {
        delay: delay.map(|(_, delay)| delay),
        abort: abort.map(|(_, error)| error),
        trigger: if by_headers {
            Trigger::Headers
        } else if caller.is_some() {
            Trigger::Sticky
        } else {
            Trigger::Draw
        },
        withheld: guards.and_then(|guards| guards.withhold(&rule.reference.resource, moment)),
        rule: &rule.reference,
    })
}

/// The headers of `request` that ask for faults, if those are meant for `rule`, and so for nobody behind it.
pub fn asking(rule: &Rule, request: &Request<'_>) -> impl Iterator<Item = &'static str> {
    let taken = rule.guards.as_ref().is_some_and(|guards| guards.take_headers());
    let sent = request.headers().iter().filter_map(|(name, _)| header_names::internal(name));
    sent.filter(move |name| taken && (name.starts_with("x-envoy-fault-") || *name == SECRET))
}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests;
