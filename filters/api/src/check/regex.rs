//! Regular expressions.

use std::error::Error as _;

use regex_automata::{
    nfa::thompson::{BuildError, NFA, WhichCaptures},
    util::syntax,
};

use crate::types::common::RegexSource;

/// The longest expression Istio takes, in bytes.
const LONGEST: usize = 1024;
/// Memory of one compiled expression; a counted repetition can ask for any amount.
const SIZE_LIMIT: usize = 1 << 20;

/// An expression that RE2 would compile. Letters outside ASCII and the classes of RE2 mean bytes, as for Envoy.
pub(crate) fn compiles(text: &str) -> Result<RegexSource, String> {
    if text.is_empty() {
        return Err("is empty: a regex must not be".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes, the limit for a regex"));
    }
    match compile(&format!(r"\A(?:{text})\z")) {
        Ok(_) if balanced(text) => Ok(RegexSource(text.to_owned())),
        Ok(_) => Err("is not a regex: unopened group".to_owned()),
        Err(error) => Err(format!("is not a regex of RE2's syntax: {}", reason(&error))),
    }
}

/// The last line of the library's message, which alone fits into ours.
fn reason(error: &BuildError) -> String {
    if error.size_limit().is_some() {
        return "it is too large when compiled".to_owned();
    }
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error:").trim().to_owned()
}

fn compile(text: &str) -> Result<NFA, Box<BuildError>> {
    let bytes =
        NFA::config().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(SIZE_LIMIT));
    NFA::compiler()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(bytes)
        .build(text)
        .map_err(Box::new)
}

/// Whether the expression compiles on its own: `a)(b` would within a group.
fn balanced(text: &str) -> bool {
    compile(text).is_ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn tells_good_from_bad() {
        for (text, good) in [
            ("/a.*", true),
            (".*", true),
            ("(?i)foo", true),
            (r"\d+", true),
            ("é+", true),
            ("", false),
            ("(", false),
            ("*", false),
            ("a)(b", false),
            ("[a", false),
            (r"(?=look)", false),
            (r"(a)\1", false),
            ("(((((a{100}){100}){100}){100}){100})", false),
        ] {
            assert_eq!(compiles(text).is_ok(), good, "{text}");
        }
        assert!(compiles(&"a".repeat(1024)).is_ok());
        assert!(compiles(&"a".repeat(1025)).is_err());
    }
}
