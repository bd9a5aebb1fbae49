//! Constraints that exclude each other, so that their rule fits no request.

use std::collections::HashSet;

use super::field::Field;
use super::rules::{Asked, Constraint, Policy};
use super::shape::Shape;
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};

/// Reports the contradictions of a policy; tells of each rule whether it fits no request.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) -> Vec<bool> {
    let rules = policy.rules.iter().enumerate();
    rules.map(|(at, rule)| check_rule(policy, at, rule, findings)).collect()
}

fn check_rule(policy: &Policy<'_>, at: usize, rule: &Asked<'_>, findings: &mut Vec<Finding>) -> bool {
    let mut report = |found: Contradiction<'_, '_>| findings.push(found.finding(policy, at));
    let when: Vec<_> = rule.when.iter().collect();
    if let Some(found) = contradiction(&[], &when) {
        report(found);
        return true;
    }
    let mut dead = false;
    for alternatives in [&rule.from, &rule.to] {
        let mut impossible = 0usize;
        for alternative in alternatives {
            if let Some(found) = contradiction(&when, &alternative.iter().collect::<Vec<_>>()) {
                impossible = impossible.saturating_add(1);
                report(found);
            }
        }
        dead |= !alternatives.is_empty() && impossible == alternatives.len();
    }
    dead
}

/// Why the values of a constraint can't hold together with others.
enum Contradiction<'c, 'r> {
    /// Another (or the same) constraint excludes each value.
    Excluded(&'c Constraint<'r>, &'c Constraint<'r>),
    /// Likewise, and the values may hold with the alternatives to the other one.
    Excluding(&'c Constraint<'r>, &'c Constraint<'r>),
    /// Nothing fits both.
    Apart(&'c Constraint<'r>, &'c Constraint<'r>),
    /// No principal is of the other one's namespace, account or trust domain.
    Elsewhere(&'c Constraint<'r>, &'c Constraint<'r>),
}

impl Contradiction<'_, '_> {
    fn finding(&self, policy: &Policy<'_>, rule: usize) -> Finding {
        let (path, message) = match self {
            Self::Excluded(one, other) => (
                one.values_path(rule),
                format!("this never holds: {} excludes it", other.not_values_path(rule)),
            ),
            Self::Excluding(one, other) => (
                other.not_values_path(rule),
                format!("this never holds: {} asks for nothing but what is excluded", one.values_path(rule)),
            ),
            Self::Apart(one, other) => (
                one.values_path(rule),
                format!("this never holds: nothing fits {} too", other.values_path(rule)),
            ),
            Self::Elsewhere(one, other) => {
                let by = if other.values.is_empty() {
                    other.not_values_path(rule)
                } else {
                    other.values_path(rule)
                };
                (one.values_path(rule), format!("this never holds: {by} rules out each of these identities"))
            }
        };
        let hint =
            "entries of one list are joined by or, all else in a `source`, an `operation` and `when` by and";
        Finding::new(codes::NEVER_HOLDS, Level::Warning, policy.resource, &path, message)
            .hint(hint.to_owned())
    }
}

/// The first contradiction within `own`, or between it and `others`, which are known to hold together.
fn contradiction<'c, 'r>(
    others: &[&'c Constraint<'r>],
    own: &[&'c Constraint<'r>],
) -> Option<Contradiction<'c, 'r>> {
    let all = || own.iter().chain(others).copied();
    let is_own = |constraint: &Constraint<'_>| own.iter().any(|one| std::ptr::eq(*one, constraint));
    for one in all().filter(|one| !one.values.is_empty()) {
        for other in all().filter(|other| is_own(one) || is_own(other)) {
            if one.field != other.field {
                if is_elsewhere(one, other) {
                    return Some(Contradiction::Elsewhere(one, other));
                }
                continue;
            }
            if !other.not_values.is_empty() && all_covered(&other.not_values, &one.values) {
                let found = if is_own(one) { Contradiction::Excluded } else { Contradiction::Excluding };
                return Some(found(one, other));
            }
            let apart = || one.field.is_single() && all_apart(&one.values, &other.values);
            if !std::ptr::eq(one, other) && !other.values.is_empty() && apart() {
                return Some(Contradiction::Apart(one, other));
            }
        }
    }
    None
}

/// Whether each of `narrow` is covered by one of `wide`.
pub(super) fn all_covered(wide: &[Shape<'_>], narrow: &[Shape<'_>]) -> bool {
    if narrow.len() < 8 {
        return narrow.iter().all(|value| wide.iter().any(|wide| wide.covers(value)));
    }
    let same: HashSet<_> = wide.iter().collect();
    let patterns: Vec<_> = wide.iter().filter(|value| !matches!(value, Shape::Exact(_))).collect();
    narrow.iter().all(|value| same.contains(value) || patterns.iter().any(|wide| wide.covers(value)))
}

/// Whether nothing fits one of the first and one of the second.
fn all_apart(one: &[Shape<'_>], other: &[Shape<'_>]) -> bool {
    let exact = |list: &[Shape<'_>]| list.iter().all(|value| matches!(value, Shape::Exact(_)));
    if exact(one) && exact(other) {
        let known: HashSet<_> = one.iter().collect();
        return !other.iter().any(|value| known.contains(value));
    }
    other.iter().all(|value| one.iter().all(|known| known.excludes(value)))
}

/// Whether `one` lists principals in full, and `other` asks for a part that none of them has.
fn is_elsewhere(one: &Constraint<'_>, other: &Constraint<'_>) -> bool {
    one.field == Field::Principal
        && matches!(other.field, Field::Namespace | Field::ServiceAccount)
        && one.values.iter().all(|value| match value {
            Shape::Exact(text) => part(text, other.field).is_some_and(|part| is_ruled_out(&part, other)),
            _ => false,
        })
}

/// The namespace or account of an identity as Istio issues them.
fn part<'t>(principal: &'t str, field: Field<'_>) -> Option<Shape<'t>> {
    let parts: Vec<_> = principal.split('/').collect();
    match (parts.as_slice(), field) {
        ([_, "ns", namespace, "sa", _], Field::Namespace) => Some(Shape::Exact((*namespace).into())),
        ([_, "ns", namespace, "sa", account], _) => {
            Some(Shape::Exact(format!("{namespace}/{account}").into()))
        }
        _ => None,
    }
}

fn is_ruled_out(value: &Shape<'_>, by: &Constraint<'_>) -> bool {
    let outside = !by.values.is_empty() && by.values.iter().all(|one| one.excludes(value));
    outside || by.not_values.iter().any(|one| one.covers(value))
}
