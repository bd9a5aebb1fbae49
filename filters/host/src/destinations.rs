//! The endpoints that requests came to: their cluster and the workload that the configuration says is there.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use outrigger_core::matching::ByteMap;
use outrigger_core::telemetry::Workload;

use crate::peers::Peers;

/// So many endpoints are remembered at most.
const MOST: usize = 4096;

/// So long a workload is taken to be at its endpoint, before the host is asked again: it takes ten times as long as to look
/// here.
const FRESH: Duration = Duration::from_secs(1);

/// An endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The name of its cluster.
    pub(crate) cluster: Rc<str>,
    /// What is known of its workload from the configuration.
    pub(crate) workload: Rc<Workload>,
}

/// The endpoints that this thread knows, by cluster and address.
#[derive(Debug)]
pub(crate) struct Destinations {
    known: RefCell<ByteMap<(Destination, Instant)>>,
    /// Whether workloads are asked for at all.
    with_workloads: bool,
}

impl Destinations {
    pub(crate) fn new(with_workloads: bool, hasher: foldhash::fast::FixedState) -> Self {
        Self { known: RefCell::new(ByteMap::with_hasher(hasher)), with_workloads }
    }

    /// The endpoint of the current stream, in `cluster`. `place`: its cluster and address.
    pub(crate) fn of(&self, place: &[u8], cluster: &[u8], peers: &Peers) -> Destination {
        // Without workloads there is nothing that could change.
        let now = self.with_workloads.then(Instant::now);
        let fresh = |read: Instant| now.is_none_or(|now| now.saturating_duration_since(read) < FRESH);
        if let Some((known, read)) = self.known.borrow().get(place)
            && fresh(*read)
        {
            return known.clone();
        }
        let workload = if self.with_workloads { peers.of_endpoint() } else { Rc::clone(peers.unknown()) };
        let destination = Destination { cluster: String::from_utf8_lossy(cluster).into(), workload };
        let mut known = self.known.borrow_mut();
        // Those that are still there will be back.
        if known.len() >= MOST {
            known.clear();
        }
        known.replace(place.into(), (destination.clone(), now.unwrap_or_else(Instant::now)));
        destination
    }
}
