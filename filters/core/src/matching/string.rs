//! One string condition: Istio's `StringMatch`.

use outrigger_api::types::common::StringMatch;

use super::regex::{self, Regex, RegexError};

/// A `StringMatch`, compiled.
#[derive(Debug, Clone)]
pub enum StringMatcher {
    /// Any value.
    Present,
    /// This value.
    Exact {
        /// In lower case if case does not matter.
        text: Box<[u8]>,
        /// Whether case does not matter (ASCII).
        ignore_case: bool,
    },
    /// Values that begin with this.
    Prefix {
        /// In lower case if case does not matter.
        text: Box<[u8]>,
        /// Whether case does not matter (ASCII).
        ignore_case: bool,
    },
    /// Values all of which this matches.
    Regex(Regex),
}

impl StringMatcher {
    /// Compiles `condition`. `ignore_case` is about exact values and prefixes: Envoy never folds a regex.
    ///
    /// # Errors
    /// A regex that [`regex::compile`] refuses.
    pub fn new(condition: &StringMatch, ignore_case: bool) -> Result<Self, RegexError> {
        let text = |text: &str| {
            let bytes = text.as_bytes();
            if ignore_case { bytes.to_ascii_lowercase().into() } else { bytes.into() }
        };
        Ok(match condition {
            StringMatch::Present => Self::Present,
            StringMatch::Exact(value) => Self::Exact { text: text(value), ignore_case },
            StringMatch::Prefix(value) => Self::Prefix { text: text(value), ignore_case },
            StringMatch::Regex(source) => Self::Regex(regex::compile(source.as_str())?),
        })
    }

    /// Whether `value` fits.
    pub fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Present => true,
            Self::Exact { text, ignore_case } => equal(value, text, *ignore_case),
            Self::Prefix { text, ignore_case } => {
                value.get(..text.len()).is_some_and(|start| equal(start, text, *ignore_case))
            }
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

fn equal(one: &[u8], other: &[u8], ignore_case: bool) -> bool {
    if ignore_case { one.eq_ignore_ascii_case(other) } else { one == other }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn exact_prefix_and_present() {
        let exact = |text: &str| StringMatch::Exact(text.to_owned());
        let prefix = |text: &str| StringMatch::Prefix(text.to_owned());
        for (condition, ignore_case, value, expected) in [
            (exact("Foo"), false, &b"Foo"[..], true),
            (exact("Foo"), false, b"foo", false),
            (exact("Foo"), true, b"fOO", true),
            (exact("Foo"), true, b"fooo", false),
            (exact(""), false, b"", true),
            (prefix("/a"), false, b"/a", true),
            (prefix("/a"), false, b"/ab", true),
            (prefix("/a"), false, b"/", false),
            (prefix("/A"), true, b"/ab", true),
            (prefix("/A"), false, b"/ab", false),
            (prefix(""), false, b"\xff", true),
            (exact("é"), true, "É".as_bytes(), false),
            (StringMatch::Present, false, b"", true),
            (StringMatch::Present, true, b"\xff", true),
        ] {
            let matcher = StringMatcher::new(&condition, ignore_case).unwrap();
            assert_eq!(matcher.matches(value), expected, "{condition:?} on {}", value.escape_ascii());
        }
    }
}
