//! What has been decided of a request, left in filter state for access logs and traces.

use outrigger_core::authz::Decision;
use outrigger_core::{PolicySet, Verdict};

use crate::{abi, fault_stats, jwt_stats, stream};

/// Which policy and rule decided over access, as `%FILTER_STATE(wasm.outrigger.authz:PLAIN)%` prints it; the others alike.
const AUTHZ: &[u8] = b"outrigger.authz";
/// What the policies on dry run would have decided.
const AUTHZ_DRY_RUN: &[u8] = b"outrigger.authz_dry_run";
/// Whose token it was, or what was wrong with it.
const JWT: &[u8] = b"outrigger.jwt";
/// The rule that routed it.
const ROUTE: &[u8] = b"outrigger.route";

/// Leaves what the rules about tokens and routes have decided; faults are noted where they are counted.
pub(crate) fn leave<const POLICIES: u8>(verdict: &Verdict<'_>) {
    if const { PolicySet::contains_bits(POLICIES, PolicySet::JWT) }
        && let Some(record) = verdict.jwt.as_ref().and_then(|jwt| jwt.record())
    {
        set(JWT, &record);
    }
    if const { PolicySet::contains_bits(POLICIES, PolicySet::ROUTE) }
        && let Some(rule) = verdict.route.as_ref().and_then(|route| route.rule())
    {
        set(ROUTE, &rule.reference.to_string());
    }
}

/// Leaves what a server has said of the request.
pub(crate) fn leave_answer(record: &str) {
    set(AUTHZ, record);
}

/// Leaves what the authorization policies have decided: their record, and what those on dry run say.
pub(crate) fn leave_decision(record: Option<&str>, decision: &Decision<'_>) {
    record.into_iter().for_each(|record| set(AUTHZ, record));
    decision.shadow_record().into_iter().for_each(|record| set(AUTHZ_DRY_RUN, &record));
}

/// Says that the properties which the filters set are texts, of all streams of the root context whose callback this is:
/// Envoy takes them for bytes otherwise, which in CEL neither equal a text nor begin with one.
pub(crate) fn declare() {
    let texts = [
        AUTHZ,
        AUTHZ_DRY_RUN,
        JWT,
        ROUTE,
        jwt_stats::DRY_RUN,
        stream::CLAIMS,
        fault_stats::FAULT,
        fault_stats::FLAGS,
    ];
    for key in texts {
        // Envoy's `DeclarePropertyArguments`: 1 the name, 3 the type, of which 1 is a string.
        let length = u8::try_from(key.len()).unwrap_or(0);
        let arguments = [&[0x0a, length], key, &[0x18, 1]].concat();
        // An Envoy without the function logs them all the same.
        let _ = abi::call_foreign_function("declare_property", &arguments);
    }
}

fn set(key: &[u8], record: &str) {
    if let Err(status) = abi::set_property(key, record.as_bytes()) {
        log::error!("decision not left to logs: {status:?}");
    }
}
