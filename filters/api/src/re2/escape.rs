//! What may follow a backslash, inside and outside of `[…]`.

use super::{ByteClass, Input, RegexError};

/// Takes `d`, `D`, `s`, `S`, `w` or `W`: a class that may also stand inside `[…]`. RE2's `\s` has no vertical tab. Each
/// has both cases of a letter or none.
pub(super) fn perl_class(input: &mut Input<'_>) -> Option<ByteClass> {
    let sign = input.peek()?;
    let class = ByteClass::of(match sign.to_ascii_lowercase() {
        b'd' => b"09",
        b's' => b"\t\n\x0C\r  ",
        b'w' => b"09AZ__az",
        _ => return None,
    });
    input.next();
    Some(if sign.is_ascii_uppercase() { class.negated() } else { class })
}

/// Reads what follows a backslash that stands for one byte.
pub(super) fn character(input: &mut Input<'_>) -> Result<u8, RegexError> {
    let Some(sign) = input.next() else {
        return Err(RegexError::new("the expression ends with a backslash"));
    };
    match sign {
        b'a' => Ok(0x07),
        b'f' => Ok(0x0C),
        b'n' => Ok(b'\n'),
        b'r' => Ok(b'\r'),
        b't' => Ok(b'\t'),
        b'v' => Ok(0x0B),
        b'x' => hexadecimal(input),
        b'0'..=b'7' => octal(sign, input),
        sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => Ok(sign),
        sign if sign.is_ascii() => Err(RegexError::new(format!("`\\{}` is not RE2", char::from(sign)))),
        _ => Err(RegexError::new("a backslash before a character beyond ASCII is not RE2")),
    }
}

fn octal(first: u8, input: &mut Input<'_>) -> Result<u8, RegexError> {
    let digit = |byte: u8| matches!(byte, b'0'..=b'7').then(|| u32::from(byte.wrapping_sub(b'0')));
    if first != b'0' && input.peek().and_then(digit).is_none() {
        return Err(RegexError::new(format!("back references (`\\{}`) are not RE2", char::from(first))));
    }
    let mut code = digit(first).unwrap_or_default();
    for _ in 0..2 {
        let Some(next) = input.peek().and_then(digit) else { break };
        input.next();
        code = code.saturating_mul(8).saturating_add(next);
    }
    latin1(code)
}

fn hexadecimal(input: &mut Input<'_>) -> Result<u8, RegexError> {
    let malformed = || RegexError::new("`\\x` wants two hexadecimal digits, or some in braces");
    let digit = |input: &mut Input<'_>| {
        let value = input.peek().and_then(|byte| char::from(byte).to_digit(16))?;
        input.next();
        Some(value)
    };
    if input.take(b"{") {
        let mut code = digit(input).ok_or_else(malformed)?;
        while let Some(next) = digit(input) {
            code = code.saturating_mul(16).saturating_add(next);
        }
        return if input.take(b"}") { latin1(code) } else { Err(malformed()) };
    }
    let (high, low) = (digit(input).ok_or_else(malformed)?, digit(input).ok_or_else(malformed)?);
    latin1(high.saturating_mul(16).saturating_add(low))
}

fn latin1(code: u32) -> Result<u8, RegexError> {
    u8::try_from(code).map_err(|_| RegexError::new("Envoy matches bytes: an escape goes up to `\\xFF` only"))
}
