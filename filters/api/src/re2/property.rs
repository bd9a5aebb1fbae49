//! Unicode classes: `\pL`, `\p{Lu}`, `\P{Latin}`. In Latin-1 mode a byte is the character of its number, and the other
//! characters don't exist.

use super::{ByteClass, Input, RegexError, class};

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

/// Reads `p` or `P` and what follows it. With `fold` both cases of a letter are in the class before it is negated.
pub(super) fn parse(input: &mut Input<'_>, fold: bool) -> Result<ByteClass, RegexError> {
    let mut negated = input.next() == Some(b'P');
    let whole = match input.take(b"{") {
        true => input.take_until(b"}").unwrap_or_default(),
        false => input.take_one(),
    };
    let name = whole.strip_prefix(b"^").inspect(|_| negated = !negated).unwrap_or(whole);
    let mut set = ByteClass::default();
    let mut known = EMPTY.contains(&name);
    // One letter stands for all categories that begin with it.
    let categories =
        CATEGORIES.iter().filter(|(category, _)| matches!(name.len(), 1 | 2) && category.starts_with(name));
    let others = OTHERS.iter().filter(|(other, _)| *other == name);
    for (_, ranges) in categories.chain(others) {
        known = true;
        set.insert_all(ByteClass::of(ranges));
    }
    if !known {
        let name = String::from_utf8_lossy(whole);
        return Err(RegexError::new(format!(
            "no byte is in the Unicode class `{name}`, or there is none of this name"
        )));
    }
    let set = class::folded(set, fold);
    Ok(if negated { set.negated() } else { set })
}
