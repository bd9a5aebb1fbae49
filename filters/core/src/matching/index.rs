//! Finds the first of many ordered entries that holds for a request, at about the same cost for ten entries and for
//! ten thousand.
//!
//! An entry is filed under its path condition: a hash map for exact paths, a sorted list for prefixes, one set for
//! all regexes. Entries that share a path are filed once more under one exact header, if they have one. What a
//! look-up yields are candidates in order; the caller checks the rest of each.

use crate::Request;
use crate::matching::prefixes::Prefixes;
use crate::matching::regex::{RegexError, RegexSet, compile_set};
use crate::matching::{ByteMap, lower_case};

/// What an entry demands of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKey<'k> {
    /// The whole path.
    Exact(&'k [u8]),
    /// How the path begins.
    Prefix(&'k [u8]),
    /// A regex of the whole path, not anchored yet.
    Regex(&'k str),
}

/// What an entry is filed under.
#[derive(Debug, Clone, Copy)]
pub struct Key<'k> {
    /// Its path condition.
    pub path: PathKey<'k>,
    /// Whether letter case of the path counts (regexes: always).
    pub ignore_case: bool,
    /// One header (in lower case) that must have a line with exactly this value.
    pub header: Option<(&'k str, &'k [u8])>,
}

/// Ordered entries, filed.
#[derive(Debug, Default)]
pub struct Index {
    exact: ByteMap<Bucket>,
    exact_folded: ByteMap<Bucket>,
    prefixes: Prefixes<Bucket>,
    prefixes_folded: Prefixes<Bucket>,
    regexes: Option<RegexSet>,
    /// The entry of each regex, ascending.
    regex_entries: Vec<u32>,
}

/// Entries with the same path condition.
#[derive(Debug, Default)]
struct Bucket {
    /// Those without a header key, ascending.
    plain: Vec<u32>,
    /// The others by header name; few names are the common case.
    keyed: Vec<HeaderKeys>,
}

/// The name of a header, and entries (ascending) by the value that they demand of it.
type HeaderKeys = (Box<[u8]>, ByteMap<Vec<u32>>);

impl Index {
    /// Files entries; the number of each is its place in `keys`.
    ///
    /// # Errors
    /// The regexes, if they can't be compiled into one set.
    pub fn new<'k>(keys: impl Iterator<Item = Key<'k>>) -> Result<Self, RegexError> {
        let mut index = Self::default();
        let (mut prefixes, mut prefixes_folded) =
            (ByteMap::<Bucket>::default(), ByteMap::<Bucket>::default());
        let mut patterns = Vec::new();
        for (entry, key) in (0u32..).zip(keys) {
            let (map, path) = match (key.path, key.ignore_case) {
                (PathKey::Exact(path), false) => (&mut index.exact, path),
                (PathKey::Exact(path), true) => (&mut index.exact_folded, path),
                (PathKey::Prefix(path), false) => (&mut prefixes, path),
                (PathKey::Prefix(path), true) => (&mut prefixes_folded, path),
                (PathKey::Regex(pattern), _) => {
                    patterns.push(pattern);
                    index.regex_entries.push(entry);
                    continue;
                }
            };
            let path = if key.ignore_case { path.to_ascii_lowercase() } else { path.to_vec() };
            map.entry(path.into_boxed_slice()).or_default().file(entry, key.header);
        }
        index.prefixes = Prefixes::new(prefixes);
        index.prefixes_folded = Prefixes::new(prefixes_folded);
        if !patterns.is_empty() {
            index.regexes = Some(compile_set(patterns)?);
        }
        Ok(index)
    }

    /// The lowest entry whose path and header key fit `request` and that `holds`.
    pub fn first(&self, request: &Request<'_>, holds: impl Fn(u32) -> bool) -> Option<u32> {
        let path = request.path();
        let mut search = Search { request, holds, best: None };
        if let Some(bucket) = self.exact.get(path) {
            search.bucket(bucket);
        }
        for bucket in self.prefixes.of(path) {
            search.bucket(bucket);
        }
        if !self.exact_folded.is_empty() || !self.prefixes_folded.is_empty() {
            let path = lower_case(path);
            if let Some(bucket) = self.exact_folded.get(&*path) {
                search.bucket(bucket);
            }
            for bucket in self.prefixes_folded.of(&path) {
                search.bucket(bucket);
            }
        }
        // The dearest search comes last, and not at all when it could find nothing better.
        if let (Some(set), Some(lowest)) = (&self.regexes, self.regex_entries.first())
            && search.could_be(*lowest)
        {
            let matched = set.matches(path);
            search.list(matched.into_iter().filter_map(|pattern| self.regex_entries.get(pattern)));
        }
        search.best
    }
}

impl Bucket {
    fn file(&mut self, entry: u32, header: Option<(&str, &[u8])>) {
        let Some((name, value)) = header else { return self.plain.push(entry) };
        let name = name.as_bytes();
        let values = match self.keyed.iter_mut().position(|(known, _)| **known == *name) {
            Some(at) => self.keyed.get_mut(at),
            None => {
                self.keyed.push((name.into(), ByteMap::default()));
                self.keyed.last_mut()
            }
        };
        if let Some((_, values)) = values {
            values.entry(value.into()).or_default().push(entry);
        }
    }
}

/// The best entry so far.
struct Search<'s, 'r, F> {
    request: &'s Request<'r>,
    holds: F,
    best: Option<u32>,
}

impl<F: Fn(u32) -> bool> Search<'_, '_, F> {
    fn could_be(&self, entry: u32) -> bool {
        self.best.is_none_or(|best| entry < best)
    }

    fn bucket(&mut self, bucket: &Bucket) {
        self.list(bucket.plain.iter());
        for (name, values) in &bucket.keyed {
            let request = self.request;
            for line in request.header_lines(name) {
                if let Some(entries) = values.get(line) {
                    self.list(entries.iter());
                }
            }
        }
    }

    /// `entries` ascend: the first that holds is the list's best, and none after the best so far matters.
    fn list<'e>(&mut self, entries: impl Iterator<Item = &'e u32>) {
        for entry in entries {
            if !self.could_be(*entry) {
                return;
            }
            if (self.holds)(*entry) {
                self.best = Some(*entry);
                return;
            }
        }
    }
}
