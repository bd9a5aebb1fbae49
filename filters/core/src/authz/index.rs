//! Which rules may fit a request, so that ten thousand rules need not be walked.
//!
//! Each rule stands under the values of one of its fields. The rules found under a request's own values, and those
//! without such a field, are the candidates; every other rule has a field that the request does not fit.

use ipnet::IpNet;

use super::facts::{Address, Facts, Field};
use super::key::{Key, Keys, Pattern};
use crate::matching::ByteMap;
use crate::matching::prefixes::Prefixes;
use crate::matching::suffixes::Suffixes;

use super::ip_index::IpIndex;

/// Rules by the values of a field, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules that stand under nothing.
    always: Vec<u32>,
    headers: ByteMap<TextIndex>,
    texts: Vec<(Field, TextIndex)>,
    addresses: Vec<(Address, IpIndex)>,
}

/// Rules by a string.
#[derive(Debug, Default)]
struct TextIndex {
    exact: ByteMap<Vec<u32>>,
    prefixes: Prefixes<Vec<u32>>,
    suffixes: Suffixes<Vec<u32>>,
}

/// The same while it is being filled.
#[derive(Default)]
struct TextIndexBuilder {
    exact: ByteMap<Vec<u32>>,
    prefixes: ByteMap<Vec<u32>>,
    suffixes: ByteMap<Vec<u32>>,
}

impl Index {
    /// Files each rule under its keys: `None` is a rule without any.
    pub(super) fn new(rules: &[Option<Keys<'_>>]) -> Self {
        let mut index = Self::default();
        let mut texts = ByteMap::<(Field, TextIndexBuilder)>::default();
        for (rule, keys) in (0u32..).zip(rules) {
            let Some(keys) = keys else {
                index.always.push(rule);
                continue;
            };
            for key in keys {
                match key {
                    Key::Text(field, pattern, text) => {
                        let make = || (field.clone(), TextIndexBuilder::default());
                        let file =
                            |(_, builder): &mut (_, TextIndexBuilder)| builder.file(*pattern, text, rule);
                        texts.change(field.bytes().into(), make, file);
                    }
                    Key::Address(address, block) => index.file_address(*address, *block, rule),
                }
            }
        }
        for (field, builder) in texts.into_values() {
            match field {
                Field::Header(name) => index.headers.insert(name, builder.build()),
                other => index.texts.push((other, builder.build())),
            }
        }
        index
    }

    fn file_address(&mut self, address: Address, block: IpNet, rule: u32) {
        match self.addresses.iter_mut().find(|(known, _)| *known == address) {
            Some((_, index)) => index.file(block, rule),
            None => {
                let mut index = IpIndex::default();
                index.file(block, rule);
                self.addresses.push((address, index));
            }
        }
    }

    /// The lowest rule among the candidates that `holds`.
    pub(super) fn first(&self, facts: &Facts<'_, '_>, holds: impl Fn(u32) -> bool) -> Option<u32> {
        let mut search = Search { holds, best: None };
        search.list(&self.always);
        for (field, index) in &self.texts {
            facts.any(field, |value| search.text(index, value));
        }
        if !self.headers.is_empty() {
            for (name, value) in facts.request.headers() {
                if let Some(index) = self.headers.get(name) {
                    search.text(index, value);
                }
            }
        }
        for (address, index) in &self.addresses {
            match facts.address(*address) {
                Some(address) => index.of(address).for_each(|rules| search.list(rules)),
                None if facts.unknown_holds => index.all().for_each(|rules| search.list(rules)),
                None => {}
            }
        }
        search.best
    }
}

impl TextIndexBuilder {
    fn file(&mut self, pattern: Pattern, text: &[u8], rule: u32) {
        let map = match pattern {
            Pattern::Exact => &mut self.exact,
            Pattern::Prefix => &mut self.prefixes,
            Pattern::Suffix => &mut self.suffixes,
        };
        map.change(text.into(), Vec::new, |rules| rules.push(rule));
    }

    fn build(self) -> TextIndex {
        TextIndex {
            exact: self.exact,
            prefixes: Prefixes::new(self.prefixes.into_sorted()),
            suffixes: Suffixes::new(self.suffixes.into_sorted()),
        }
    }
}

/// The best rule so far.
struct Search<F> {
    holds: F,
    best: Option<u32>,
}

impl<F: Fn(u32) -> bool> Search<F> {
    /// Looks at all rules under `value`. Always false: further values may yield a lower rule.
    fn text(&mut self, index: &TextIndex, value: &[u8]) -> bool {
        if let Some(rules) = index.exact.get(value) {
            self.list(rules);
        }
        index.prefixes.of(value).for_each(|rules| self.list(rules));
        index.suffixes.of(value).for_each(|(_, rules)| self.list(rules));
        false
    }

    /// `rules` ascend: the first that holds is the list's best, and none after the best so far matters.
    fn list(&mut self, rules: &[u32]) {
        for rule in rules {
            if self.best.is_some_and(|best| best <= *rule) {
                return;
            }
            if (self.holds)(*rule) {
                self.best = Some(*rule);
                return;
            }
        }
    }
}
