//! Tokens and their keys in Envoy's stats and log.

use std::cell::Cell;

use outrigger_core::RuleRef;
use outrigger_core::jwt::{Cache, Failure};
use outrigger_core::telemetry::{JwtStat, dry_run_denied};

use crate::abi::{self, MetricKind, Status};
use crate::metrics::define;

/// Filter state: why a rule with `outrigger.io/dry-run` would have refused the request, as
/// `%FILTER_STATE(wasm.outrigger.jwt_dry_run:PLAIN)%` prints it.
pub(crate) const DRY_RUN: &[u8] = b"outrigger.jwt_dry_run";

thread_local! {
    /// Ids of the stats, by their place in [`JwtStat`].
    static IDS: Cell<[Option<u32>; JwtStat::ALL.len()]> = const { Cell::new([None; JwtStat::ALL.len()]) };
}

/// Adds to a counter.
pub(crate) fn count(stat: JwtStat, number: u64) {
    let mut ids = IDS.get();
    let Some(known) = ids.get_mut(stat as usize) else { return };
    let id = match *known {
        Some(id) => Ok(id),
        None => define(MetricKind::Counter, stat.name().to_owned()),
    };
    *known = id.ok();
    IDS.set(ids);
    told(id.and_then(|id| add(id, number)));
}

/// Adds what the cache has counted.
pub(crate) fn count_tokens(cache: &Cache) {
    let counts = cache.take_counts();
    for (stat, number) in [
        (JwtStat::CacheHit, counts.hits),
        (JwtStat::CacheMiss, counts.misses),
        (JwtStat::CacheEvicted, counts.evicted),
    ] {
        if number != 0 {
            count(stat, number);
        }
    }
}

/// Counts a request that would have been refused, and notes it for the access log.
pub(crate) fn would_refuse(failure: &Failure, rule: &RuleRef) {
    let id = define(MetricKind::Counter, dry_run_denied(&rule.resource));
    told(id.and_then(|id| add(id, 1)));
    let note = format!("{}[{}]: {}", rule.resource, rule.rule, failure.text());
    told(abi::set_property(DRY_RUN, note.as_bytes()));
}

fn add(id: u32, number: u64) -> Result<(), Status> {
    abi::increment_metric(id, i64::try_from(number).unwrap_or(i64::MAX))
}

fn told(result: Result<(), Status>) {
    if let Err(status) = result {
        log::error!("token not counted: {status:?}");
    }
}
