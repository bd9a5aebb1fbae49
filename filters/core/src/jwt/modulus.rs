//! Powers modulo an odd number, for checks of signatures. Everything here is public, so nothing has to take the same
//! time for every value.
//!
//! Montgomery's multiplication with 32-bit limbs, the widest that WebAssembly multiplies into a register.

use std::cmp::Ordering;

/// An odd modulus and what its multiplication needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modulus {
    /// Little-endian, as are all limbs here; the last one is not zero.
    limbs: Vec<u32>,
    /// −1 / modulus, modulo 2³².
    inverse: u32,
    /// R², where R is 2 to the power of the number of bits in `limbs`.
    square: Vec<u32>,
}

impl Modulus {
    /// The modulus with these big-endian bytes. `None` if it is even or 1.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let mut limbs = to_limbs(bytes, bytes.len().div_ceil(4));
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        let first = *limbs.first()?;
        if first & 1 == 0 || limbs == [1] {
            return None;
        }
        // Newton's iteration: each step doubles the number of right bits, of which an odd number has three to begin with.
        let mut inverse = first;
        for _ in 0..4 {
            inverse = inverse.wrapping_mul(2_u32.wrapping_sub(first.wrapping_mul(inverse)));
        }
        let mut modulus = Self { limbs, inverse: inverse.wrapping_neg(), square: Vec::new() };
        modulus.square = modulus.square_of_r();
        Some(modulus)
    }

    /// `base` to the power of `exponent`, big-endian, as long as the modulus. `None` if `base` is not below the modulus.
    pub(super) fn power(&self, base: &[u8], exponent: u32) -> Option<Vec<u8>> {
        let base = self.enter(base)?;
        let power = self.raise(self.enter(&[1])?, &base, exponent);
        let power = self.multiply(&power, &self.one());
        Some(power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect())
    }

    /// Whether the point lies on `y² = x³ − 3x + b`; so far as its coordinates are below the modulus.
    pub(super) fn has_point(&self, x: &[u8], y: &[u8], b: &[u8]) -> bool {
        let (Some(x), Some(y), Some(b)) = (self.enter(x), self.enter(y), self.enter(b)) else { return false };
        let cube = self.multiply(&self.multiply(&x, &x), &x);
        let three = self.add(&self.double(&x), &x);
        self.add(&self.multiply(&y, &y), &three) == self.add(&cube, &b)
    }

    /// R² modulo the modulus.
    fn square_of_r(&self) -> Vec<u32> {
        let (count, last) = (self.limbs.len(), self.limbs.last().copied().unwrap_or(0));
        // The highest power of two below the modulus, then doubled until it is R.
        let mut r = vec![0; count];
        if let Some(top) = r.last_mut() {
            *top = 1_u32 << 31_u32.saturating_sub(last.leading_zeros());
        }
        for _ in 0..=last.leading_zeros() {
            r = self.double(&r);
        }
        // 2 to the power of the number of R's bits is R again, and here every number is multiplied by R.
        let exponent = u32::try_from(count.saturating_mul(32)).unwrap_or(0);
        self.raise(r.clone(), &self.double(&r), exponent)
    }

    /// `base` to the power of `exponent`, both `base` and `one` times R, and so is the power.
    fn raise(&self, one: Vec<u32>, base: &[u32], exponent: u32) -> Vec<u32> {
        let mut power = one;
        for bit in (0..u32::BITS.saturating_sub(exponent.leading_zeros())).rev() {
            power = self.multiply(&power, &power);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, base);
            }
        }
        power
    }

    /// A number times R: the form in which numbers are multiplied.
    fn enter(&self, bytes: &[u8]) -> Option<Vec<u32>> {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = bytes.get(zeros..)?;
        if bytes.len() > self.limbs.len().saturating_mul(4) {
            return None;
        }
        let number = to_limbs(bytes, self.limbs.len());
        (compare(&number, &self.limbs) == Ordering::Less).then(|| self.multiply(&number, &self.square))
    }

    fn one(&self) -> Vec<u32> {
        to_limbs(&[1], self.limbs.len())
    }

    fn double(&self, number: &[u32]) -> Vec<u32> {
        self.add(number, number)
    }

    fn add(&self, left: &[u32], right: &[u32]) -> Vec<u32> {
        let mut carry = 0_u64;
        let limbs = left.iter().zip(right).map(|(left, right)| {
            carry += u64::from(*left) + u64::from(*right);
            low(&mut carry)
        });
        let sum = limbs.collect();
        self.reduced(sum, carry)
    }

    /// `left` × `right` / R, both below the modulus.
    fn multiply(&self, left: &[u32], right: &[u32]) -> Vec<u32> {
        let mut product = vec![0_u32; self.limbs.len()];
        // What stands above the product's limbs.
        let mut top = 0_u64;
        for left in left {
            top += add_multiple(&mut product, right, *left);
            let factor = product.first().copied().unwrap_or(0).wrapping_mul(self.inverse);
            top += add_multiple(&mut product, &self.limbs, factor);
            // The lowest limb is zero now: everything moves down by one.
            product.rotate_left(1);
            if let Some(last) = product.last_mut() {
                *last = low(&mut top);
            }
        }
        self.reduced(product, top)
    }

    /// `number`, with `top` above it and below twice the modulus, modulo the modulus.
    fn reduced(&self, mut number: Vec<u32>, top: u64) -> Vec<u32> {
        if top != 0 || compare(&number, &self.limbs) != Ordering::Less {
            let mut borrow = 0_i64;
            for (limb, modulus) in number.iter_mut().zip(&self.limbs) {
                borrow += i64::from(*limb) - i64::from(*modulus);
                *limb = (borrow & 0xffff_ffff) as u32;
                borrow >>= 32;
            }
        }
        number
    }
}

/// Adds `number` × `factor` to `sum`, which is as long; what does not fit is returned.
fn add_multiple(sum: &mut [u32], number: &[u32], factor: u32) -> u64 {
    let mut carry = 0_u64;
    for (sum, limb) in sum.iter_mut().zip(number) {
        // At most (2³² − 1)² + 2 (2³² − 1), which is 2⁶⁴ − 1.
        carry += u64::from(*sum) + u64::from(*limb) * u64::from(factor);
        *sum = low(&mut carry);
    }
    carry
}

/// Takes the lowest limb off.
fn low(number: &mut u64) -> u32 {
    let limb = (*number & 0xffff_ffff) as u32;
    *number >>= 32;
    limb
}

fn compare(left: &[u32], right: &[u32]) -> Ordering {
    left.iter().rev().cmp(right.iter().rev())
}

/// Big-endian bytes as `count` limbs.
fn to_limbs(bytes: &[u8], count: usize) -> Vec<u32> {
    let mut limbs: Vec<u32> = bytes
        .rchunks(4)
        .map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte)))
        .collect();
    limbs.resize(count, 0);
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn even_numbers_and_one_are_no_modulus() {
        for (bytes, taken) in [(&[][..], false), (&[0], false), (&[1], false), (&[8], false), (&[0, 7], true)]
        {
            assert_eq!(Modulus::new(bytes).is_some(), taken, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_below_the_modulus_has_no_power() {
        let modulus = Modulus::new(&[0xff; 8]).unwrap();
        assert!(modulus.power(&[0xff; 8], 3).is_none());
        assert!(modulus.power(&[1; 9], 3).is_none());
        assert_eq!(
            modulus.power(&[&[0, 0][..], &[0xff; 7], &[0xfe]].concat(), 2).unwrap(),
            [0, 0, 0, 0, 0, 0, 0, 1]
        );
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn powers_are_those_of_plain_arithmetic(modulus: u64, base: u64, exponent in 0_u32..100_000) {
            let (modulus, mut plain) = (modulus | 3, 1_u128);
            let base = base % modulus;
            for bit in (0..32).rev() {
                plain = plain * plain % u128::from(modulus);
                if exponent >> bit & 1 == 1 {
                    plain = plain * u128::from(base) % u128::from(modulus);
                }
            }
            let power = Modulus::new(&modulus.to_be_bytes()).unwrap().power(&base.to_be_bytes(), exponent).unwrap();
            let power = power.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            proptest::prop_assert_eq!(power, plain);
        }
    }
}
