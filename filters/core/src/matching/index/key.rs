//! What entries are filed under.

use std::borrow::Cow;

/// An entry.
#[derive(Debug, Clone)]
pub struct Entry<'k> {
    /// How many demands it makes; they are numbered from 0.
    pub demands: usize,
    /// Those that it can be found by.
    pub keys: Vec<Key<'k>>,
}

/// One demand of an entry that it can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'k> {
    /// Which of the entry's demands this is: fulfilling the key must be the same as fulfilling the demand.
    pub demand: usize,
    /// What is looked at.
    pub subject: Subject<&'k str, &'k [String]>,
    /// What it must be.
    pub test: Test<'k>,
}

/// What of a request is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<N, P> {
    /// The path without its query.
    Path,
    /// The same in lower case.
    PathIgnoringCase,
    /// Each line of a header (name in lower case).
    Header(N),
    /// The first value of a query parameter.
    Query(N),
    /// Each text of a claim of the verified token, by its path.
    Claim(P),
    /// The service's port, as two bytes, the higher one first.
    Port,
    /// The name of each header line. For the index itself: who asks for a value asks for the name too.
    HeaderNames,
    /// The name of each query parameter. For the index itself, too.
    QueryNames,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test<'k> {
    /// This.
    Exact(Cow<'k, [u8]>),
    /// Begin with this; if it is empty, just be there.
    Prefix(Cow<'k, [u8]>),
    /// Match this as a whole.
    Regex(&'k str),
}

impl Subject<&str, &[String]> {
    pub(super) fn owned(&self) -> Subject<Box<str>, Box<[String]>> {
        match *self {
            Self::Path => Subject::Path,
            Self::PathIgnoringCase => Subject::PathIgnoringCase,
            Self::Header(name) => Subject::Header(name.into()),
            Self::Query(name) => Subject::Query(name.into()),
            Self::Claim(path) => Subject::Claim(path.into()),
            Self::Port => Subject::Port,
            Self::HeaderNames => Subject::HeaderNames,
            Self::QueryNames => Subject::QueryNames,
        }
    }
}
