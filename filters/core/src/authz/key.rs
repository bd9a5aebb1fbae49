//! What a rule may stand under in the index, and which of it serves best.

use ipnet::IpNet;
use outrigger_api::types::authorization_policy::ValuePattern;

use super::facts::{Address, Field};
use super::ip_index;
use crate::matching::ByteMap;

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Text(Field, Pattern, Box<[u8]>),
    Address(Address, IpNet),
}

/// How a request's value is compared with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Exact,
    Prefix,
    Suffix,
}

/// Keys a rule stands under: a request that it fits has a value that fits one of them.
pub(super) type Keys<'k> = Vec<&'k Key>;

/// The fields that one alternative of a clause could stand under, with all values of each.
pub(super) type Choices = Vec<Vec<Key>>;

/// One clause of a rule: what each of its alternatives could stand under.
pub(super) type Clause = Vec<Choices>;

impl Key {
    /// The key of one pattern; `None` for `*`, which fits too much.
    pub(super) fn of_pattern(field: &Field, pattern: &ValuePattern) -> Option<Self> {
        let (kind, text) = match pattern {
            ValuePattern::Any => return None,
            ValuePattern::Exact(text) => (Pattern::Exact, text),
            ValuePattern::Prefix(text) => (Pattern::Prefix, text),
            ValuePattern::Suffix(text) => (Pattern::Suffix, text),
        };
        // Hosts are looked up in lower case.
        let text = if *field == Field::Host { text.to_ascii_lowercase() } else { text.clone() };
        Some(Self::Text(field.clone(), kind, text.into_bytes().into()))
    }

    /// As bytes; no two keys have the same.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(field, pattern, text) => {
                let mut bytes = field.bytes();
                bytes.push(*pattern as u8);
                bytes.extend_from_slice(text);
                bytes
            }
            Self::Address(address, block) => {
                let mut bytes = vec![u8::MAX, *address as u8];
                bytes.extend(ip_index::key(*block));
                bytes
            }
        }
    }
}

/// Chooses for each rule, given by its clauses, the clause and the field whose values the fewest rules share, on
/// average: a request has one of them. `None` for a rule of which no clause has keys for all its alternatives.
pub(super) fn choose(rules: &[Vec<Clause>]) -> Vec<Option<Keys<'_>>> {
    let mut shared = ByteMap::<usize>::default();
    for key in rules.iter().flatten().flatten().flatten().flatten() {
        shared.change(key.bytes().into(), || 0, |count| *count = count.saturating_add(1));
    }
    let cost = |keys: &Vec<Key>| {
        let sharing = keys.iter().map(|key| shared.get(&key.bytes()).copied().unwrap_or(0)).sum::<usize>();
        sharing.checked_div(keys.len()).unwrap_or(0)
    };
    let of_clause = |clause: &'_ Clause| -> Option<(usize, Vec<usize>)> {
        let best =
            clause.iter().map(|choices| choices.iter().enumerate().map(|(at, keys)| (cost(keys), at)).min());
        let best = best.collect::<Option<Vec<_>>>()?;
        Some((best.iter().map(|(cost, _)| *cost).max()?, best.iter().map(|(_, at)| *at).collect()))
    };
    rules
        .iter()
        .map(|clauses| {
            let best =
                clauses.iter().filter_map(|clause| of_clause(clause).map(|(cost, at)| (cost, at, clause)));
            let (_, chosen, clause) = best.min_by_key(|(cost, ..)| *cost)?;
            let keys = clause.iter().zip(chosen).filter_map(|(choices, at)| choices.get(at)).flatten();
            Some(keys.collect())
        })
        .collect()
}
