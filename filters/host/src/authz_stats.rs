//! What authorization policies have decided: in Envoy's stats, and for access logs.

use outrigger_core::authz::Decision;
use outrigger_core::telemetry::{AuthzStat, authz_dry_run};

use crate::abi::{self, MetricKind, Status};
use crate::metrics::define;

/// Filter state: which policy and rule decided, as `%FILTER_STATE(wasm.outrigger.authz:PLAIN)%` prints it.
const RECORD: &[u8] = b"outrigger.authz";
/// Filter state: what the policies on dry run would have decided.
const SHADOW: &[u8] = b"outrigger.authz_dry_run";

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

/// Leaves `record`, which is [`Decision::record`] of `decision`, to access logs.
pub(crate) fn log(record: Option<&str>, decision: &Decision<'_>) {
    if let Some(record) = record {
        told(abi::set_property(RECORD, record.as_bytes()));
    }
    if let Some(shadow) = decision.shadow_record() {
        told(abi::set_property(SHADOW, shadow.as_bytes()));
    }
}

fn add(name: String) {
    told(define(MetricKind::Counter, name).and_then(|id| abi::increment_metric(id, 1)));
}

fn told(result: Result<(), Status>) {
    if let Err(status) = result {
        log::error!("decision not told: {status:?}");
    }
}
