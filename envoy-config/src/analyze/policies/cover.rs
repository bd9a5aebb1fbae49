//! Whether one rule fits every request that another fits.

use super::contradictions::all_covered;
use super::rules::{Asked, Conjunction, Constraint};

/// Whether `wide` fits whatever `narrow` fits, for sure.
///
/// A rule is `from` and `to` and `when`, so `wide` has to be implied part by part. What `narrow` asks under `when`
/// holds in each of its entries.
pub(super) fn covers(wide: &Asked<'_>, narrow: &Asked<'_>) -> bool {
    let when: Vec<_> = narrow.when.iter().collect();
    wide.when.iter().all(|wanted| is_implied(wanted, &when))
        && alternatives_covered(&wide.from, &narrow.from, &when)
        && alternatives_covered(&wide.to, &narrow.to, &when)
}

/// Whether each entry of `narrow` implies one of `wide`.
fn alternatives_covered(
    wide: &[Conjunction<'_>],
    narrow: &[Conjunction<'_>],
    when: &[&Constraint<'_>],
) -> bool {
    let implied = |given: &[&Constraint<'_>]| {
        wide.iter().any(|entry| entry.iter().all(|wanted| is_implied(wanted, given)))
    };
    if wide.is_empty() {
        true
    } else if narrow.is_empty() {
        implied(when)
    } else {
        narrow.iter().all(|entry| implied(&entry.iter().chain(when.iter().copied()).collect::<Vec<_>>()))
    }
}

/// Whether `wanted` holds wherever all of `given` do.
fn is_implied(wanted: &Constraint<'_>, given: &[&Constraint<'_>]) -> bool {
    let mut same = given.iter().filter(|one| one.field == wanted.field);
    let values = wanted.values.is_empty()
        || same.clone().any(|one| !one.values.is_empty() && all_covered(&wanted.values, &one.values));
    values
        && wanted.not_values.iter().all(|excluded| {
            same.clone().any(|one| {
                let outside =
                    !one.values.is_empty() && one.values.iter().all(|value| value.excludes(excluded));
                one.not_values.iter().any(|wide| wide.covers(excluded)) || (one.field.is_single() && outside)
            })
        })
        && (wanted.not_values.is_empty() || same.next().is_some())
}
