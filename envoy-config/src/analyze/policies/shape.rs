//! One value of a policy as a set of texts or addresses, and how two such sets lie to each other.

use std::borrow::Cow;
use std::fmt;

use ipnet::IpNet;
use outrigger_api::types::authorization_policy::{TemplateSegment, ValuePattern};
use outrigger_core::matching::template::Template;

/// What a value matches. Every question about two of them is answered so that "no" may also mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Shape<'r> {
    /// `*`
    Any,
    Exact(Cow<'r, str>),
    Prefix(Cow<'r, str>),
    Suffix(Cow<'r, str>),
    /// A path template.
    Template(&'r [TemplateSegment]),
    Block(IpNet),
    /// An issuer and a subject.
    Pair(Box<(Shape<'r>, Shape<'r>)>),
    /// Nothing is known of it but its notation.
    Other(Cow<'r, str>),
}

impl<'r> Shape<'r> {
    pub(super) fn of(pattern: &'r ValuePattern) -> Self {
        match pattern {
            ValuePattern::Any => Self::Any,
            ValuePattern::Exact(text) => Self::Exact(text.into()),
            ValuePattern::Prefix(text) => Self::Prefix(text.into()),
            ValuePattern::Suffix(text) => Self::Suffix(text.into()),
        }
    }

    /// The same without regard to case: in lower case.
    pub(super) fn folded(pattern: &ValuePattern) -> Self {
        let folded = |text: &str| Cow::Owned(text.to_ascii_lowercase());
        match pattern {
            ValuePattern::Any => Self::Any,
            ValuePattern::Exact(text) => Self::Exact(folded(text)),
            ValuePattern::Prefix(text) => Self::Prefix(folded(text)),
            ValuePattern::Suffix(text) => Self::Suffix(folded(text)),
        }
    }

    /// Whether whatever `other` matches is matched by this one for sure.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            _ if self == other => true,
            // `*` is anything but nothing.
            (Self::Any, Self::Exact(text)) => !text.is_empty(),
            (Self::Any, _) => true,
            (Self::Prefix(start), Self::Exact(text) | Self::Prefix(text)) => text.starts_with(&**start),
            (Self::Prefix(start), Self::Template(segments)) => {
                Template::new(segments).literal_prefix().starts_with(start.as_bytes())
            }
            (Self::Suffix(end), Self::Exact(text) | Self::Suffix(text)) => text.ends_with(&**end),
            (Self::Template(segments), Self::Exact(path)) => Template::new(segments).matches(path.as_bytes()),
            (Self::Block(wide), Self::Block(narrow)) => wide.contains(narrow),
            (Self::Pair(one), Self::Pair(other)) => one.0.covers(&other.0) && one.1.covers(&other.1),
            _ => false,
        }
    }

    /// Whether no text or address is matched by both for sure.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) => one != other,
            (Self::Exact(text), Self::Prefix(start)) | (Self::Prefix(start), Self::Exact(text)) => {
                !text.starts_with(&**start)
            }
            (Self::Exact(text), Self::Suffix(end)) | (Self::Suffix(end), Self::Exact(text)) => {
                !text.ends_with(&**end)
            }
            (Self::Prefix(one), Self::Prefix(other)) => {
                !one.starts_with(&**other) && !other.starts_with(&**one)
            }
            (Self::Suffix(one), Self::Suffix(other)) => !one.ends_with(&**other) && !other.ends_with(&**one),
            (Self::Exact(path), Self::Template(segments)) | (Self::Template(segments), Self::Exact(path)) => {
                !Template::new(segments).matches(path.as_bytes())
            }
            (Self::Block(one), Self::Block(other)) => !one.contains(other) && !other.contains(one),
            (Self::Pair(one), Self::Pair(other)) => one.0.excludes(&other.0) || one.1.excludes(&other.1),
            _ => false,
        }
    }
}

impl fmt::Display for Shape<'_> {
    /// In Istio's notation.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Exact(text) | Self::Other(text) => formatter.write_str(text),
            Self::Prefix(text) => write!(formatter, "{text}*"),
            Self::Suffix(text) => write!(formatter, "*{text}"),
            Self::Template(segments) => segments.iter().try_for_each(|segment| match segment {
                TemplateSegment::Literal(text) => write!(formatter, "/{text}"),
                TemplateSegment::One => formatter.write_str("/{*}"),
                TemplateSegment::Many => formatter.write_str("/{**}"),
            }),
            Self::Block(block) if block.prefix_len() == block.max_prefix_len() => {
                write!(formatter, "{}", block.addr())
            }
            Self::Block(block) => write!(formatter, "{block}"),
            Self::Pair(pair) if pair.1 == Self::Exact("".into()) => pair.0.fmt(formatter),
            Self::Pair(pair) => write!(formatter, "{}/{}", pair.0, pair.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ValuePattern {
        ValuePattern::parse(text)
    }

    /// Whether the one covers the other, and whether they exclude each other.
    #[test]
    fn how_texts_lie_to_each_other() {
        for (one, other, covers, excludes) in [
            ("*", "a", true, false),
            ("*", "", false, false),
            ("*", "a*", true, false),
            ("a", "*", false, false),
            ("a", "a", true, false),
            ("a", "b", false, true),
            ("a*", "a", true, false),
            ("a*", "ab*", true, false),
            ("ab*", "a*", false, false),
            ("a*", "b*", false, true),
            ("a*", "*a", false, false),
            ("a*", "ba", false, true),
            ("*a", "ba", true, false),
            ("*a", "*ba", true, false),
            ("*ba", "*a", false, false),
            ("*a", "*b", false, true),
            ("*a", "ab", false, true),
        ] {
            let (one, other) = (pattern(one), pattern(other));
            let (left, right) = (Shape::of(&one), Shape::of(&other));
            assert_eq!(left.covers(&right), covers, "{one} {other}");
            assert_eq!(left.excludes(&right), excludes, "{one} {other}");
            assert_eq!(right.excludes(&left), excludes, "{other} {one}");
        }
    }

    #[test]
    fn how_blocks_and_templates_lie_to_each_other() {
        let block = |text: &str| Shape::Block(text.parse().unwrap());
        for (one, other, covers, excludes) in [
            ("10.0.0.0/8", "10.1.0.0/16", true, false),
            ("10.1.0.0/16", "10.0.0.0/8", false, false),
            ("10.0.0.0/8", "11.0.0.0/8", false, true),
            ("0.0.0.0/0", "::/0", false, true),
        ] {
            assert_eq!(block(one).covers(&block(other)), covers, "{one} {other}");
            assert_eq!(block(one).excludes(&block(other)), excludes, "{one} {other}");
        }
        let segments = [TemplateSegment::Literal("a".to_owned()), TemplateSegment::One];
        let template = Shape::Template(&segments);
        for (text, covered, covering, excludes) in [
            ("/a/b", true, false, false),
            ("/a", false, false, true),
            ("/a/*", false, true, false),
            ("/a/b*", false, false, false),
            ("*", false, true, false),
        ] {
            let value = pattern(text);
            let shape = Shape::of(&value);
            assert_eq!(template.covers(&shape), covered, "{text}");
            assert_eq!(shape.covers(&template), covering, "{text}");
            assert_eq!(shape.excludes(&template), excludes, "{text}");
        }
        assert_eq!(template.to_string(), "/a/{*}");
    }
}
