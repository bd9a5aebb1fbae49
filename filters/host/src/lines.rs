//! The header lines of a request, as far as rules ask for them.

use std::ops::Deref;

use outrigger_core::Attributes;
use outrigger_core::request::HeaderLine;

use crate::abi::{self, Map, Status};
use crate::answer::Answer;
use crate::headers;

/// The headers that the host is asked for alone: each has one line at most. Two of them cost as much as all headers.
const SINGLE: [(Attributes, &[u8]); 3] =
    [(Attributes::PATH, b":path"), (Attributes::METHOD, b":method"), (Attributes::AUTHORITY, b":authority")];

/// Header lines that had to be copied out of the host.
#[derive(Debug)]
pub(crate) enum Lines {
    /// All of them, in the host's serialised form.
    All(Answer),
    /// The only one that rules ask for.
    One(&'static [u8], Answer),
    /// None is asked for, or the one that is asked for is not there.
    None,
}

/// Header lines, borrowed in place.
#[derive(Debug)]
pub(crate) enum Parsed<'l> {
    /// As many as there are.
    Many(Vec<HeaderLine<'l>>),
    /// One, which takes no allocation.
    One([HeaderLine<'l>; 1]),
}

impl<'l> Deref for Parsed<'l> {
    type Target = [HeaderLine<'l>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Many(lines) => lines,
            Self::One(line) => line,
        }
    }
}

impl Lines {
    /// Reads those that are `wanted`.
    pub(crate) fn read(wanted: Attributes) -> Result<Self, Status> {
        let headers = wanted.headers();
        if headers == Attributes::none() {
            return Ok(Self::None);
        }
        let Some((_, name)) = SINGLE.iter().find(|(only, _)| *only == headers) else {
            return abi::header_pairs(Map::Request).map(Self::All);
        };
        match abi::header(Map::Request, name) {
            Ok(value) => Ok(Self::One(name, value)),
            Err(Status::NOT_FOUND) => Ok(Self::None),
            Err(status) => Err(status),
        }
    }

    /// The lines, borrowed in place.
    pub(crate) fn parse(&self) -> Parsed<'_> {
        match self {
            Self::All(pairs) => Parsed::Many(headers::parse(pairs)),
            Self::One(name, value) => Parsed::One([(name, value)]),
            Self::None => Parsed::Many(Vec::new()),
        }
    }
}
