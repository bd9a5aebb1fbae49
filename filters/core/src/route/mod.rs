//! VirtualService routes: which rule matches, where it sends the request and what it changes.

use std::time::Duration;

use outrigger_api::{Problem, Proxy, Resource};

use crate::verdict::{HeaderOp, Outcome, Reply};
use crate::{Attributes, Draws, Request, RuleRef};

/// A place to send requests to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// Fully qualified host.
    pub host: String,
    /// Subset of the DestinationRule.
    pub subset: Option<String>,
    /// Service port.
    pub port: u16,
}

/// One rule of a VirtualService, compiled.
#[derive(Debug)]
pub struct Rule {
    /// Which rule of which VirtualService.
    pub reference: RuleRef,
}

impl Rule {
    /// Chooses the destination.
    pub fn choose<'e>(&'e self, _request: &Request<'_>, _draws: &mut Draws) -> Choice<'e> {
        Choice { rule: self, match_index: None, destination: None, timeout: None }
    }

    /// Applies the rule's response header changes to an answer given in place of the upstream's.
    pub fn change_reply_headers(&self, _reply: &mut Reply<'_>) {}
}

/// The route taken by one request.
#[derive(Debug)]
pub struct Choice<'e> {
    /// The rule that matched.
    pub rule: &'e Rule,
    /// Which of its `match` entries matched; `None` if it has none.
    pub match_index: Option<usize>,
    /// The destination drawn; `None` for a redirect or a direct response.
    pub destination: Option<&'e Destination>,
    /// The route's timeout.
    pub timeout: Option<Duration>,
}

impl<'e> Choice<'e> {
    /// What to do with the request, `ops` being the changes decided before.
    pub fn outcome(&self, _request: &Request<'_>, ops: Vec<HeaderOp<'e>>) -> Outcome<'e> {
        Outcome::Forward(ops)
    }
}

/// Compiled routes of one proxy.
#[derive(Debug)]
pub struct Table {
    rules: Vec<Rule>,
}

impl Table {
    /// Compiles every VirtualService that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path.
    pub fn compile(_resources: &[Resource], _proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        Ok(Self { rules: Vec::new() })
    }

    /// What the rules ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        Attributes::none()
    }

    /// The first rule that matches, in Istio's order.
    pub fn find<'e>(&'e self, _request: &Request<'_>) -> Option<&'e Rule> {
        self.rules.first()
    }
}
