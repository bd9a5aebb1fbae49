//! RE2's syntax, read as RE2 reads it in Latin-1 mode: a character is a byte.
//!
//! Crates that read regular expressions differ from it in small ways that would change which values match: `\<`,
//! `[a&&b]`, `a**` and `{,3}` mean one thing there and another, or nothing, here; `\s` holds a vertical tab in one only;
//! `é` is one character or two bytes.

mod byte_class;
mod class;
mod escape;
mod expression;
mod parser;
mod property;
mod repeat;

use std::fmt;

pub use byte_class::ByteClass;
pub use expression::{Assertion, Expression, Repetition};

/// Why an expression is refused: a sentence in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError(String);

impl RegexError {
    /// With this sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// Reads `pattern`.
///
/// # Errors
/// What RE2 refuses too, scripts in `\p{…}` that have no byte, and groups that stand too deep in one another.
pub fn parse(pattern: &str) -> Result<Expression, RegexError> {
    parser::parse(pattern)
}

/// What is left to read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Input<'p>(pub(super) &'p [u8]);

impl<'p> Input<'p> {
    pub(super) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Takes `prefix` if it comes next.
    pub(super) fn take(&mut self, prefix: &[u8]) -> bool {
        self.0.strip_prefix(prefix).map(|rest| self.0 = rest).is_some()
    }

    /// Takes one byte, or none at the end.
    pub(super) fn take_one(&mut self) -> &'p [u8] {
        let (one, rest) = self.0.split_at_checked(1).unwrap_or((self.0, &[]));
        self.0 = rest;
        one
    }

    /// Takes everything before `end`, and `end` with it.
    pub(super) fn take_until(&mut self, end: &[u8]) -> Option<&'p [u8]> {
        let at = self.0.windows(end.len()).position(|window| window == end)?;
        let (before, rest) = self.0.split_at_checked(at)?;
        self.0 = rest.get(end.len()..)?;
        Some(before)
    }
}
