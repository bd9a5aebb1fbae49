//! Unicode classes: `\pL`, `\p{Lu}`, `\P{Latin}`. In Latin-1 mode a byte is the character of its number, and the other
//! characters don't exist.

use super::{Input, RegexError, escape};

/// The first and the last byte of each range, by general category.
const CATEGORIES: [(&[u8], &[u8]); 19] = [
    (b"Cc", b"\x00\x1F\x7F\x9F"),
    (b"Cf", b"\xAD\xAD"),
    (b"Ll", b"az\xB5\xB5\xDF\xF6\xF8\xFF"),
    (b"Lo", b"\xAA\xAA\xBA\xBA"),
    (b"Lu", b"AZ\xC0\xD6\xD8\xDE"),
    (b"Nd", b"09"),
    (b"No", b"\xB2\xB3\xB9\xB9\xBC\xBE"),
    (b"Pc", b"__"),
    (b"Pd", b"--"),
    (b"Pe", b"))]]}}"),
    (b"Pf", b"\xBB\xBB"),
    (b"Pi", b"\xAB\xAB"),
    (b"Po", b"!#%'**,,./:;?@\\\\\xA1\xA1\xA7\xA7\xB6\xB7\xBF\xBF"),
    (b"Ps", b"(([[{{"),
    (b"Sc", b"$$\xA2\xA5"),
    (b"Sk", b"^^``\xA8\xA8\xAF\xAF\xB4\xB4\xB8\xB8"),
    (b"Sm", b"++<>||~~\xAC\xAC\xB1\xB1\xD7\xD7\xF7\xF7"),
    (b"So", b"\xA6\xA6\xA9\xA9\xAE\xAE\xB0\xB0"),
    (b"Zs", b"  \xA0\xA0"),
];
/// Categories without a byte.
const EMPTY: [&[u8]; 11] = [b"M", b"Co", b"Cs", b"Lm", b"Lt", b"Mc", b"Me", b"Mn", b"Nl", b"Zl", b"Zp"];
/// Everything else with bytes.
const OTHERS: [(&[u8], &[u8]); 3] = [
    (b"Any", b"\x00\xFF"),
    (b"Latin", b"AZaz\xAA\xAA\xBA\xBA\xC0\xD6\xD8\xF6\xF8\xFF"),
    (b"Common", b"\x00@[`{\xA9\xAB\xB9\xBB\xBF\xD7\xD7\xF7\xF7"),
];

/// Reads `p` or `P` and what follows it, and writes a class in brackets.
///
/// With `(?i)` RE2 adds the other case before it negates: so a negation is written as such.
pub(super) fn translate(input: &mut Input<'_>, out: &mut String) -> Result<(), RegexError> {
    let mut negated = input.next() == Some(b'P');
    let whole = match input.take(b"{") {
        true => input.take_until(b"}").unwrap_or_default(),
        false => input.take_one(),
    };
    let name = whole.strip_prefix(b"^").inspect(|_| negated = !negated).unwrap_or(whole);
    let mut ranges = Vec::new();
    match (name, OTHERS.iter().find(|(other, _)| *other == name)) {
        (_, Some((_, bytes))) => ranges.extend_from_slice(bytes),
        (_, None) if EMPTY.contains(&name) => {}
        // One letter stands for all categories that begin with it.
        ([_], None) | ([_, _], None) => {
            let of_name = CATEGORIES.iter().filter(|(category, _)| category.starts_with(name));
            of_name.for_each(|(_, bytes)| ranges.extend_from_slice(bytes));
        }
        _ => {}
    }
    if ranges.is_empty() && !EMPTY.contains(&name) {
        let name = String::from_utf8_lossy(whole);
        return Err(RegexError::new(format!(
            "no byte is in the Unicode class `{name}`, or there is none of this name"
        )));
    }
    if ranges.is_empty() {
        negated = !negated;
        ranges.extend_from_slice(b"\x00\xFF");
    }
    out.push_str(if negated { "[^" } else { "[" });
    for range in ranges.chunks_exact(2) {
        if let [first, last] = range {
            escape::push_literal(out, *first);
            out.push('-');
            escape::push_literal(out, *last);
        }
    }
    out.push(']');
    Ok(())
}
