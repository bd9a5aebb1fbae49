//! Regular expressions as Envoy 1.40 runs them: RE2's syntax in Latin-1 mode, the whole value must match.

mod caches;
mod parts;
mod search;
mod shared;
mod states;
mod whole;

use outrigger_api::re2::{self, Expression};

pub use outrigger_api::re2::RegexError;
pub use search::{Groups, Search};
pub use whole::{Regex, RegexSet};

/// States that one compiled expression may have. Envoy under Istio refuses programs of more than 32768 instructions.
const MOST_STATES: usize = 1 << 15;

/// `pattern` to match a whole value, as every `regex` of a `StringMatch` does. It is checked now and compiled when a
/// value first comes by: of ten thousand, most are only ever looked for as part of a set.
///
/// # Errors
/// As [`re2::parse`], and an expression too large when compiled.
pub fn compile(pattern: &str) -> Result<Regex, RegexError> {
    let expression = parse(pattern)?;
    Ok(Regex::new(pattern, parts::literal_start(&expression)))
}

/// Compiles `pattern` to be found anywhere in a value, as `uriRegexRewrite` does. Groups keep their numbers.
///
/// # Errors
/// As [`compile`].
pub fn compile_search(pattern: &str) -> Result<Search, RegexError> {
    Search::new(&parse(pattern)?).ok_or_else(too_large)
}

/// Compiles many patterns, each to match a whole value, into one set that finds all that match in one pass. The
/// set numbers them in the order given.
///
/// # Errors
/// As [`compile`], for the first that fails: compile each on its own to say which.
pub fn compile_set<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<RegexSet, RegexError> {
    let expressions = patterns.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    RegexSet::new(expressions).ok_or_else(too_large)
}

/// Reads `pattern`. What it means is in its parts: that the whole value must match is added by [`shared::compile`],
/// not by comparing the bounds of what was found, since leftmost-first search of `a|ab` finds `a` in `ab`, though the
/// whole of `ab` matches.
fn parse(pattern: &str) -> Result<Expression, RegexError> {
    let expression = re2::parse(pattern)?;
    if states::count(&expression) > MOST_STATES {
        return Err(too_large());
    }
    Ok(expression)
}

fn too_large() -> RegexError {
    RegexError::new("the expression is too large when compiled")
}

#[cfg(test)]
mod tests;
