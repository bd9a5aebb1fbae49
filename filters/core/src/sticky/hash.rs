//! The hash behind everything that is sticky. It is part of the product: another one would move callers to other sides
//! with an update, so it never changes, and the tests pin it.
//!
//! FNV-1a over `purpose NUL resource NUL value` in 64 bits, then SplitMix64's finaliser, which spreads what FNV leaves
//! in the low bits. Not a defence: whoever chooses the value of a header chooses its side.

use crate::draws::MILLION;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A hash that has taken in what is known when a configuration is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// For `purpose` (such as `weights`) in `resource` (`namespace/name`).
    pub fn new(purpose: &str, resource: &str) -> Self {
        let state = [purpose.as_bytes(), b"\0", resource.as_bytes(), b"\0"];
        Self(state.into_iter().fold(OFFSET, fnv))
    }

    /// The hash of `value`: each of the 2^64 is equally likely.
    pub fn hash(self, value: &[u8]) -> u64 {
        finish(fnv(self.0, value))
    }

    /// The point of `value`, in millionths.
    pub fn point(self, value: &[u8]) -> u32 {
        u32::try_from(((self.hash(value) >> 32) * u64::from(MILLION)) >> 32).unwrap_or(0)
    }
}

fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// SplitMix64's finaliser: every bit of the result depends on every bit of `state`.
pub(super) fn finish(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
