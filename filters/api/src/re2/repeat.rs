//! Repetitions and RE2's bound on them.

use std::fmt;

use super::{Input, RegexError};

/// How often anything may be repeated, repetitions within repetitions multiplied.
const MAX_REPEAT: u32 = 1000;

/// `*`, `+`, `?` or `{min,max}`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Repeat {
    Sign(u8),
    /// `None` for the maximum is "any number".
    Counted(u32, Option<u32>),
}

impl Repeat {
    pub(super) fn of_sign(sign: u8) -> Self {
        Self::Sign(sign)
    }

    /// Reads what follows `{`. Anything but `n}`, `n,}` and `n,m}` is no repetition: RE2 takes the brace literally
    /// then, and nothing is consumed.
    pub(super) fn counted(input: &mut Input<'_>) -> Result<Option<Self>, RegexError> {
        let mut ahead = *input;
        let Some(min) = number(&mut ahead) else { return Ok(None) };
        let max = if !ahead.take(b",") {
            Some(min)
        } else if ahead.peek() == Some(b'}') {
            None
        } else {
            let Some(max) = number(&mut ahead) else { return Ok(None) };
            Some(max)
        };
        if !ahead.take(b"}") {
            return Ok(None);
        }
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT) {
            return Err(RegexError::new(format!("a repetition count is {MAX_REPEAT} at most")));
        }
        if max.is_some_and(|max| max < min) {
            return Err(RegexError::new("a repetition's minimum is larger than its maximum"));
        }
        *input = ahead;
        Ok(Some(Self::Counted(min, max)))
    }

    /// How often at least, and at most.
    pub(super) fn bounds(self) -> (u32, Option<u32>) {
        match self {
            Self::Sign(b'+') => (1, None),
            Self::Sign(b'?') => (0, Some(1)),
            Self::Sign(_) => (0, None),
            Self::Counted(min, max) => (min, max),
        }
    }

    /// How often the innermost part of a repeated thing occurs at most, `inner` being that of the thing itself.
    pub(super) fn within(self, inner: u32) -> Result<u32, RegexError> {
        let times = match self {
            Self::Sign(_) => 1,
            Self::Counted(min, max) => max.unwrap_or(min).max(1),
        };
        match inner.saturating_mul(times) {
            product if product <= MAX_REPEAT => Ok(product),
            _ => {
                Err(RegexError::new(format!("repetitions within repetitions come to more than {MAX_REPEAT}")))
            }
        }
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(sign) => write!(formatter, "{}", char::from(*sign)),
            Self::Counted(min, None) => write!(formatter, "{{{min},}}"),
            Self::Counted(min, Some(max)) if min == max => write!(formatter, "{{{min}}}"),
            Self::Counted(min, Some(max)) => write!(formatter, "{{{min},{max}}}"),
        }
    }
}

/// RE2 reads no further digit after a number as large as this, and then there is no repetition.
const LARGEST: u32 = 100_000_000;

/// A decimal number without a leading zero before another digit, as RE2 reads it.
fn number(input: &mut Input<'_>) -> Option<u32> {
    let first = input.peek().filter(u8::is_ascii_digit)?;
    let mut number = 0u32;
    let mut digits = 0u32;
    while let Some(digit) = input.peek().filter(u8::is_ascii_digit) {
        if number >= LARGEST {
            return None;
        }
        input.next();
        digits = digits.saturating_add(1);
        number = number.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')));
    }
    (first != b'0' || digits == 1).then_some(number)
}
