//! Where requests came to: the clusters and endpoints, and the workloads that the configuration says are there.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use outrigger_core::matching::ByteMap;
use outrigger_core::telemetry::Workload;

use crate::abi;
use crate::peers::{self, Peers};

/// So many clusters are remembered at most, and so many endpoints.
const MOST: usize = 4096;

/// So long a workload is taken to be at its endpoint, before the host is asked again: it takes ten times as long as to look
/// here.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of a request's way without asking the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'w> {
    /// The cluster that a filter of ours has sent it to.
    pub(crate) sent_to: Option<&'w Arc<str>>,
    /// What the other end has said of itself.
    pub(crate) peer: Option<&'w Arc<Workload>>,
    /// The wall clock.
    pub(crate) now: Option<Duration>,
}

impl Way<'_> {
    /// Whether what the host has said at `asked` still holds.
    fn finds_fresh(&self, asked: Duration) -> bool {
        // The clock may be set back.
        self.now.is_some_and(|now| now.abs_diff(asked) < FRESH)
    }
}

/// An endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The name of its cluster.
    pub(crate) cluster: Arc<str>,
    /// What is known of its workload from the configuration.
    pub(crate) workload: Arc<Workload>,
}

/// The clusters and endpoints that this thread knows, each with the time at which the host was asked.
#[derive(Debug)]
pub(crate) struct Destinations {
    /// Those that a filter of ours has chosen and that requests did come to, with the workload of all their endpoints; `None`:
    /// each has its own.
    clusters: RefCell<ByteMap<(Option<Arc<Workload>>, Duration)>>,
    /// By cluster and address.
    known: RefCell<ByteMap<(Destination, Duration)>>,
    /// Whether workloads are asked for at all.
    pub(crate) with_workloads: bool,
}

impl Destinations {
    pub(crate) fn new(with_workloads: bool, hasher: foldhash::fast::FixedState) -> Self {
        Self {
            clusters: RefCell::new(ByteMap::with_hasher(hasher.clone())),
            known: RefCell::new(ByteMap::with_hasher(hasher)),
            with_workloads,
        }
    }

    /// The moment that says what is fresh. `read`: the wall clock, if somebody has read it already. `None`: there is no
    /// clock, and nothing is fresh.
    pub(crate) fn now(&self, read: Option<Duration>) -> Option<Duration> {
        // Without workloads there is nothing that could change.
        if !self.with_workloads {
            return Some(Duration::ZERO);
        }
        read.or_else(|| abi::current_time().ok())
    }

    /// Where a request has come that `way` tells of, unless the host has to be asked.
    pub(crate) fn expected(&self, way: Way<'_>) -> Option<Destination> {
        let (clusters, chosen) = (self.clusters.borrow(), way.sent_to?);
        let (of_all, asked) = clusters.get(chosen.as_bytes())?;
        let workload = way.peer.or(of_all.as_ref()).filter(|_| way.finds_fresh(*asked))?;
        Some(Destination { cluster: Arc::clone(chosen), workload: Arc::clone(workload) })
    }

    /// The endpoint of the current stream, in `cluster`. `place`: its cluster and address.
    pub(crate) fn of(&self, place: &[u8], cluster: &[u8], peers: &Peers, way: Way<'_>) -> Destination {
        if let Some((known, asked)) = self.known.borrow().get(place)
            && way.finds_fresh(*asked)
        {
            return known.clone();
        }
        self.ask(place, cluster, peers, way)
    }

    /// Asks the host about the endpoint of the current stream. Kept out of the way, since few requests need it.
    #[inline(never)]
    fn ask(&self, place: &[u8], cluster: &[u8], peers: &Peers, way: Way<'_>) -> Destination {
        let workload = if self.with_workloads { peers.of_endpoint() } else { Arc::clone(peers.unknown()) };
        let now = way.now.unwrap_or_default();
        let chosen = way.sent_to.filter(|chosen| chosen.as_bytes() == cluster);
        if chosen.is_some() {
            let is_of_all = !self.with_workloads || peers::all_endpoints_are_alike();
            let of_all = is_of_all.then(|| Arc::clone(&workload));
            self.clusters.borrow_mut().remember(cluster.into(), (of_all, now), MOST);
        }
        let name = chosen.map_or_else(|| String::from_utf8_lossy(cluster).into(), Arc::clone);
        let destination = Destination { cluster: name, workload };
        self.known.borrow_mut().remember(place.into(), (destination.clone(), now), MOST);
        destination
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_not_asked_where_a_request_has_come_as_long_as_what_it_said_is_fresh() {
        let destinations = Destinations::new(true, foldhash::fast::FixedState::default());
        let [told, known] =
            ["told", "known"].map(|name| Arc::new(Workload { name: name.to_owned(), ..Workload::default() }));
        let second = Duration::from_secs;
        for (name, of_all) in [("one", Some(Arc::clone(&known))), ("several", None)] {
            destinations.clusters.borrow_mut().replace(name.as_bytes().into(), (of_all, second(10)));
        }
        let expected = |sent_to: Option<&str>, peer, now| {
            let chosen = sent_to.map(Arc::from);
            let destination = destinations.expected(Way { sent_to: chosen.as_ref(), peer, now })?;
            assert_eq!(Some(&*destination.cluster), sent_to);
            Some(destination.workload.name.clone())
        };
        let now = Some(second(10) + FRESH / 2);
        let (told, known) = (Some(&told), Some("known".to_owned()));
        assert_eq!(expected(Some("one"), None, now), known);
        assert_eq!(expected(Some("one"), told, now).as_deref(), Some("told"));
        assert_eq!(expected(Some("several"), told, now).as_deref(), Some("told"));
        assert_eq!(expected(Some("several"), None, now), None);
        // Nobody has chosen it, or it has not been seen.
        assert_eq!(expected(None, told, now), None);
        assert_eq!(expected(Some("other"), told, now), None);
        // Without a clock nothing is fresh, and the clock may be set back.
        for (now, fresh) in [(None, false), (Some(second(11)), false), (Some(second(9)), false)] {
            assert_eq!(expected(Some("one"), None, now).is_some(), fresh, "{now:?}");
        }
        assert_eq!(expected(Some("one"), None, Some(second(10) - FRESH / 2)), known);
    }
}
