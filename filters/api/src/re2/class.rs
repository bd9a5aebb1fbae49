//! Character classes: `[…]`.

use super::{Input, RegexError, escape, property};

const NAMES: [&[u8]; 14] = [
    b"alnum", b"alpha", b"ascii", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct",
    b"space", b"upper", b"word", b"xdigit",
];

/// Reads what follows `[` and writes the class.
pub(super) fn translate(input: &mut Input<'_>, out: &mut String) -> Result<(), RegexError> {
    out.push('[');
    if input.take(b"^") {
        out.push('^');
    }
    // `]` in the first place stands for itself.
    let mut first = true;
    while first || !input.take(b"]") {
        first = false;
        if named(input, out)? {
            continue;
        }
        if input.peek() == Some(b'\\') {
            let mut ahead = *input;
            ahead.next();
            if let Some(class) = escape::perl_class(&mut ahead) {
                *input = ahead;
                out.push_str(class);
                continue;
            }
            if matches!(ahead.peek(), Some(b'p' | b'P')) {
                *input = ahead;
                property::translate(input, out)?;
                continue;
            }
        }
        let low = character(input)?;
        let high = match input.0 {
            [b'-', next, ..] if *next != b']' => {
                input.next();
                character(input)?
            }
            _ => low,
        };
        if high < low {
            return Err(RegexError::new("a range in `[…]` ends before it begins"));
        }
        escape::push_literal(out, low);
        if high > low {
            out.push('-');
            escape::push_literal(out, high);
        }
    }
    out.push(']');
    Ok(())
}

/// Takes a class such as `[:alpha:]` or `[:^alpha:]`, if one comes next.
fn named(input: &mut Input<'_>, out: &mut String) -> Result<bool, RegexError> {
    let mut ahead = *input;
    if !ahead.take(b"[:") {
        return Ok(false);
    }
    let Some(name) = ahead.take_until(b":]") else { return Ok(false) };
    let plain = name.strip_prefix(b"^").unwrap_or(name);
    let Some(text) = std::str::from_utf8(name).ok().filter(|_| NAMES.contains(&plain)) else {
        let name = String::from_utf8_lossy(name);
        return Err(RegexError::new(format!("there is no character class `[:{name}:]`")));
    };
    *input = ahead;
    out.push_str("[:");
    out.push_str(text);
    out.push_str(":]");
    Ok(true)
}

fn character(input: &mut Input<'_>) -> Result<u8, RegexError> {
    match input.next() {
        Some(b'\\') => escape::character(input),
        Some(byte) => Ok(byte),
        None => Err(RegexError::new("a character class is not closed: `]` is missing")),
    }
}
