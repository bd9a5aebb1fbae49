//! Host names with wildcards, and how Istio matches and orders them.

use std::{cmp::Ordering, fmt};

/// A host name, or a wildcard for many. In lower case, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This one.
    Exact(String),
    /// `*` and a suffix, such as `.example.com`: covers `a.example.com` and `a.b.example.com`, not `example.com`.
    Suffix(String),
    /// `*`: every host.
    Any,
}

impl HostPattern {
    /// Reads a host. A star anywhere but in front is taken literally: validation has refused it before.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match text.strip_prefix('*') {
            Some("") => Self::Any,
            Some(suffix) => Self::Suffix(suffix.to_owned()),
            None => Self::Exact(text),
        }
    }

    /// Whether it stands for more than one host.
    pub fn is_wildcard(&self) -> bool {
        !matches!(self, Self::Exact(_))
    }

    /// Whether it covers `host`, a name without a star and without a port. Case does not matter.
    pub fn covers(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name.eq_ignore_ascii_case(host),
            Self::Suffix(suffix) => ends_with_more(host.as_bytes(), suffix.as_bytes()),
        }
    }

    /// Whether some host is covered by both (Istio's `Matches`).
    pub fn intersects(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Exact(name), pattern) | (pattern, Self::Exact(name)) => pattern.covers(name),
            (Self::Suffix(one), Self::Suffix(other)) => {
                one.ends_with(other.as_str()) || other.ends_with(one.as_str())
            }
        }
    }

    /// Whether every host that this one covers is covered by `other` (Istio's `SubsetOf`).
    pub fn is_subset_of(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any) => true,
            (Self::Any, _) | (Self::Suffix(_), Self::Exact(_)) => false,
            (Self::Exact(name), pattern) => pattern.covers(name),
            (Self::Suffix(narrow), Self::Suffix(wide)) => narrow.ends_with(wide.as_str()),
        }
    }

    /// The most specific first: names, then wildcards from the longest to the shortest, then `*`.
    pub fn by_specificity(&self, other: &Self) -> Ordering {
        fn rank(pattern: &HostPattern) -> (u8, usize, &str) {
            match pattern {
                HostPattern::Exact(name) => (0, usize::MAX - name.len(), name),
                HostPattern::Suffix(suffix) => (1, usize::MAX - suffix.len(), suffix),
                HostPattern::Any => (2, 0, ""),
            }
        }
        rank(self).cmp(&rank(other))
    }

    /// Completes a short name; see [`resolve_short_name`].
    #[must_use]
    pub fn resolve(&self, namespace: &str, cluster_domain: &str) -> Self {
        match self {
            Self::Exact(name) => Self::Exact(resolve_short_name(name, namespace, cluster_domain)),
            wildcard => wildcard.clone(),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => formatter.write_str(name),
            Self::Suffix(suffix) => write!(formatter, "*{suffix}"),
            Self::Any => formatter.write_str("*"),
        }
    }
}

/// Ends with `suffix`, with at least one character before it.
fn ends_with_more(host: &[u8], suffix: &[u8]) -> bool {
    host.len() > suffix.len()
        && host.iter().rev().zip(suffix.iter().rev()).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// What a destination's host stands for: `reviews` in a resource of namespace `default` is
/// `reviews.default.svc.cluster.local`. A name with a dot or a star is left as it is, and so is an IP address.
pub fn resolve_short_name(host: &str, namespace: &str, cluster_domain: &str) -> String {
    if host.contains(['.', '*', ':']) || host.is_empty() {
        host.to_owned()
    } else {
        format!("{host}.{namespace}.svc.{cluster_domain}")
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn covers() {
        for (pattern, host, expected) in [
            ("*.foo.com", "a.foo.com", true),
            ("*.foo.com", "a.b.foo.com", true),
            ("*.foo.com", "A.FOO.COM", true),
            ("*.foo.com", "foo.com", false),
            ("*.foo.com", ".foo.com", false),
            ("*.foo.com", "xfoo.com", false),
            ("*foo.com", "xfoo.com", true),
            ("foo.com", "foo.com", true),
            ("Foo.com.", "fOO.com", true),
            ("foo.com", "a.foo.com", false),
            ("*", "anything", true),
        ] {
            assert_eq!(HostPattern::parse(pattern).covers(host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn intersections_and_subsets() {
        for (one, other, intersects, subset) in [
            ("a.com", "a.com", true, true),
            ("a.com", "b.com", false, false),
            ("a.com", "*.com", true, true),
            ("*.com", "a.com", true, false),
            ("*.a.com", "*.com", true, true),
            ("*.com", "*.a.com", true, false),
            ("*.com", "*.org", false, false),
            ("*", "*", true, true),
            ("*", "a.com", true, false),
            ("a.com", "*", true, true),
            ("*.com", "com", false, false),
        ] {
            let (left, right) = (HostPattern::parse(one), HostPattern::parse(other));
            assert_eq!(left.intersects(&right), intersects, "{one} {other}");
            assert_eq!(right.intersects(&left), intersects, "{other} {one}");
            assert_eq!(left.is_subset_of(&right), subset, "{one} {other}");
        }
    }

    #[test]
    fn the_most_specific_first() {
        let mut hosts = ["*", "*.com", "a.com", "*.b.com", "long.a.com"].map(HostPattern::parse);
        hosts.sort_by(HostPattern::by_specificity);
        assert_eq!(hosts.map(|host| host.to_string()), ["long.a.com", "a.com", "*.b.com", "*.com", "*"]);
    }

    #[test]
    fn short_names() {
        for (host, expected) in [
            ("reviews", "reviews.default.svc.cluster.local"),
            ("reviews.other", "reviews.other"),
            ("*", "*"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(resolve_short_name(host, "default", "cluster.local"), expected);
        }
    }
}
