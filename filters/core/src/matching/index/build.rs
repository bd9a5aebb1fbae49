//! Chooses by what entries are split.

use outrigger_api::ordered;

use super::atoms::{Atom, Atoms};
use super::key::{Subject, Test};
use super::{Entry, Node, Regexes, Split, Unchecked};
use crate::matching::ByteMap;
use crate::matching::prefixes::Prefixes;
use crate::matching::regex::{RegexError, compile_set};

/// Entries of at most this weight are checked one by one: it costs about what a look-up costs.
const LIGHT: usize = 8;
/// The weight of an entry whose regexes are not settled yet.
const REGEX: usize = 4;
/// Ways to look for the same request's entries in one node.
const MOST_SPLITS: usize = 6;
/// Splits one below the other.
const DEEPEST: usize = 10;

/// The tree of `entries`.
pub(super) fn root(entries: &[Entry<'_>]) -> Result<Node, RegexError> {
    let filed = (0u32..).zip(entries).map(|(number, entry)| Filed {
        entry: number,
        unchecked: Unchecked::first(entry.demands),
        by_name: false,
    });
    let filed = filed.collect();
    Builder { atoms: Atoms::new(entries) }.node(filed, 0)
}

/// An entry on its way down the tree.
#[derive(Debug, Clone, Copy)]
struct Filed {
    entry: u32,
    unchecked: Unchecked,
    /// Whether it stands below the name of one of its headers or parameters already.
    by_name: bool,
}

struct Builder<'k> {
    atoms: Atoms<'k>,
}

/// How many entries of a node stand in one group of a subject, if each takes its rarest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Count {
    subject: usize,
    group: usize,
    entries: usize,
}

impl Builder<'_> {
    /// The node of `entries`, which ascend.
    fn node(&self, mut entries: Vec<Filed>, depth: usize) -> Result<Node, RegexError> {
        // None is ever reached behind one that holds for every request that comes here.
        if let Some(last) = entries.iter().position(|filed| filed.unchecked.is_empty()) {
            entries.truncate(last.saturating_add(1));
        }
        let lowest = entries.first().map_or(u32::MAX, |filed| filed.entry);
        let mut splits = Vec::new();
        while splits.len() < MOST_SPLITS && depth < DEEPEST && self.weight(&entries) > LIGHT {
            let filings = self.filings(&entries);
            let Some(subject) = self.best(&counts(filings.iter().map(|(atom, _)| *atom))) else { break };
            let with: Vec<_> = filings.into_iter().filter(|(atom, _)| atom.subject == subject).collect();
            let mut gone = with.iter().map(|(_, filed)| filed.entry).peekable();
            entries.retain(|filed| gone.next_if_eq(&filed.entry).is_none());
            splits.push(self.split(subject, with, depth)?);
        }
        let plain = entries.iter().map(|filed| (filed.entry, filed.unchecked)).collect();
        Ok(Node { lowest, plain, splits: splits.into() })
    }

    /// For each entry and subject the rarest group that the entry can stand in there.
    fn filings(&self, entries: &[Filed]) -> Vec<(Atom, Filed)> {
        let all = counts(entries.iter().flat_map(|filed| self.open(filed)).copied());
        let mut filings: Vec<(Atom, Filed)> = Vec::with_capacity(entries.len());
        for filed in entries {
            let first = filings.len();
            for atom in self.open(filed) {
                let mut own = filings.iter_mut().skip(first);
                match own.find(|(other, _)| other.subject == atom.subject) {
                    Some((other, _)) if rarity(&all, atom) < rarity(&all, other) => *other = *atom,
                    Some(_) => {}
                    None => filings.push((*atom, *filed)),
                }
            }
        }
        filings
    }

    /// The subject that leaves the fewest candidates in the worst case; `None` if none is worth a look-up.
    fn best(&self, counts: &[Count]) -> Option<usize> {
        let subjects = counts.chunk_by(|one, other| one.subject == other.subject);
        let gains = subjects.filter_map(|groups| {
            let subject = groups.first()?.subject;
            let (mut all, mut exact, mut prefix, mut regexes) = (0, 0, 0, 0usize);
            for count in groups {
                all += count.entries;
                match self.atoms.test(count.group)? {
                    Test::Exact(_) => exact = count.entries.max(exact),
                    Test::Prefix(_) => prefix = count.entries.max(prefix),
                    Test::Regex(_) => regexes += count.entries,
                }
            }
            // More than one prefix can fit a value, and any number of regexes.
            let left = exact + prefix + regexes.div_ceil(2);
            let by_name = matches!(self.atoms.subject(subject), Subject::HeaderNames | Subject::QueryNames);
            // What all have in common is still worth one look instead of one for each.
            let worth = left < all || (all > LIGHT && !by_name);
            worth.then_some((all.saturating_sub(left), !by_name, subject))
        });
        gains
            .reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best })
            .map(|best| best.2)
    }

    /// Entries by group, each group's in order.
    fn split(&self, subject: usize, mut with: Vec<(Atom, Filed)>, depth: usize) -> Result<Split, RegexError> {
        ordered::sort_by(&mut with, |(one, _), (other, _)| one.group.cmp(&other.group));
        let (mut exact, mut prefixes) = (ByteMap::default(), ByteMap::default());
        let (mut sources, mut nodes) = (Vec::new(), Vec::new());
        for same in with.chunk_by(|(one, _), (other, _)| one.group == other.group) {
            let Some(test) = same.first().and_then(|(atom, _)| self.atoms.test(atom.group)) else { continue };
            let below = same.iter().map(|(atom, filed)| filed.below(atom)).collect();
            let node = self.node(below, depth.saturating_add(1))?;
            match test {
                Test::Exact(text) => exact.insert(text.to_vec().into(), node),
                Test::Prefix(text) => prefixes.insert(text.to_vec().into(), node),
                Test::Regex(source) => {
                    sources.push(*source);
                    nodes.push(node);
                }
            }
        }
        let regexes = if sources.is_empty() {
            None
        } else {
            let lowest = nodes.iter().map(|node| node.lowest).min().unwrap_or(u32::MAX);
            Some(Regexes { set: compile_set(sources)?, nodes: nodes.into(), lowest })
        };
        Ok(Split {
            subject: self.atoms.subject(subject).owned(),
            exact,
            prefixes: Prefixes::new(prefixes.into_sorted()),
            regexes,
        })
    }

    /// The keys that an entry has not been filed under yet.
    fn open(&self, filed: &Filed) -> impl Iterator<Item = &Atom> {
        let (unchecked, by_name) = (filed.unchecked, filed.by_name);
        self.atoms.of(filed.entry).iter().filter(move |atom| match atom.demand {
            Some(demand) => unchecked.contains(demand),
            None => !by_name,
        })
    }

    /// What checking all of `entries` would cost; no more than a little above [`LIGHT`].
    fn weight(&self, entries: &[Filed]) -> usize {
        let mut weight = 0;
        for filed in entries {
            let is_regex = |atom: &&Atom| matches!(self.atoms.test(atom.group), Some(Test::Regex(_)));
            weight += 1 + REGEX * self.open(filed).filter(is_regex).count();
            if weight > LIGHT {
                break;
            }
        }
        weight
    }
}

impl Filed {
    /// The same below the node of `atom`.
    fn below(self, atom: &Atom) -> Self {
        match atom.demand {
            Some(demand) => Self { unchecked: self.unchecked.without(demand), ..self },
            None => Self { by_name: true, ..self },
        }
    }
}

/// How many of `atoms` are of each group, by subject and group.
fn counts(atoms: impl Iterator<Item = Atom>) -> Vec<Count> {
    let single = |atom: Atom| Count { subject: atom.subject, group: atom.group, entries: 1 };
    let mut counts: Vec<Count> = atoms.map(single).collect();
    ordered::sort(&mut counts);
    counts.dedup_by(|next, first| {
        let same = next.group == first.group;
        first.entries += if same { next.entries } else { 0 };
        same
    });
    counts
}

fn rarity(counts: &[Count], atom: &Atom) -> usize {
    let place = |count: &Count| (count.subject, count.group).cmp(&(atom.subject, atom.group));
    let found = counts.binary_search_by(place).ok().and_then(|at| counts.get(at));
    found.map_or(0, |count| count.entries)
}
