//! Finds the first of many ordered entries that holds for a request, at about the same cost for ten entries and for
//! ten thousand.
//!
//! Entries form a tree. A node splits them by what they demand of one subject, such as the path or a header: a hash
//! map for exact values, a sorted list for prefixes, one set for all regexes. Entries that demand the same stand in a
//! node below and are split by another subject there, until few are left ([`build`] chooses). A search visits the
//! nodes of the request's own values, and checks of each entry there only what the way to it has not settled.

mod atoms;
mod build;
mod key;

pub use key::{Entry, Key, Subject, Test};

use crate::Request;
use crate::matching::prefixes::Prefixes;
use crate::matching::regex::{RegexError, RegexSet};
use crate::matching::{ByteMap, lower_case};

/// Ordered entries, filed.
#[derive(Debug)]
pub struct Index {
    root: Node,
}

/// Which demands of an entry are still to be checked, a bit each; the last bit is for all from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchecked(u64);

/// Some of the entries.
#[derive(Debug)]
struct Node {
    /// The first of them.
    lowest: u32,
    /// Those that nothing more is asked of before they are checked, ascending.
    plain: Box<[(u32, Unchecked)]>,
    /// The others.
    splits: Box<[Split]>,
}

/// Entries by what they demand of one subject.
#[derive(Debug)]
struct Split {
    subject: Subject<Box<str>, Box<[String]>>,
    exact: ByteMap<Node>,
    prefixes: Prefixes<Node>,
    regexes: Option<Regexes>,
}

#[derive(Debug)]
struct Regexes {
    set: RegexSet,
    /// The node of each regex.
    nodes: Box<[Node]>,
    /// The first entry of them all.
    lowest: u32,
}

impl Index {
    /// Files entries by their keys; the number of each is its place in `entries`.
    ///
    /// # Errors
    /// The regexes, if they can't be compiled into one set.
    pub fn new(entries: &[Entry<'_>]) -> Result<Self, RegexError> {
        Ok(Self { root: build::root(entries)? })
    }

    /// The lowest entry whose keys fit `request` to the service's `port`, and for which what is still unchecked
    /// `holds`.
    pub fn first(
        &self,
        request: &Request<'_>,
        port: Option<u16>,
        holds: impl Fn(u32, Unchecked) -> bool,
    ) -> Option<u32> {
        let mut search = Search { request, port, holds, best: None };
        search.node(&self.root);
        search.best
    }
}

impl Unchecked {
    /// Whether the demand of this number is still to be checked.
    pub fn contains(self, demand: usize) -> bool {
        self.0 & Self::bit(demand) != 0
    }

    /// The first so many.
    fn first(demands: usize) -> Self {
        Self(if demands > Self::LAST { u64::MAX } else { Self::bit(demands).wrapping_sub(1) })
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Demands from the last bit on can't be told apart, so they stay unchecked.
    fn without(self, demand: usize) -> Self {
        if demand >= Self::LAST { self } else { Self(self.0 & !Self::bit(demand)) }
    }

    const LAST: usize = 63;

    fn bit(demand: usize) -> u64 {
        1 << demand.min(Self::LAST)
    }
}

/// The best entry so far.
struct Search<'s, 'r, F> {
    request: &'s Request<'r>,
    port: Option<u16>,
    holds: F,
    best: Option<u32>,
}

impl<F: Fn(u32, Unchecked) -> bool> Search<'_, '_, F> {
    fn could_be(&self, entry: u32) -> bool {
        self.best.is_none_or(|best| entry < best)
    }

    fn node(&mut self, node: &Node) {
        if !self.could_be(node.lowest) {
            return;
        }
        for split in &node.splits {
            self.split(split);
        }
        for (entry, unchecked) in &node.plain {
            if !self.could_be(*entry) {
                return;
            }
            if (self.holds)(*entry, *unchecked) {
                self.best = Some(*entry);
                return;
            }
        }
    }

    fn split(&mut self, split: &Split) {
        let request = self.request;
        match &split.subject {
            Subject::Path => self.value(split, request.path()),
            Subject::PathIgnoringCase => self.value(split, &lower_case(request.path())),
            Subject::Header(name) => {
                request.header_lines(name.as_bytes()).for_each(|line| self.value(split, line));
            }
            Subject::Query(name) => {
                if let Some(value) = request.query_parameter(name.as_bytes()) {
                    self.value(split, value);
                }
            }
            Subject::Claim(path) => {
                if let Some(identity) = request.identity() {
                    identity.any_text(path, |text| {
                        self.value(split, text);
                        false
                    });
                }
            }
            Subject::Port => {
                if let Some(port) = self.port {
                    self.value(split, &port.to_be_bytes());
                }
            }
            Subject::HeaderNames => request.headers().iter().for_each(|(name, _)| self.value(split, name)),
            Subject::QueryNames => request.query_names().for_each(|name| self.value(split, name)),
        }
    }

    fn value(&mut self, split: &Split, value: &[u8]) {
        if let Some(node) = split.exact.get(value) {
            self.node(node);
        }
        for node in split.prefixes.of(value) {
            self.node(node);
        }
        // The dearest search comes last, and not at all when it could find nothing better.
        if let Some(regexes) = &split.regexes
            && self.could_be(regexes.lowest)
        {
            regexes.set.each_match(value, &mut |regex| {
                if let Some(node) = regexes.nodes.get(regex) {
                    self.node(node);
                }
            });
        }
    }
}
