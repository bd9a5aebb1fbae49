//! What the policies decided, and what is answered.

use crate::RuleRef;
use crate::verdict::Reply;

/// The action of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The request passes if a rule of such a policy matches; where there is one, none matching refuses it.
    Allow,
    /// The request is refused if a rule of such a policy matches.
    Deny,
    /// The request is marked if a rule of such a policy matches.
    Audit,
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
}

impl<'e> Decision<'e> {
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

/// The name Istio gives a rule's policy in Envoy.
pub(super) fn policy_id(rule: &RuleRef) -> String {
    let (namespace, name) = rule.resource.split_once('/').unwrap_or_default();
    format!("ns[{namespace}]-policy[{name}]-rule[{}]", rule.rule)
}
