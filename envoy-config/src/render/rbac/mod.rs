//! Rules of AuthorizationPolicies as Envoy's own RBAC filters carry them out: on TCP connections, and where a server is
//! asked about requests.

mod clause;
mod fields;
mod permission;
mod principal;
#[cfg(test)]
mod tests;
mod text;

use outrigger_api::types::authorization_policy::{AuthorizationPolicy, Rule};
use outrigger_api::{Proxy, Resource};

pub(super) use self::fields::{Asking, http_only, is_for, peers};
use crate::envoy::rbac::{Clause, Permission, Policy, Principal, Rbac, RbacAction};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// Requests.
    Http,
    /// Connections: nothing that HTTP speaks of is known.
    Tcp,
}

/// For whom rules are translated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping<'m> {
    /// What they look at.
    pub(super) layer: Layer,
    /// What they lead to.
    pub(super) action: RbacAction,
    /// For whom: the names of its mesh count, and its port, which `destination.port` is compared with. Without one it is
    /// that of the connection.
    pub(super) proxy: &'m Proxy,
}

/// A policy with its resource.
pub(crate) type Applied<'r> = (&'r Resource, &'r AuthorizationPolicy);

/// The rules of `policies`, each named by `name`.
pub(super) fn rbac(
    policies: &[Applied<'_>],
    mapping: Mapping<'_>,
    name: impl Fn(&Resource, usize) -> String,
) -> Rbac {
    let mut all = Rbac { action: mapping.action, policies: Default::default() };
    for (resource, policy) in policies {
        let rules = policy.rules.as_deref().unwrap_or_default();
        if rules.is_empty() {
            // It counts nevertheless: an ALLOW policy then refuses.
            all.policies.insert(name(resource, 0), nothing());
        }
        for (at, rule) in rules.iter().enumerate() {
            if let Some(policy) = self::policy(rule, mapping) {
                all.policies.insert(name(resource, at), policy);
            }
        }
    }
    all
}

/// Istio's name of a rule.
pub(super) fn rule_name(resource: &Resource, rule: usize) -> String {
    format!("ns[{}]-policy[{}]-rule[{rule}]", resource.meta.namespace, resource.meta.name)
}

/// A rule. `None`: on a connection this one can't be told, and whoever it would let pass does not.
fn policy(rule: &Rule, mapping: Mapping<'_>) -> Option<Policy> {
    let (permissions, more_to_do) = permission::permissions(rule, mapping);
    let (principals, more_to_know) = principal::principals(rule, mapping);
    // What is about HTTP has been left out, so the rule is wider than it should be. That is safe unless it lets pass.
    let widened = more_to_do || more_to_know;
    (!widened || mapping.action != RbacAction::Allow).then_some(Policy { permissions, principals })
}

/// Matches nothing.
fn nothing() -> Policy {
    Policy { permissions: vec![Permission::any().negated()], principals: vec![Principal::any().negated()] }
}
