//! Which of several weighted destinations a caller belongs to, so that few change sides when weights move.
//!
//! Weighted rendezvous hashing: each destination has a point `u` in (0, 1) for each caller, and the lowest
//! `-ln(u) / weight` wins. A destination wins with the probability of its share, whatever their order. When one
//! destination's weight moves against the others', callers move only to it or only away from it, exactly as many as the
//! shares say; with two destinations that is every change there is. With three or more, taking weight from one and giving
//! it to another also moves callers by way of the third (of its share, at most as many again). No rule without memory can
//! avoid that: where the shares of three meet, some direction of change always crosses a border that it should not. The
//! other layout, intervals one after the other, moves every destination between the two instead, and all when their order
//! changes.

use std::f64::consts::{LN_2, SQRT_2};

use super::hash::{Seed, finish};

/// The destinations of a rule, each by a number that stays the same as long as it is the same destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides(Box<[Side]>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    id: u64,
    weight: f64,
}

impl Sides {
    /// Destinations by their cluster, with weights above zero.
    pub fn new<'c>(destinations: impl IntoIterator<Item = (&'c str, u32)>) -> Self {
        let mut sides: Vec<Side> = Vec::new();
        for (cluster, weight) in destinations {
            let mut id = Seed::new("side", cluster).hash(b"");
            // The same destination twice, say with other headers, is two sides.
            while sides.iter().any(|side| side.id == id) {
                id = finish(id.wrapping_add(1));
            }
            sides.push(Side { id, weight: f64::from(weight) });
        }
        Self(sides.into())
    }

    /// The place, among the destinations, of the one that a caller with this hash belongs to; `None` if there are none.
    pub fn pick(&self, caller: u64) -> Option<usize> {
        let score = |side: &Side| minus_ln(finish(caller ^ side.id)) / side.weight;
        let mut best: Option<(usize, f64)> = None;
        for (place, score) in self.0.iter().map(score).enumerate() {
            if best.is_none_or(|(_, lowest)| score < lowest) {
                best = Some((place, score));
            }
        }
        best.map(|(place, _)| place)
    }
}

/// `-ln` of a number in (0, 1) that `hash` stands for. The standard library's logarithm differs from platform to
/// platform in its last bits; these are operations that IEEE 754 defines to the bit.
fn minus_ln(hash: u64) -> f64 {
    const BITS: u32 = 52;
    const ONE: u64 = 1023 << BITS;
    const TINY: f64 = 1.0 / (1u64 << 53) as f64;
    let number = ((hash >> 11) as f64 + 0.5) * TINY;
    let bits = number.to_bits();
    let mut exponent = (bits >> BITS) as f64 - 1023.0;
    let mut mantissa = f64::from_bits(bits & ((1 << BITS) - 1) | ONE);
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    // ln(m) = 2 artanh((m - 1) / (m + 1)), whose series is short for m so near to one.
    let x = (mantissa - 1.0) / (mantissa + 1.0);
    let square = x * x;
    let (mut power, mut sum, mut divisor) = (x, 0.0, 1.0);
    for _ in 0..10 {
        sum += power / divisor;
        power *= square;
        divisor += 2.0;
    }
    -(exponent * LN_2 + 2.0 * sum)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_logarithm_is_one() {
        for hash in [0, 1, u64::MAX, u64::MAX / 2, u64::MAX / 3, 1 << 63, 0xffff_f000_0000_0000, 12345 << 20]
        {
            let exact = -(((hash >> 11) as f64 + 0.5) / (1u64 << 53) as f64).ln();
            let error = (minus_ln(hash) - exact).abs();
            assert!(error <= exact.abs() * 1e-13, "{hash}: {} {exact}", minus_ln(hash));
        }
    }

    #[test]
    fn the_same_destination_twice_is_two_sides() {
        let sides = Sides::new([("a", 50), ("a", 50)]);
        let seed = Seed::new("weights", "ns/a");
        let first = (0..20_000u32).filter(|n| sides.pick(seed.hash(&n.to_le_bytes())) == Some(0)).count();
        assert!((9_600..10_400).contains(&first), "{first}");
        assert_eq!(Sides::new([]).pick(1), None);
    }
}
