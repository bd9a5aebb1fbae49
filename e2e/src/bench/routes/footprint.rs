//! What a routing table takes before the first request: time to compile it, and memory to keep it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::super::envoy::Envoy;

/// Envoy has the configuration compiled in a VM that it throws away, on its main thread and on each worker.
const COMPILATIONS: f64 = 3.0;
/// Those that stay: the main thread's and that of the one worker.
const KEPT: f64 = 2.0;
/// For Envoy to free what it needed to start only.
const REST: Duration = Duration::from_millis(300);

/// A table of 10,000 rules above one of 10.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Footprint {
    /// CPU seconds: ours for one compilation, Envoy's for its only one.
    pub(super) seconds: f64,
    /// Bytes of resident memory a rule: ours in one VM, Envoy's in the process.
    pub(super) bytes_per_rule: f64,
}

/// Of one start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started {
    seconds: f64,
    bytes: f64,
}

/// Starts Envoy with `bootstrap` and takes its measure.
pub(super) fn start(bootstrap: &Value, folder: &Path, core: Option<usize>) -> Result<Started> {
    let envoy = Envoy::start("measured", bootstrap, folder, core)?;
    let seconds = envoy.meter.seconds()?;
    std::thread::sleep(REST);
    Ok(Started { seconds, bytes: envoy.meter.resident_bytes()? as f64 })
}

impl Footprint {
    /// What `large`, with so many `rules` more, takes above `small`; `in_vms`: of it what one VM takes.
    pub(super) fn between(small: Started, large: Started, rules: usize, in_vms: bool) -> Self {
        let (compilations, kept) = if in_vms { (COMPILATIONS, KEPT) } else { (1.0, 1.0) };
        Self {
            seconds: (large.seconds - small.seconds) / compilations,
            bytes_per_rule: (large.bytes - small.bytes) / kept / rules as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footprint_is_a_difference() {
        let small = Started { seconds: 1.0, bytes: 1e6 };
        let large = Started { seconds: 4.0, bytes: 5e6 };
        let ours = Footprint::between(small, large, 1000, true);
        assert_eq!((ours.seconds, ours.bytes_per_rule), (1.0, 2000.0));
        assert_eq!(Footprint::between(small, large, 1000, false).bytes_per_rule, 4000.0);
    }
}
