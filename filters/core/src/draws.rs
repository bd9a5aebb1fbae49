//! Random draws as an argument: seeded in the proxy, fixed in `outrigger explain --draw`.

/// A source of uniform draws.
#[derive(Debug, Clone, Copy)]
pub enum Draws {
    /// Every draw lands on the same point, given in millionths (0 to 999 999) of its range.
    Fixed(u32),
    /// A generator with this state.
    Seeded(u64),
}

impl Default for Draws {
    /// Draws that always land on the first point.
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// The number of equal parts a percentage is drawn from: Envoy's `MILLION` denominator.
pub const MILLION: u32 = 1_000_000;

impl Draws {
    /// A number in `0..bound`, each equally likely (to one in 2^32); 0 if `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        let (point, parts) = match self {
            Self::Fixed(point) => (u64::from(*point), u64::from(MILLION)),
            Self::Seeded(state) => (u64::from(next(state)), 1 << 32),
        };
        u32::try_from(point.saturating_mul(u64::from(bound)) / parts).unwrap_or(0)
    }

    /// 32 bits, each word of them equally likely.
    pub fn word(&mut self) -> u32 {
        self.below(u32::MAX)
    }

    /// Whether an event of this many millionths happens: never for 0, always for a million.
    pub fn hits(&mut self, millionths: u32) -> bool {
        self.below(MILLION) < millionths
    }
}

/// SplitMix64: full period, no multiplication wider than the target's registers, passes BigCrush.
fn next(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn fixed_draws_land_on_their_point() {
        for (point, bound, drawn) in [(0, 100, 0), (749_999, 100, 74), (750_000, 100, 75), (999_999, 100, 99)]
        {
            assert_eq!(Draws::Fixed(point).below(bound), drawn);
        }
    }

    #[test]
    fn zero_never_hits_and_a_million_always_does() {
        let mut draws = Draws::Seeded(7);
        assert!((0..10_000).all(|_| !draws.hits(0) && draws.hits(MILLION)));
    }

    #[test]
    fn seeded_draws_are_uniform() {
        let mut draws = Draws::Seeded(42);
        let mut buckets = [0u32; 4];
        for _ in 0..40_000 {
            buckets[draws.below(4) as usize] += 1;
        }
        assert!(buckets.iter().all(|n| (9_600..10_400).contains(n)), "{buckets:?}");
    }
}
