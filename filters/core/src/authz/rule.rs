//! One rule of a policy.

use super::check::Check;
use super::facts::Facts;
use crate::{Attributes, RuleRef};

/// Conditions that must all hold, the cheap ones first.
pub(super) type All = Box<[Check]>;

/// A rule: one of `from` and one of `to`, where given, and all of `when`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) from: Box<[All]>,
    pub(super) to: Box<[All]>,
    pub(super) when: All,
    pub(super) reference: RuleRef,
}

impl Rule {
    /// Whether the request fits the rule. One without parts fits every request.
    pub(super) fn matches(&self, facts: &Facts<'_, '_>) -> bool {
        let all = |checks: &All| checks.iter().all(|check| check.holds(facts));
        let one_of = |clause: &[All]| clause.is_empty() || clause.iter().any(all);
        one_of(&self.to) && one_of(&self.from) && all(&self.when)
    }

    /// What the rule asks of a request.
    pub(super) fn attributes(&self) -> Attributes {
        let checks = self.from.iter().chain(&self.to).flatten().chain(&self.when);
        checks.fold(Attributes::none(), |all, check| all | check.matcher.attributes())
    }
}
