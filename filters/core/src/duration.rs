//! Durations as Envoy's headers have them.

use std::time::Duration;

/// Whole milliseconds, without the 128 bits of the standard library's: a `u128` is printed by 2 kB of WebAssembly.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into())
}
