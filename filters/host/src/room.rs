//! Whether there is room for one more series, among those of all threads.

use std::hash::{BuildHasher as _, Hash};

use outrigger_core::telemetry::{SERIES, SERIES_OVERFLOW};

use crate::abi::{self, MetricKind, Status};
use crate::metrics::define;

/// Where the threads share a random number, by which nobody outside can make different labels look alike.
const SEED: &[u8] = b"outrigger.series.seed";
/// Where they share which series there are: this, and the hash of its labels.
const KNOWN: &[u8] = b"outrigger.series.";

/// The room for series.
#[derive(Debug)]
pub(crate) struct Room {
    most: u64,
    /// The gauge that counts them. The host keeps one for all threads.
    series: u32,
    /// The counter of what there was no room for.
    folded: u32,
    hasher: foldhash::fast::FixedState,
}

impl Room {
    /// Room for `most`. `seed`: a random number, if no thread has shared one yet.
    pub(crate) fn new(most: u32, seed: u64) -> Result<Self, Status> {
        let shared = || abi::shared_data(SEED).ok()?.0.try_into().map(u64::from_le_bytes).ok();
        let seed = shared().unwrap_or_else(|| {
            // Another thread may have been quicker.
            let written = abi::set_shared_data(SEED, &seed.to_le_bytes(), abi::NOTHING_YET).is_ok();
            if written { seed } else { shared().unwrap_or(seed) }
        });
        Ok(Self {
            most: most.into(),
            series: define(MetricKind::Gauge, SERIES.to_owned())?,
            folded: define(MetricKind::Counter, SERIES_OVERFLOW.to_owned())?,
            hasher: foldhash::fast::FixedState::with_seed(seed),
        })
    }

    /// What hashes labels for this thread's own use.
    pub(crate) fn hasher(&self) -> foldhash::fast::FixedState {
        self.hasher.clone()
    }

    /// Whether there is room for this series: there is if some thread has it already. What has none is counted.
    pub(crate) fn has(&self, series: &impl Hash) -> Result<bool, Status> {
        let mut key = KNOWN.to_vec();
        key.extend(self.hasher.hash_one(series).to_le_bytes());
        if abi::shared_data(&key).is_ok() {
            return Ok(true);
        }
        if abi::metric(self.series)? >= self.most {
            abi::increment_metric(self.folded, 1)?;
            return Ok(false);
        }
        abi::increment_metric(self.series, 1)?;
        abi::set_shared_data(&key, b"1", 0)?;
        Ok(true)
    }
}
