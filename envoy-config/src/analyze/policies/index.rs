//! Finds the rules that may cover another one without looking at all of them.
//!
//! A rule that covers another has each of its constraints implied by one of the other's. So it stands under the values
//! of one of its constraints, and the other's first value there leads to it. One that asks for no value stands under
//! the first thing that it excludes, and is found where the same is excluded; the first few of such are looked at
//! wherever their field is asked for, as something wider may be excluded there, or something else wanted.

use std::collections::HashMap;

use super::field::Field;
use super::key::{Key, Lengths};
use super::rules::{Asked, Conjunction, Constraint};

/// How many rules that only exclude something are looked at for each constraint on their field.
const FEW: usize = 16;

/// Rules of one action and one scope, by number.
#[derive(Debug, Default)]
pub(super) struct Index<'r> {
    rules: HashMap<Key<'r>, Vec<usize>>,
    lengths: Lengths<'r>,
    /// The first few that stand under what they exclude.
    excluding: HashMap<Field<'r>, Vec<usize>>,
    /// Rules that ask nothing.
    unconditional: Vec<usize>,
}

impl<'r> Index<'r> {
    pub(super) fn new<'a>(rules: impl IntoIterator<Item = (usize, &'a Asked<'r>)>) -> Self
    where
        'r: 'a,
    {
        let mut index = Self::default();
        let mut drafts = Vec::new();
        for (number, rule) in rules {
            if rule.is_empty() {
                index.unconditional.push(number);
            } else {
                drafts.push((number, clauses(rule)));
            }
        }
        let mut shared = HashMap::<&Key<'_>, usize>::new();
        for key in drafts.iter().flat_map(|(_, clauses)| clauses).flatten().flatten().flatten() {
            let count = shared.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        for (number, clauses) in &drafts {
            for key in choose(clauses, &shared) {
                index.lengths.add(key);
                if let Key::Not(field, _) = key {
                    let few = index.excluding.entry(*field).or_default();
                    if few.len() < FEW {
                        few.push(*number);
                    }
                }
                index.rules.entry(key.clone()).or_default().push(*number);
            }
        }
        index
    }

    /// The numbers of rules that may cover `rule`: those that ask nothing, then others, each list in order.
    pub(super) fn candidates(&self, rule: &Asked<'r>) -> Vec<usize> {
        let (mut found, mut few) = (Vec::new(), Vec::new());
        let mut find = |key: Key<'r>| found.extend(self.rules.get(&key).into_iter().flatten());
        let from = rule.from.first().into_iter().flatten();
        let to = rule.to.first().into_iter().flatten();
        for constraint in from.chain(to).chain(&rule.when) {
            if let Some(value) = constraint.values.first() {
                self.lengths.around(constraint.field, value, &mut find);
            }
            for value in &constraint.not_values {
                find(Key::Not(constraint.field, value.clone()));
            }
            few.extend(self.excluding.get(&constraint.field).into_iter().flatten());
        }
        found.append(&mut few);
        found.sort_unstable();
        found.dedup();
        self.unconditional.iter().copied().chain(found).collect()
    }
}

/// What a rule could stand under: one of the clauses; of each alternative of that, one constraint; all of its keys.
type Clauses<'r> = Vec<Vec<Vec<Vec<Key<'r>>>>>;

fn clauses<'r>(rule: &Asked<'r>) -> Clauses<'r> {
    let alternative = |all: &Conjunction<'r>| all.iter().map(keys).collect::<Vec<_>>();
    let lists = [&rule.from, &rule.to].map(|list| list.iter().map(alternative).collect::<Vec<_>>());
    let when = if rule.when.is_empty() { Vec::new() } else { vec![alternative(&rule.when)] };
    lists.into_iter().chain([when]).filter(|clause| !clause.is_empty()).collect()
}

fn keys<'r>(constraint: &Constraint<'r>) -> Vec<Key<'r>> {
    let field = constraint.field;
    match (constraint.values.as_slice(), constraint.not_values.first()) {
        ([], Some(first)) => vec![Key::Not(field, first.clone())],
        (values, _) => values.iter().map(|value| Key::of(field, value)).collect(),
    }
}

/// The clause and the constraints that the fewest other rules share.
fn choose<'k, 'r>(clauses: &'k Clauses<'r>, shared: &HashMap<&Key<'_>, usize>) -> Vec<&'k Key<'r>> {
    let cost =
        |keys: &Vec<Key<'_>>| keys.iter().filter_map(|key| shared.get(key)).max().copied().unwrap_or(0);
    let best = clauses.iter().map(|clause| {
        let chosen: Vec<_> =
            clause.iter().filter_map(|entry| entry.iter().min_by_key(|keys| cost(keys))).collect();
        let worst = chosen.iter().map(|keys| cost(keys)).max().unwrap_or(0);
        (worst, chosen)
    });
    let chosen = best.min_by_key(|(worst, _)| *worst).map(|(_, chosen)| chosen);
    chosen.into_iter().flatten().flatten().collect()
}
