//! The rules of one virtual host in order, and the way to the first that matches.

use std::sync::Arc;

use super::condition::Condition;
use super::path_match::PathMatch;
use crate::Request;
use crate::matching::index::{self, Index, Unchecked};
use crate::matching::regex::RegexError;

/// One `match` entry of a rule, or a rule without any.
#[derive(Debug)]
pub struct Entry {
    /// The rule, by its number in the table.
    pub rule: usize,
    /// Which of the rule's `match` entries; `None` if it has none.
    pub match_index: Option<usize>,
    /// What the path must be.
    pub path: PathMatch,
    /// What else must hold.
    pub conditions: Vec<Condition>,
}

/// The first demand of an entry that a request does not fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was looked at, such as `path` or ``header `end-user` ``.
    pub condition: String,
    /// What is demanded and what the request has, in words.
    pub reason: String,
}

impl Entry {
    /// Istio's catch-all: every request fits, by the way it is written.
    pub fn is_catch_all(&self) -> bool {
        self.conditions.is_empty() && self.path.is_catch_all()
    }

    /// The first demand that `request` does not fulfil.
    pub fn failure(&self, request: &Request<'_>, port: Option<u16>) -> Option<Failure> {
        if !self.path.matches(request.path()) {
            let reason = format!("path is `{}`, not {}", request.path().escape_ascii(), self.path);
            return Some(Failure { condition: "path".to_owned(), reason });
        }
        let failed = self.conditions.iter().find(|condition| !condition.holds(request, port));
        failed.map(|condition| Failure {
            condition: condition.what(),
            reason: condition.failure(request, port),
        })
    }

    /// Whether what is still `unchecked` holds: the path's demand has the number 0, the conditions' follow.
    fn holds(&self, unchecked: Unchecked, request: &Request<'_>, port: Option<u16>) -> bool {
        let mut conditions = (1..).zip(&self.conditions);
        (!unchecked.contains(0) || self.path.matches(request.path()))
            && conditions.all(|(n, condition)| !unchecked.contains(n) || condition.holds(request, port))
    }

    fn keys(&self) -> index::Entry<'_> {
        let mut keys = vec![self.path.key(0)];
        keys.extend((1..).zip(&self.conditions).filter_map(|(n, condition)| condition.key(n)));
        index::Entry { demands: self.conditions.len().saturating_add(1), keys }
    }
}

/// Ordered entries.
#[derive(Debug)]
pub struct VirtualHost {
    entries: Vec<Arc<Entry>>,
    index: Index,
}

impl VirtualHost {
    /// Files `entries`.
    ///
    /// # Errors
    /// Their regexes together are too large.
    pub fn new(entries: Vec<Arc<Entry>>) -> Result<Self, RegexError> {
        let keys: Vec<_> = entries.iter().map(|entry| entry.keys()).collect();
        let index = Index::new(&keys)?;
        Ok(Self { entries, index })
    }

    /// The first entry that matches a request to the service's `port`.
    pub fn first(&self, request: &Request<'_>, port: Option<u16>) -> Option<&Entry> {
        let entry = |number: u32| usize::try_from(number).ok().and_then(|at| self.entries.get(at));
        let holds =
            |number, unchecked| entry(number).is_some_and(|entry| entry.holds(unchecked, request, port));
        self.index.first(request, port, holds).and_then(entry).map(|entry| &**entry)
    }

    /// Whether some entry may match requests to the service's `port`.
    pub fn is_for(&self, port: u16) -> bool {
        self.entries.iter().any(|entry| !entry.conditions.iter().any(|one| one.excludes_port(port)))
    }

    /// All of them, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|entry| &**entry)
    }
}

#[cfg(test)]
mod scale;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
