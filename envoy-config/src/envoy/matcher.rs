//! `envoy.type.matcher.v3`: matchers that filters share.

use serde::Serialize;

use super::scalars::{AnyCase, StringMatcher};

/// `PathMatcher`: the path without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathMatcher {
    /// What it is.
    pub path: StringMatcher,
}

/// `ListStringMatcher`: one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListStringMatcher {
    /// At least one.
    pub patterns: Vec<AnyCase>,
}

/// `MetadataMatcher`: something that a filter has said of a request or connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetadataMatcher {
    /// The filter.
    pub filter: String,
    /// The keys that lead to it.
    pub path: Vec<PathSegment>,
    /// What it is.
    pub value: ValueMatcher,
}

/// One key of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathSegment {
    /// The key.
    pub key: String,
}

/// `ValueMatcher`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueMatcher {
    /// A string.
    StringMatch(StringMatcher),
    /// A list.
    ListMatch(ListMatcher),
    /// One of these.
    OrMatch {
        /// At least two.
        value_matchers: Vec<ValueMatcher>,
    },
}

/// `ListMatcher`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListMatcher {
    /// Some element is this.
    pub one_of: Box<ValueMatcher>,
}

impl MetadataMatcher {
    /// The value of `key` among what `filter` has said.
    pub fn of(filter: impl Into<String>, key: impl Into<String>, value: ValueMatcher) -> Self {
        Self { filter: filter.into(), path: vec![PathSegment { key: key.into() }], value }
    }
}
