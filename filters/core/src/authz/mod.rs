//! AuthorizationPolicy: who may do what.

use outrigger_api::{Problem, Proxy, Resource};

use crate::jwt::Identity;
use crate::verdict::Reply;
use crate::{Attributes, Request, RuleRef};

/// The action of the policy that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A rule of an ALLOW policy matched, or no ALLOW policy's rule did.
    Allow,
    /// A rule of a DENY policy matched.
    Deny,
}

/// What the policies decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'e> {
    /// Whether the request may go on.
    pub allowed: bool,
    /// The action that decided; `None` when no policy applies.
    pub action: Option<Action>,
    /// The rule that matched; `None` when none did.
    pub rule: Option<&'e RuleRef>,
}

impl<'e> Decision<'e> {
    /// The answer to a refused request.
    pub fn reply(&self) -> Option<Reply<'e>> {
        None
    }
}

/// Compiled authorization policies of one proxy.
#[derive(Debug)]
pub struct Policies {}

impl Policies {
    /// Compiles every AuthorizationPolicy that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path.
    pub fn compile(_resources: &[Resource], _proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        Ok(Self {})
    }

    /// What the rules ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        Attributes::none()
    }

    /// Decides one request.
    pub fn decide<'e>(&'e self, _request: &Request<'_>, _identity: Option<&Identity>) -> Decision<'e> {
        Decision { allowed: true, action: None, rule: None }
    }
}
