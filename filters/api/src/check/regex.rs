//! Regular expressions.

use regex::bytes::RegexBuilder;

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
    match RegexBuilder::new(&format!(r"\A(?:{text})\z")).unicode(false).size_limit(SIZE_LIMIT).build() {
        Ok(_) if balanced(text) => Ok(RegexSource(text.to_owned())),
        Ok(_) => Err("is not a regex: unopened group".to_owned()),
        Err(error) => Err(format!("is not a regex of RE2's syntax: {}", reason(&error))),
    }
}

/// The last line of the library's message, which alone fits into ours.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error:").trim().to_owned()
}

/// Whether the expression compiles on its own: `a)(b` would within a group.
fn balanced(text: &str) -> bool {
    RegexBuilder::new(text).unicode(false).size_limit(SIZE_LIMIT).build().is_ok()
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
