//! What the policies decided, and what is answered.

use std::fmt;
use std::sync::Arc;

use crate::RuleRef;
use crate::verdict::Reply;

/// Begins each part of [`Decision::shadow_record`].
pub const DRY_RUN: &str = "dry-run ";

/// The action of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The request passes if a rule of such a policy matches; where there is one, none matching refuses it.
    Allow,
    /// The request is refused if a rule of such a policy matches.
    Deny,
    /// The request is marked if a rule of such a policy matches.
    Audit,
    /// A server is asked about the request if a rule of such a policy matches.
    Custom,
}

impl Action {
    /// As a policy writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
            Self::Audit => "AUDIT",
            Self::Custom => "CUSTOM",
        }
    }
}

/// What the policies decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'e> {
    /// Whether the request may go on.
    pub allowed: bool,
    /// The action that decided; `None` when neither a DENY rule matched nor any ALLOW policy applies.
    pub action: Option<Action>,
    /// The rule that matched. With several, the one whose Envoy policy ID sorts first, as Envoy names it. `None`
    /// when none did.
    pub rule: Option<&'e RuleRef>,
    /// The AUDIT rule that matched; has no influence on the rest.
    pub audited: Option<&'e RuleRef>,
    /// What policies annotated `istio.io/dry-run: "true"` would have decided: DENY, then ALLOW, where there are such.
    pub shadow: Vec<ShadowDecision<'e>>,
}

/// What the dry-run policies of one action would have decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShadowDecision<'e> {
    /// Their action: ALLOW or DENY.
    pub action: Action,
    /// Whether the request would have passed them.
    pub allowed: bool,
    /// The rule that matched.
    pub rule: Option<&'e RuleRef>,
    /// The policies (`namespace/name`) that would have changed the verdict, had they been enforced.
    pub changes: &'e [Arc<str>],
}

impl<'e> Decision<'e> {
    /// Whether the request passes and there is nothing to count.
    pub fn is_unremarkable(&self) -> bool {
        self.allowed && self.audited.is_none() && self.shadow.is_empty()
    }

    /// What access logs get of it, such as `denied DENY shop/cart[0]`, `denied ALLOW none` or
    /// `allowed ALLOW shop/cart[1], audited shop/all[0]`; `None` if no policy had anything to say.
    pub fn record(&self) -> Option<String> {
        let decided = self.action.map(|action| record(self.allowed, action, self.rule));
        let audited = self.audited.map(|rule| format!("audited {rule}"));
        match (decided, audited) {
            (Some(decided), Some(audited)) => Some(format!("{decided}, {audited}")),
            (decided, audited) => decided.or(audited),
        }
    }

    /// The same of the dry-run policies, such as `dry-run denied DENY shop/cart[0] (differs)`: that would have changed the
    /// verdict. `None` without such policies.
    pub fn shadow_record(&self) -> Option<String> {
        let each = self.shadow.iter().map(|would| {
            let differs = if would.changes.is_empty() { "" } else { " (differs)" };
            format!("{DRY_RUN}{}{differs}", record(would.allowed, would.action, would.rule))
        });
        Some(each.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// The answer to a refused request, as Envoy's RBAC filter gives it. Of a gRPC request Envoy makes
    /// `PERMISSION_DENIED` of it.
    pub fn reply(&self) -> Option<Reply<'e>> {
        (!self.allowed).then(|| Reply {
            status: 403,
            headers: vec![("content-type".into(), b"text/plain"[..].into())],
            body: b"RBAC: access denied"[..].into(),
            details: format!(
                "rbac_access_denied_matched_policy[{}]",
                self.rule.map_or_else(|| "none".to_owned(), policy_id)
            )
            .into(),
            grpc_status: None,
        })
    }
}

/// A verdict as access logs have it: by which action and which rule.
pub fn record(allowed: bool, action: Action, rule: Option<&RuleRef>) -> String {
    let verdict = if allowed { "allowed" } else { "denied" };
    let rule: &dyn fmt::Display = match &rule {
        Some(rule) => rule,
        None => &"none",
    };
    format!("{verdict} {} {rule}", action.as_str())
}

/// The name Istio gives a rule's policy in Envoy.
pub(super) fn policy_id(rule: &RuleRef) -> String {
    let (namespace, name) = rule.resource.split_once('/').unwrap_or_default();
    format!("ns[{namespace}]-policy[{name}]-rule[{}]", rule.rule)
}
