//! Character classes: `[…]`.

use super::{ByteClass, Input, RegexError, escape, property};

/// The first and the last byte of each range, by name.
const NAMED: [(&[u8], &[u8]); 14] = [
    (b"alnum", b"09AZaz"),
    (b"alpha", b"AZaz"),
    (b"ascii", b"\x00\x7F"),
    (b"blank", b"\t\t  "),
    (b"cntrl", b"\x00\x1F\x7F\x7F"),
    (b"digit", b"09"),
    (b"graph", b"!~"),
    (b"lower", b"az"),
    (b"print", b" ~"),
    (b"punct", b"!/:@[`{~"),
    (b"space", b"\t\r  "),
    (b"upper", b"AZ"),
    (b"word", b"09AZaz__"),
    (b"xdigit", b"09AFaf"),
];

/// Reads what follows `[`. With `fold` letters stand for both cases.
pub(super) fn parse(input: &mut Input<'_>, fold: bool) -> Result<ByteClass, RegexError> {
    let negated = input.take(b"^");
    let mut set = ByteClass::default();
    // `]` in the first place stands for itself.
    let mut first = true;
    while first || !input.take(b"]") {
        first = false;
        set.insert_all(item(input, fold)?);
    }
    Ok(if negated { set.negated() } else { set })
}

fn item(input: &mut Input<'_>, fold: bool) -> Result<ByteClass, RegexError> {
    if let Some(class) = named(input, fold)? {
        return Ok(class);
    }
    if input.peek() == Some(b'\\') {
        let mut ahead = *input;
        ahead.next();
        if let Some(class) = escape::perl_class(&mut ahead) {
            *input = ahead;
            return Ok(class);
        }
        if matches!(ahead.peek(), Some(b'p' | b'P')) {
            *input = ahead;
            return property::parse(input, fold);
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
    Ok(folded(ByteClass::of(&[low, high]), fold))
}

/// `set` with both cases of its letters, if that is asked for.
pub(super) fn folded(set: ByteClass, fold: bool) -> ByteClass {
    if fold { set.folded() } else { set }
}

/// Takes a class such as `[:alpha:]` or `[:^alpha:]`, if one comes next. Both cases are in it before it is negated.
fn named(input: &mut Input<'_>, fold: bool) -> Result<Option<ByteClass>, RegexError> {
    let mut ahead = *input;
    if !ahead.take(b"[:") {
        return Ok(None);
    }
    let Some(name) = ahead.take_until(b":]") else { return Ok(None) };
    let plain = name.strip_prefix(b"^");
    let Some((_, ranges)) = NAMED.iter().find(|(known, _)| *known == plain.unwrap_or(name)) else {
        let name = String::from_utf8_lossy(name);
        return Err(RegexError::new(format!("there is no character class `[:{name}:]`")));
    };
    *input = ahead;
    let set = folded(ByteClass::of(ranges), fold);
    Ok(Some(if plain.is_some() { set.negated() } else { set }))
}

fn character(input: &mut Input<'_>) -> Result<u8, RegexError> {
    match input.next() {
        Some(b'\\') => escape::character(input),
        Some(byte) => Ok(byte),
        None => Err(RegexError::new("a character class is not closed: `]` is missing")),
    }
}
