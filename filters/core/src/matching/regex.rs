//! Regular expressions as Envoy 1.40 runs them: RE2's syntax in Latin-1 mode, the whole value must match.

mod class;
mod escape;
mod re2;
mod repeat;

use std::fmt;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Bytes one compiled expression may take. Envoy under Istio refuses programs of more than 32768 instructions,
/// which is the same order of size.
const SIZE_LIMIT: usize = 1 << 20;
/// Bytes of lazily built automaton that a set may keep, to begin with and for each expression in it: a state of
/// the automaton lists up to one position of each expression.
const SET_CACHE: (usize, usize) = (2 << 20, 2 << 10);

/// Why an expression is refused: a sentence in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError(String);

impl RegexError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// Compiles `pattern` to match a whole value, as every `regex` of a `StringMatch` does.
///
/// # Errors
/// What RE2 would refuse too, what it has and we lack (`\p`), and an expression too large when compiled.
pub fn compile(pattern: &str) -> Result<Regex, RegexError> {
    build(&whole(pattern)?)
}

/// Compiles `pattern` to be found anywhere in a value, as `uriRegexRewrite` does. Groups keep their numbers.
///
/// # Errors
/// As [`compile`].
pub fn compile_search(pattern: &str) -> Result<Regex, RegexError> {
    build(&re2::translate(pattern)?)
}

/// Compiles many patterns, each to match a whole value, into one set that finds all that match in one pass. The
/// set numbers them in the order given.
///
/// # Errors
/// As [`compile`], for the first that fails: compile each on its own to say which.
pub fn compile_set<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<RegexSet, RegexError> {
    let patterns = patterns.into_iter().map(whole).collect::<Result<Vec<_>, _>>()?;
    let (base, each) = SET_CACHE;
    RegexSetBuilder::new(&patterns)
        .unicode(false)
        .size_limit(SIZE_LIMIT.saturating_mul(patterns.len().max(1)))
        .dfa_size_limit(base.saturating_add(each.saturating_mul(patterns.len())))
        .build()
        .map_err(|error| refusal(&error))
}

/// Anchors inside the expression, not by comparing the bounds of what was found: leftmost-first search of `a|ab`
/// finds `a` in `ab`, though the whole of `ab` matches.
fn whole(pattern: &str) -> Result<String, RegexError> {
    Ok(format!(r"\A(?:{})\z", re2::translate(pattern)?))
}

fn build(translated: &str) -> Result<Regex, RegexError> {
    RegexBuilder::new(translated)
        .unicode(false)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| refusal(&error))
}

/// The crate's message without its drawing of an expression that the user did not write.
fn refusal(error: &regex::Error) -> RegexError {
    match error {
        regex::Error::CompiledTooBig(_) => RegexError::new("the expression is too large when compiled"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            RegexError::new(last.strip_prefix("error: ").unwrap_or(last))
        }
    }
}

#[cfg(test)]
mod tests;
