//! Changes of a text by lines: lines that are added between marks, and lines that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use super::marks::{BEGIN, END, was};

/// Changes that are yet to be made.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// By the line before which they go, and how deep they belong there: what is inside of something comes before what
    /// is beside it.
    added: BTreeMap<usize, Vec<(usize, Vec<String>)>>,
    replaced: BTreeSet<usize>,
}

impl Edits {
    /// Puts entries of a mapping before line `at`, `indent` spaces in, between marks that say why.
    pub(super) fn add(&mut self, at: usize, indent: usize, why: &str, lines: &[String]) {
        self.put(at, indent * 2, indent, why, lines);
    }

    /// The same with what continues the value before line `at`.
    pub(super) fn extend(&mut self, at: usize, indent: usize, why: &str, lines: &[String]) {
        // A list may stand as far left as its key and those beside it.
        self.put(at, indent * 2 + 1, indent, why, lines);
    }

    fn put(&mut self, at: usize, depth: usize, indent: usize, why: &str, lines: &[String]) {
        let pad = " ".repeat(indent);
        let mut added = Vec::new();
        added.push(format!("{pad}{BEGIN}: {why}\n"));
        added.extend(lines.iter().map(|line| match line.as_str() {
            "" => "\n".to_owned(),
            line => format!("{pad}{line}\n"),
        }));
        added.push(format!("{pad}{END}\n"));
        let all = self.added.entry(at).or_default();
        all.push((depth, added));
        all.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    }

    /// Makes comments of lines.
    pub(super) fn replace(&mut self, lines: impl Iterator<Item = usize>) {
        self.replaced.extend(lines);
    }

    /// The text with the changes.
    pub(super) fn apply(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        let mut put = |line: &str| {
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push('\n');
            }
        };
        for (at, line) in lines.iter().enumerate() {
            let added = self.added.get(&at).into_iter().flatten();
            added.flat_map(|(_, lines)| lines).for_each(|line| put(line));
            if self.replaced.contains(&at) { put(&was(line)) } else { put(line) }
        }
        let at_the_end = self.added.range(lines.len()..).flat_map(|(_, added)| added);
        at_the_end.flat_map(|(_, lines)| lines).for_each(|line| put(line));
        text
    }
}
