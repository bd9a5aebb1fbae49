//! What authorization policies have decided, in Envoy's stats.

use outrigger_core::RuleRef;
use outrigger_core::authz::{Action, Decision};
use outrigger_core::telemetry::{AuthzStat, authz_dry_run};

use crate::abi::{self, MetricKind};
use crate::metrics::define;

/// Counts refusals, audits and dry runs.
pub(crate) fn count(decision: &Decision<'_>) {
    if !decision.allowed {
        add(AuthzStat::Denied.name(decision.rule.map(|rule| &*rule.resource)));
    }
    if let Some(rule) = decision.audited {
        add(AuthzStat::Audited.name(Some(&rule.resource)));
    }
    for would in &decision.shadow {
        add(authz_dry_run(would.action.as_str(), would.allowed));
        would.changes.iter().for_each(|policy| add(AuthzStat::Disagreements.name(Some(policy))));
    }
}

/// Counts what a server has said of a request, and of one that does not wait for it whether that would have changed
/// anything.
pub(crate) fn count_answer(allowed: bool, rule: &RuleRef, dry_run: bool) {
    if dry_run {
        add(authz_dry_run(Action::Custom.as_str(), allowed));
    }
    if !allowed {
        let stat = if dry_run { AuthzStat::Disagreements } else { AuthzStat::Denied };
        add(stat.name(Some(&rule.resource)));
    }
}

fn add(name: String) {
    if let Err(status) = define(MetricKind::Counter, name).and_then(|id| abi::increment_metric(id, 1)) {
        log::error!("decision not counted: {status:?}");
    }
}
