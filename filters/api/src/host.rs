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
