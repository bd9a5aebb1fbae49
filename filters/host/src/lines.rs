//! The header lines of a request, as far as rules ask for them.

use outrigger_core::Attributes;
use outrigger_core::request::HeaderLine;

use crate::abi::{self, Map, Status};
use crate::headers;

/// The headers that the host is asked for alone: each has one line at most. Two of them cost as much as all headers.
const SINGLE: [(Attributes, &[u8]); 3] =
    [(Attributes::PATH, b":path"), (Attributes::METHOD, b":method"), (Attributes::AUTHORITY, b":authority")];

/// Header lines that had to be copied out of the host.
#[derive(Debug)]
pub(crate) enum Lines {
    /// All of them, in the host's serialised form.
    All(Vec<u8>),
    /// The only one that rules ask for.
    One(&'static [u8], Vec<u8>),
    /// None is asked for, or the one that is asked for is not there.
    None,
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
    pub(crate) fn parse(&self) -> Vec<HeaderLine<'_>> {
        match self {
            Self::All(pairs) => headers::parse(pairs),
            Self::One(name, value) => vec![(name, value)],
            Self::None => Vec::new(),
        }
    }
}
