//! The rules that were passed by, for people: each of a few, and of many how many failed at what.

use std::fmt;

use super::answer::PassedOver;
use super::human::{place, step};

/// Up to so many are told one by one.
const FEW: usize = 12;
/// Of more, so many.
const EXAMPLES: usize = 3;
/// Conditions that are named, those at which the most failed first.
const CONDITIONS: usize = 6;

/// Tells of `passed`; with `all` of each.
pub(super) fn tell(out: &mut String, passed: &[PassedOver], all: bool) -> fmt::Result {
    let shown = if all || passed.len() <= FEW { passed.len() } else { EXAMPLES };
    let (shown, rest) = passed.split_at_checked(shown).unwrap_or((passed, &[]));
    for one in shown {
        let place = place(&one.virtual_service, one.rule, one.match_index);
        step(out, "passed by", &format!("{place}: {}", one.reason))?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    step(out, "", &format!("and {} more, which fail at: {} (--all lists them)", rest.len(), conditions(rest)))
}

/// How many fail at which condition.
fn conditions(passed: &[PassedOver]) -> String {
    let mut names: Vec<_> = passed.iter().map(|one| one.condition.as_str()).collect();
    names.sort_unstable();
    let mut counts: Vec<(usize, &str)> = names
        .chunk_by(|one, other| one == other)
        .map(|same| (same.len(), same.first().copied().unwrap_or_default()))
        .collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let others: usize = counts.iter().skip(CONDITIONS).map(|(count, _)| count).sum();
    let named = counts.iter().take(CONDITIONS).map(|(count, name)| format!("{name} ({count})"));
    let others = (others > 0).then(|| format!("others ({others})"));
    named.chain(others).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(rule: usize, condition: &str) -> PassedOver {
        PassedOver {
            virtual_service: "default/shop".to_owned(),
            rule,
            match_index: None,
            condition: condition.to_owned(),
            reason: format!("{condition} is absent"),
        }
    }

    fn told(passed: &[PassedOver], all: bool) -> String {
        let mut text = String::new();
        tell(&mut text, passed, all).unwrap();
        text
    }

    #[test]
    fn few_are_told_one_by_one_and_many_are_summed_up() {
        let mut many: Vec<_> =
            (0..10_000).map(|rule| passed(rule, if rule % 10 == 9 { "port" } else { "path" })).collect();
        assert_eq!(told(&many, true).lines().count(), 10_000);
        assert_eq!(told(&many[..FEW], false).lines().count(), FEW);
        let text = told(&many, false);
        let last = "             and 9997 more, which fail at: path (8997), port (1000) (--all lists them)";
        assert_eq!((text.lines().count(), text.lines().last()), (EXAMPLES + 1, Some(last)));
        many.extend((0..10).map(|name| passed(0, &format!("header `{name}`"))));
        assert!(told(&many, false).contains("others (6)"));
        assert_eq!(told(&[], false), "");
    }
}
