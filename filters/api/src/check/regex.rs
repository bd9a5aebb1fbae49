//! Regular expressions.

use crate::{re2, types::common::RegexSource};

/// The longest expression Istio takes, in bytes.
const LONGEST: usize = 1024;

/// An expression that RE2 would compile. How large it gets is seen when it is.
pub(crate) fn compiles(text: &str) -> Result<RegexSource, String> {
    if text.is_empty() {
        return Err("is empty: a regex must not be".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes, the limit for a regex"));
    }
    match re2::parse(text) {
        Ok(_) => Ok(RegexSource(text.to_owned())),
        Err(error) => Err(format!("is not a regex of RE2's syntax: {error}")),
    }
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
            (r"\Qa.b\E", true),
            (r"\pL+", true),
            ("", false),
            ("(", false),
            ("*", false),
            ("a)(b", false),
            ("[a", false),
            ("a**", false),
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
