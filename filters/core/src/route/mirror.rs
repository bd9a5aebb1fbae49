//! Copies of requests that Envoy sends elsewhere, without waiting for what comes of them. The filter draws which copies
//! are made; the generic route has a mirror for each of the headers that name a cluster.

use outrigger_api::types::common::Millionths;

use super::destination::Destination;
use crate::verdict::HeaderOp;
use crate::{Draws, header_names};

/// A mirror of a rule, compiled.
#[derive(Debug)]
pub struct Mirror {
    /// Where the copies go.
    pub destination: Destination,
    /// Of how many requests a copy is made.
    pub percentage: Millionths,
    op: HeaderOp<'static>,
}

impl Mirror {
    /// The mirror in the place `slot` (from 0) of its rule.
    pub(super) fn new(destination: Destination, percentage: Millionths, slot: usize) -> Self {
        let cluster = destination.cluster_name().into_bytes();
        let op = HeaderOp::Set(header_names::mirror(slot).into(), cluster.into());
        Self { destination, percentage, op }
    }

    /// Whether a copy is made of this request.
    pub(super) fn draw(&self, draws: &mut Draws) -> bool {
        draws.hits(self.percentage.get())
    }

    /// The header that makes the copy.
    pub(super) fn op(&self) -> HeaderOp<'_> {
        self.op.borrowed()
    }
}
