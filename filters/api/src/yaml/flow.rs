//! Lists in brackets whose lines stand too far to the left.
//!
//! ```yaml
//! hosts: [
//!   a.example.com
//! ]
//! ```
//!
//! YAML wants all of a flow collection indented more than the block around it (YAML 1.2, section 7.4), and so does the
//! parser. Kubernetes does not look at it, and many write it. White space before a token of such a collection means nothing,
//! so what the parser refuses for that alone is indented and read again.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Marker, ScanError};

/// More than anything is nested.
const ENOUGH: usize = 100;
/// How many lines of a document are indented: the whole is read again for each.
const MOST: usize = 200;

/// A text with some lines indented.
pub(super) struct Indented<'t> {
    text: Cow<'t, str>,
    /// By how much, by the numbers of the lines.
    added: HashMap<usize, usize>,
}

impl<'t> Indented<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), added: HashMap::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The column of a place as it was before, counted from 0.
    pub(super) fn column(&self, marker: &Marker) -> usize {
        marker.col().saturating_sub(self.added.get(&marker.line()).copied().unwrap_or_default())
    }

    /// Indents the line that is refused for standing too far to the left; `false`: it is refused for something else.
    pub(super) fn indent(&mut self, error: &ScanError) -> bool {
        // Only within a collection does the parser say so of the beginning of a token: a block ends instead.
        let concerns =
            ["invalid indentation", "invalid indentation in flow construct"].contains(&error.info());
        if !concerns || self.added.len() >= MOST {
            return false;
        }
        let marker = error.marker();
        let Some((at, _)) = self.text.char_indices().nth(marker.index()) else { return false };
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches([' ', '\t']);
        if !(start.is_empty() || start.ends_with(['\n', '\r'])) {
            return false;
        }
        let start = start.len();
        self.text.to_mut().insert_str(start, &" ".repeat(ENOUGH));
        *self.added.entry(marker.line()).or_default() += ENOUGH;
        true
    }
}
