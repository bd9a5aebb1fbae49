//! Durations as Go writes them: `5s`, `1.5s`, `100ms`, `1h30m`.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration. Negative ones are refused: Istio has no use for them.
pub fn parse(text: &str) -> Result<Duration, String> {
    if text.starts_with('-') {
        return Err("is a negative duration".to_owned());
    }
    let wrong = || "is not a duration; write it like `5s`, `1.5s`, `100ms` or `1h30m`".to_owned();
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut nanoseconds: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (part, after) = part(rest).ok_or_else(wrong)?;
        nanoseconds = nanoseconds.checked_add(part).ok_or("is longer than 292 years")?;
        rest = after;
    }
    if nanoseconds > i64::MAX.unsigned_abs() {
        return Err("is longer than 292 years".to_owned());
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// One number with its unit, in nanoseconds, and what follows.
fn part(text: &str) -> Option<(u64, &str)> {
    let number_end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(number_end)?;
    let unit_end = rest.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(unit_end)?;
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    Some((whole.checked_mul(*scale)?.checked_add(fraction_of(fraction, *scale)?)?, rest))
}

/// `scale` times `0.fraction`, cut off at a nanosecond as Go does.
fn fraction_of(fraction: &str, scale: u64) -> Option<u64> {
    let digits = fraction.as_bytes();
    if digits.contains(&b'.') {
        return None;
    }
    // What is cut off at each digit is cut off at the end, too.
    let mut sum: u64 = 0;
    for digit in digits.get(..15).unwrap_or(digits).iter().rev() {
        sum = (u64::from(char::from(*digit).to_digit(10)?) * scale + sum) / 10;
    }
    Some(sum)
}

/// Istio's rule for nearly every duration.
pub(crate) fn at_least_a_millisecond(duration: Duration) -> Result<(), String> {
    if duration < Duration::from_millis(1) {
        Err("is shorter than a millisecond; to do without, leave the field out".to_owned())
    } else if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        Err("is not a whole number of milliseconds".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in [
            ("5s", 5_000_000_000),
            ("1.5s", 1_500_000_000),
            ("100ms", 100_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1h2m3.5s", 3_723_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("0", 0),
            ("0s", 0),
            ("+1s", 1_000_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("7ns", 7),
            ("0.0000000019s", 1),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "5",
            "s",
            "5x",
            "5 s",
            "-1s",
            "1.2.3s",
            ".s",
            "1s5",
            "1d",
            "é",
            "5sé",
            "99999999999999999999h",
            "+",
            "1e3s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_milliseconds_only() {
        for (nanoseconds, good) in
            [(0, false), (999_999, false), (1_000_000, true), (1_500_000, false), (3_000_000_000, true)]
        {
            assert_eq!(
                at_least_a_millisecond(Duration::from_nanos(nanoseconds)).is_ok(),
                good,
                "{nanoseconds}"
            );
        }
    }
}
