//! Regular expressions as Envoy 1.40 runs them: RE2's syntax in Latin-1 mode, the whole value must match.

mod caches;
mod search;
mod whole;

use std::error::Error as _;

use outrigger_api::re2;
use regex_automata::nfa::thompson::{BuildError, NFA, WhichCaptures};
use regex_automata::util::syntax;

pub use outrigger_api::re2::RegexError;
pub use search::{Groups, Search};
pub use whole::{Regex, RegexSet};

/// Bytes one compiled expression may take. Envoy under Istio refuses programs of more than 32768 instructions,
/// which is the same order of size.
const SIZE_LIMIT: usize = 1 << 20;
/// Bytes of lazily built automaton that an expression or a set may keep.
const CACHE: usize = 2 << 20;
/// The same, more for each expression of a set: a state of the automaton lists up to one position of each.
const CACHE_OF_EACH: usize = 2 << 10;

/// Compiles `pattern` to match a whole value, as every `regex` of a `StringMatch` does.
///
/// # Errors
/// As [`re2::translate`], and an expression too large when compiled.
pub fn compile(pattern: &str) -> Result<Regex, RegexError> {
    let nfa = nfa(&[whole(pattern)?], WhichCaptures::None, SIZE_LIMIT)?;
    Regex::new(nfa, CACHE).ok_or_else(too_large)
}

/// Compiles `pattern` to be found anywhere in a value, as `uriRegexRewrite` does. Groups keep their numbers.
///
/// # Errors
/// As [`compile`].
pub fn compile_search(pattern: &str) -> Result<Search, RegexError> {
    let nfa = nfa(&[re2::translate(pattern)?], WhichCaptures::All, SIZE_LIMIT)?;
    Search::new(nfa).ok_or_else(too_large)
}

/// Compiles many patterns, each to match a whole value, into one set that finds all that match in one pass. The
/// set numbers them in the order given.
///
/// # Errors
/// As [`compile`], for the first that fails: compile each on its own to say which.
pub fn compile_set<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<RegexSet, RegexError> {
    let patterns = patterns.into_iter().map(whole).collect::<Result<Vec<_>, _>>()?;
    let nfa = nfa(&patterns, WhichCaptures::None, SIZE_LIMIT.saturating_mul(patterns.len().max(1)))?;
    let cache = CACHE.saturating_add(CACHE_OF_EACH.saturating_mul(patterns.len()));
    RegexSet::new(nfa, cache).ok_or_else(too_large)
}

/// Anchors inside the expression, not by comparing the bounds of what was found: leftmost-first search of `a|ab`
/// finds `a` in `ab`, though the whole of `ab` matches.
fn whole(pattern: &str) -> Result<String, RegexError> {
    Ok(format!(r"\A(?:{})\z", re2::translate(pattern)?))
}

fn nfa<P: AsRef<str>>(
    translated: &[P],
    captures: WhichCaptures,
    size_limit: usize,
) -> Result<NFA, RegexError> {
    let bytes = NFA::config().utf8(false).which_captures(captures).nfa_size_limit(Some(size_limit));
    NFA::compiler()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(bytes)
        .build_many(translated)
        .map_err(|error| refusal(&error))
}

fn too_large() -> RegexError {
    RegexError::new("the expression is too large when compiled")
}

/// The crate's message without its drawing of an expression that the user did not write.
fn refusal(error: &BuildError) -> RegexError {
    if error.size_limit().is_some() {
        return too_large();
    }
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or_default();
    RegexError::new(last.strip_prefix("error: ").unwrap_or(last))
}

#[cfg(test)]
mod tests;
