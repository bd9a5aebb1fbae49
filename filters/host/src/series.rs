//! The series that this thread has counted for, and their stats.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use outrigger_core::telemetry::{Metric, Protocol, Series};

/// The stats of one series, by metric; `None`: it is not measured.
pub(crate) type Ids = [Option<u32>; Metric::ALL.len()];

/// Stats by series. What it forgets can be defined anew, for the same ids.
#[derive(Debug)]
pub(crate) struct KnownSeries {
    ids: RefCell<HashMap<Key, Ids, FixedState>>,
    most: usize,
}

/// A series. Its peer is known by where it stands, which spares every request the hash of seven texts: [`crate::peers::Peers`]
/// has each once. One that was forgotten there and comes again makes another key.
#[derive(Debug)]
struct Key(Series<Arc<str>>);

impl KnownSeries {
    /// None yet, and `most` at a time.
    pub(crate) fn new(most: usize, hasher: FixedState) -> Self {
        Self { ids: RefCell::new(HashMap::with_hasher(hasher)), most }
    }

    /// The stats of `series`, or the series again if it is not known.
    pub(crate) fn get(&self, series: Series<Arc<str>>) -> Result<Ids, Series<Arc<str>>> {
        let key = Key(series);
        self.ids.borrow().get(&key).copied().ok_or(key.0)
    }

    /// Remembers the stats of a series.
    pub(crate) fn insert(&self, series: Series<Arc<str>>, ids: Ids) {
        let mut known = self.ids.borrow_mut();
        // Those that are still counted for will be back.
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(Key(series), ids);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let series = &self.0;
        let grpc = series.protocol == Protocol::Grpc;
        state.write_usize(Arc::as_ptr(&series.peer).addr());
        state.write_u64(series.flags.0);
        state.write_u64(
            series.grpc_status.unwrap_or(0).cast_unsigned() << 32
                | u64::from(series.response_code) << 1
                | u64::from(grpc),
        );
        state.write(series.cluster.as_bytes());
        state.write(series.peer_principal.as_bytes());
        series.values.iter().for_each(|value| value.hash(state));
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        Arc::ptr_eq(&one.peer, &other.peer) && one == other
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use foldhash::fast::FixedState;
    use outrigger_core::telemetry::{ResponseFlags, Workload};

    use super::*;

    fn series(peer: &Arc<Workload>, code: u16, value: &str) -> Series<Arc<str>> {
        Series {
            cluster: "outbound|80||a".into(),
            peer_principal: "".into(),
            peer: Arc::clone(peer),
            protocol: Protocol::Http,
            response_code: code,
            grpc_status: None,
            flags: ResponseFlags::default(),
            values: vec![value.into()],
        }
    }

    #[test]
    fn a_series_is_found_by_its_parts_and_by_whose_it_is() {
        let known = KnownSeries::new(2, FixedState::default());
        let peer = Arc::new(Workload::default());
        known.insert(series(&peer, 200, "a"), [Some(1); 6]);
        assert_eq!(known.get(series(&peer, 200, "a")), Ok([Some(1); 6]));
        let another = Arc::new(Workload::default());
        for other in [series(&peer, 404, "a"), series(&peer, 200, "b"), series(&another, 200, "a")] {
            assert_eq!(known.get(other.clone()), Err(other));
        }
    }

    #[test]
    fn what_is_one_too_many_takes_the_place_of_all() {
        let known = KnownSeries::new(2, FixedState::default());
        let peer = Arc::new(Workload::default());
        for code in [200, 404, 503] {
            known.insert(series(&peer, code, "a"), [Some(code.into()); 6]);
        }
        let found = |code| known.get(series(&peer, code, "a")).ok();
        assert_eq!((found(200), found(503)), (None, Some([Some(503); 6])));
    }
}
