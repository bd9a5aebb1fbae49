//! A list of Istio's wildcard strings (`x`, `x*`, `*x`, `*`) as one set.

use outrigger_api::types::authorization_policy::ValuePattern;

use super::prefixes::Prefixes;
use super::suffixes::Suffixes;
use super::{ByteSet, lower_case};

/// What a lone `*` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Star {
    /// Any value, also an empty one: a header that is there (Envoy `present_match`).
    Present,
    /// Envoy's regex `.+`: anything but nothing, and no line feed.
    NotEmpty,
}

/// Values that any of a list of patterns matches. One look-up costs about the same for ten patterns and for ten
/// thousand.
#[derive(Debug, Default)]
pub struct ValueSet {
    star: Option<Star>,
    exact: ByteSet,
    prefixes: Prefixes<()>,
    suffixes: Suffixes<()>,
    ignore_case: bool,
}

impl ValueSet {
    /// The union of `patterns`, compared byte for byte.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p ValuePattern>, star: Star) -> Self {
        Self::build(patterns, star, false)
    }

    /// The union of `patterns`, compared without regard to case (ASCII), as Istio compares hosts.
    pub fn ignoring_case<'p>(patterns: impl IntoIterator<Item = &'p ValuePattern>, star: Star) -> Self {
        Self::build(patterns, star, true)
    }

    fn build<'p>(
        patterns: impl IntoIterator<Item = &'p ValuePattern>,
        star: Star,
        ignore_case: bool,
    ) -> Self {
        let bytes = |text: &str| -> Box<[u8]> {
            if ignore_case { text.to_ascii_lowercase().into_bytes().into() } else { text.as_bytes().into() }
        };
        let mut set = Self { ignore_case, ..Self::default() };
        let (mut prefixes, mut suffixes) = (ByteSet::default(), ByteSet::default());
        for pattern in patterns {
            match pattern {
                ValuePattern::Any => set.star = Some(star),
                ValuePattern::Exact(text) => set.exact.insert(bytes(text), ()),
                ValuePattern::Prefix(text) => prefixes.insert(bytes(text), ()),
                ValuePattern::Suffix(text) => suffixes.insert(bytes(text), ()),
            }
        }
        set.prefixes = Prefixes::new(prefixes.into_sorted());
        set.suffixes = Suffixes::new(suffixes.into_sorted());
        set
    }

    /// Whether one of the patterns matches `value`.
    pub fn contains(&self, value: &[u8]) -> bool {
        let starred = match self.star {
            None => false,
            Some(Star::Present) => true,
            Some(Star::NotEmpty) => !value.is_empty() && !value.contains(&b'\n'),
        };
        starred || if self.ignore_case { self.lists(&lower_case(value)) } else { self.lists(value) }
    }

    fn lists(&self, value: &[u8]) -> bool {
        (!self.exact.is_empty() && self.exact.contains(value))
            || self.prefixes.of(value).next().is_some()
            || self.suffixes.of(value).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn patterns(texts: &[&str]) -> Vec<ValuePattern> {
        texts.iter().map(|text| ValuePattern::parse(text)).collect()
    }

    #[test]
    fn each_kind_of_pattern() {
        for (texts, value, expected) in [
            (&["a"][..], &b"a"[..], true),
            (&["a"], b"A", false),
            (&["a"], b"ab", false),
            (&["a*"], b"a", true),
            (&["a*"], b"ab", true),
            (&["a*"], b"ba", false),
            (&["*a"], b"a", true),
            (&["*a"], b"ba", true),
            (&["*a"], b"ab", false),
            // Stars at both ends: the last one is literal.
            (&["*a*"], b"xa*", true),
            (&["*a*"], b"xax", false),
            (&["a*b"], b"a*b", true),
            (&["a*b"], b"axb", false),
            (&["*"], b"\xff", true),
            (&["*"], b"", false),
            (&["*"], b"a\nb", false),
            (&["**"], b"a*", true),
            (&["**"], b"a", false),
            (&["x", "y*", "*z"], b"z", true),
            (&["x", "y*", "*z"], b"w", false),
            (&[], b"", false),
        ] {
            let set = ValueSet::new(&patterns(texts), Star::NotEmpty);
            assert_eq!(set.contains(value), expected, "{texts:?} on {}", value.escape_ascii());
        }
    }

    #[test]
    fn hosts_ignore_case_and_a_present_header_may_be_empty() {
        let hosts = ValueSet::ignoring_case(&patterns(&["Example.com", "*.Org", "API.*"]), Star::Present);
        for (host, expected) in [
            (&b"example.COM"[..], true),
            (b"a.ORG", true),
            (b"Api.x", true),
            (b"example.com:80", false),
            (b"", false),
        ] {
            assert_eq!(hosts.contains(host), expected, "{}", host.escape_ascii());
        }
        assert!(ValueSet::new(&patterns(&["*"]), Star::Present).contains(b""));
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn naive(pattern: &ValuePattern, value: &[u8]) -> bool {
        match pattern {
            ValuePattern::Any => !value.is_empty() && !value.contains(&b'\n'),
            ValuePattern::Exact(text) => value == text.as_bytes(),
            ValuePattern::Prefix(text) => value.starts_with(text.as_bytes()),
            ValuePattern::Suffix(text) => value.ends_with(text.as_bytes()),
        }
    }

    proptest! {
        #[test]
        fn the_set_is_the_union_of_its_patterns(
            texts in prop::collection::vec("\\*?[abA]{0,3}\\*?", 0..12),
            value in prop::collection::vec(prop::sample::select(&b"abA*\n\xff"[..]), 0..5),
        ) {
            let patterns: Vec<_> = texts.iter().map(|text| ValuePattern::parse(text)).collect();
            let set = ValueSet::new(&patterns, Star::NotEmpty);
            prop_assert_eq!(set.contains(&value), patterns.iter().any(|pattern| naive(pattern, &value)));
        }

        #[test]
        fn case_is_ignored_on_both_sides(
            texts in prop::collection::vec("\\*?[abA]{1,3}\\*?", 0..6),
            value in prop::collection::vec(prop::sample::select(&b"abAB*\xc1"[..]), 0..5),
        ) {
            let patterns: Vec<_> = texts.iter().map(|text| ValuePattern::parse(text)).collect();
            let lower: Vec<_> =
                texts.iter().map(|text| ValuePattern::parse(&text.to_ascii_lowercase())).collect();
            let set = ValueSet::ignoring_case(&patterns, Star::NotEmpty);
            let value = value.as_slice();
            let expected = lower.iter().any(|pattern| naive(pattern, &value.to_ascii_lowercase()));
            prop_assert_eq!(set.contains(value), expected);
        }
    }
}
