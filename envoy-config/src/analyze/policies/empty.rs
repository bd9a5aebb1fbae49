//! ALLOW policies that allow nothing.

use outrigger_api::types::authorization_policy::Action;

use super::rules::Policy;
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};

/// `dead` tells of each rule whether it fits no request.
pub(super) fn check(policy: &Policy<'_>, dead: &[bool], findings: &mut Vec<Finding>) {
    if policy.policy.action != Action::Allow || policy.policy.dry_run || dead.contains(&false) {
        return;
    }
    let (level, path, message, hint) = if dead.is_empty() {
        let message = "this policy has no rules: it denies every request that no other ALLOW policy allows";
        (Level::Info, "spec", message, "`rules: [{}]` would allow every request")
    } else {
        let message =
            "none of these rules fits a request: the policy denies what no other ALLOW policy allows";
        (Level::Warning, "spec.rules", message, "what is wrong with each rule is said there")
    };
    let finding = Finding::new(codes::ALLOWS_NOTHING, level, policy.resource, path, message.to_owned());
    findings.push(finding.hint(hint.to_owned()));
}
