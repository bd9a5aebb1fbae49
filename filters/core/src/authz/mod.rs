//! AuthorizationPolicy: who may do what.
//!
//! The judge is Envoy's `rbac` 1.40 as Istio configures it. Where this differs:
//!
//! | | Envoy | here |
//! |---|---|---|
//! | an IPv4 address in its IPv6 form, `::ffff:10.0.0.1`, in a policy or in `x-forwarded-for` | an IPv6 address, which no IPv4 block holds | the IPv4 address, so that no client gets around a DENY by writing it so |
//! | a certificate with several URIs, which SPIFFE forbids | any of them may match | the first counts |
//! | DNS names and subject of a certificate that has a URI | any of them may match | the URI counts |
//! | an address or a port that is not known | does not occur | no ALLOW rule about it matches, and every other does |

mod check;
mod compile;
mod custom;
mod decision;
mod draft;
pub mod ext_authz;
mod facts;
mod index;
mod ip_index;
mod key;
mod nearest;
mod peer;
mod rule;
mod rule_set;
mod token;
pub mod trust_domain;

use std::slice;
use std::sync::Arc;

use outrigger_api::types::extension_provider::ExtensionProvider;
use outrigger_api::{Problem, Proxy, Resource};

pub use custom::{Ask, Custom};
pub use decision::{Action, DRY_RUN, Decision, ShadowDecision, record};
use facts::Facts;
pub use nearest::{Nearest, nearest};
use rule_set::RuleSet;

use crate::{Attributes, Request, RuleRef};

/// Compiled authorization policies of one proxy.
#[derive(Debug)]
pub struct Policies {
    /// The one that is tried out comes first.
    customs: Vec<Custom>,
    audit: Option<RuleSet>,
    deny: Option<RuleSet>,
    /// `None` if no ALLOW policy applies. Without rules it refuses everything.
    allow: Option<RuleSet>,
    shadow_deny: Option<RuleSet>,
    shadow_allow: Option<RuleSet>,
    /// The ALLOW policies on dry run, `namespace/name`.
    shadow_allow_policies: Vec<Arc<str>>,
    attributes: Attributes,
}

impl Policies {
    /// Compiles every AuthorizationPolicy that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path: CUSTOM without its provider or with several, and conditions on Envoy's
    /// dynamic metadata.
    pub fn compile(
        resources: &[Resource],
        proxy: &Proxy,
        providers: &[ExtensionProvider],
    ) -> Result<Self, Vec<Problem>> {
        compile::compile(resources, proxy, providers)
    }

    /// The servers that requests may have to be asked about: of policies that are tried out, and of others.
    pub fn customs(&self) -> &[Custom] {
        &self.customs
    }

    /// What the rules ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        self.attributes
    }

    /// Decides one request.
    ///
    /// Policies of a kind are one set: DENY comes first, then ALLOW (Istio's order); AUDIT and dry-run policies are
    /// asked whatever the others say. An address or port that is not known holds in every condition of DENY and
    /// AUDIT policies, `not…` or not, and in none of ALLOW policies.
    pub fn decide<'e>(&'e self, request: &Request<'_>) -> Decision<'e> {
        let refusing = Facts { request, unknown_holds: true };
        let allowing = Facts { request, unknown_holds: false };
        let first = |set: &'e Option<RuleSet>, facts| set.as_ref().and_then(|set: &RuleSet| set.first(facts));
        let audited = first(&self.audit, &refusing);
        let denied = first(&self.deny, &refusing);
        let (allowed, action, rule) = match (denied, &self.allow) {
            (Some(rule), _) => (false, Some(Action::Deny), Some(rule)),
            (None, None) => (true, None, None),
            (None, Some(set)) => {
                let rule = set.first(&allowing);
                (rule.is_some(), Some(Action::Allow), rule)
            }
        };
        let mut decision = Decision { allowed, action, rule, audited, shadow: Vec::new() };
        if self.shadow_deny.is_some() || self.shadow_allow.is_some() {
            decision.shadow = self.shadow(&decision, &refusing, &allowing);
        }
        decision
    }

    /// What the policies on dry run make of a request with this verdict. Kept out of the way where there are none.
    #[inline(never)]
    fn shadow<'e>(
        &'e self,
        verdict: &Decision<'e>,
        refusing: &Facts<'_, '_>,
        allowing: &Facts<'_, '_>,
    ) -> Vec<ShadowDecision<'e>> {
        let policy = |rule: Option<&'e RuleRef>| rule.map_or(&[][..], |rule| slice::from_ref(&rule.resource));
        let deny = self.shadow_deny.as_ref().map(|set| {
            let rule = set.first(refusing);
            let changes = if verdict.allowed { policy(rule) } else { &[] };
            ShadowDecision { action: Action::Deny, allowed: rule.is_none(), rule, changes }
        });
        let allow = self.shadow_allow.as_ref().map(|set| {
            let rule = set.first(allowing);
            let changes = match (verdict.allowed, rule) {
                // There is no ALLOW policy yet: with one, all is refused that none allows.
                (true, None) if verdict.action.is_none() => self.shadow_allow_policies.as_slice(),
                (false, Some(_)) if verdict.action == Some(Action::Allow) => policy(rule),
                _ => &[],
            };
            ShadowDecision { action: Action::Allow, allowed: rule.is_some(), rule, changes }
        });
        deny.into_iter().chain(allow).collect()
    }
}

#[cfg(test)]
mod tests;
