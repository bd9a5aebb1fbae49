//! Copies of requests that Envoy sends elsewhere, without waiting for what comes of them.

use outrigger_api::types::common::Millionths;

use super::destination::Destination;

/// A mirror of a rule, compiled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirror {
    /// Where the copies go.
    pub destination: Destination,
    /// Of how many requests a copy is made: Envoy draws it, once for all mirrors of a request.
    pub percentage: Millionths,
}
