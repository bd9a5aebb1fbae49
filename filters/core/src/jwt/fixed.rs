//! Numbers as text with six decimals, as C prints them. Rust's own formatting of floating point takes up 14 kB in a module.

/// Bits of the fraction of an `f64`, and what its exponent is biased by together with them.
const FRACTION: u32 = 52;
const BIAS: i32 = 1075;

/// `number` with six decimals, rounded to the nearest and to even in the middle (`%.6f`). It is finite.
pub(super) fn six_decimals(number: f64) -> String {
    let bits = number.to_bits();
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let exponent = (bits >> FRACTION & 0x7ff) as i32;
    let fraction = bits & ((1 << FRACTION) - 1);
    // A number is `mantissa` times two to the power of `power`.
    let (mantissa, power) = match exponent {
        0 => (fraction, 1 - BIAS),
        _ => (fraction | 1 << FRACTION, exponent - BIAS),
    };
    match u32::try_from(power) {
        Ok(power) => format!("{sign}{}.000000", shifted(mantissa, power)),
        Err(_) => {
            let power = power.unsigned_abs();
            let whole = mantissa.checked_shr(power).unwrap_or(0);
            let part = mantissa - whole.checked_shl(power).unwrap_or(0);
            let millionths = rounded(u128::from(part) * 1_000_000, power) as u64;
            format!("{sign}{}.{:06}", whole + millionths / 1_000_000, millionths % 1_000_000)
        }
    }
}

/// `number` divided by two to the power of `power`.
fn rounded(number: u128, power: u32) -> u128 {
    // With so many bits gone nothing is left: the number has 73 at most.
    if power > 100 {
        return 0;
    }
    let (whole, rest, half) = (number >> power, number & ((1 << power) - 1), 1u128 << (power - 1));
    let up = rest > half || rest == half && whole & 1 == 1;
    whole + u128::from(up)
}

/// The decimal digits of `number` times two to the power of `power`.
fn shifted(number: u64, power: u32) -> String {
    const BASE: u64 = 1_000_000_000;
    // The last digits first.
    let mut parts = vec![number % BASE, number / BASE];
    for _ in 0..power {
        let mut carry = 0;
        for part in &mut parts {
            let doubled = *part * 2 + carry;
            (*part, carry) = (doubled % BASE, doubled / BASE);
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let digits: String = parts.iter().rev().map(|part| format!("{part:09}")).collect();
    digits.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_edges_are_right() {
        for number in [
            0.5,
            1.5,
            -5.0,
            1e-7,
            5e-7,
            0.000_000_5,
            0.000_001_5,
            0.000_002_5,
            1e20,
            -1e20,
            2f64.powi(53),
            2f64.powi(64),
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            123_456_789.987_654_33,
            0.0,
            -0.0,
        ] {
            assert_eq!(six_decimals(number), format!("{number:.6}"), "{number:e}");
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_is_as_rust_has_it(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            prop_assert_eq!(six_decimals(number), format!("{number:.6}"));
        }

        #[test]
        fn so_are_those_of_everyday_size(number in -1e9f64..1e9) {
            prop_assert_eq!(six_decimals(number), format!("{number:.6}"));
        }
    }
}
