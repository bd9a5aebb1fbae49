//! The endpoints that requests came to: their cluster and the workload that the configuration says is there.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use outrigger_core::matching::ByteMap;
use outrigger_core::telemetry::Workload;

use crate::abi;
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
    pub(crate) cluster: Arc<str>,
    /// What is known of its workload from the configuration.
    pub(crate) workload: Arc<Workload>,
}

/// The endpoints that this thread knows, by cluster and address.
#[derive(Debug)]
pub(crate) struct Destinations {
    /// Each with the time at which the host was asked.
    known: RefCell<ByteMap<(Destination, Duration)>>,
    /// Whether workloads are asked for at all.
    with_workloads: bool,
}

impl Destinations {
    pub(crate) fn new(with_workloads: bool, hasher: foldhash::fast::FixedState) -> Self {
        Self { known: RefCell::new(ByteMap::with_hasher(hasher)), with_workloads }
    }

    /// The endpoint of the current stream, in `cluster`. `place`: its cluster and address. `now`: the wall clock, if
    /// somebody has read it for this stream.
    pub(crate) fn of(
        &self,
        place: &[u8],
        cluster: &[u8],
        peers: &Peers,
        now: Option<Duration>,
    ) -> Destination {
        // Without workloads there is nothing that could change. Without a clock nothing is fresh.
        let now = match self.with_workloads {
            true => now.or_else(|| abi::current_time().ok()),
            false => Some(Duration::ZERO),
        };
        // The clock may be set back.
        let fresh = |asked: Duration| now.is_some_and(|now| now.abs_diff(asked) < FRESH);
        if let Some((known, read)) = self.known.borrow().get(place)
            && fresh(*read)
        {
            return known.clone();
        }
        let workload = if self.with_workloads { peers.of_endpoint() } else { Arc::clone(peers.unknown()) };
        let destination = Destination { cluster: String::from_utf8_lossy(cluster).into(), workload };
        let mut known = self.known.borrow_mut();
        // Those that are still there will be back.
        if known.len() >= MOST {
            known.clear();
        }
        known.replace(place.into(), (destination.clone(), now.unwrap_or_default()));
        destination
    }
}
