//! Random expressions of RE2's syntax, and values that match them or nearly do.

use std::fmt;

use super::rng::Rng;

/// A part of an expression.
#[derive(Debug, Clone)]
pub enum Part {
    /// Written so, with some of the texts that it matches where it stands.
    Atom(&'static str, &'static [&'static [u8]]),
    /// One after the other.
    Sequence(Vec<Part>),
    /// One of them.
    Either(Vec<Part>),
    /// In a group that begins so.
    Group(&'static str, Box<Part>),
    /// Repeated, as the sign says; samples have this many.
    Repeat(Box<Part>, &'static str, &'static [usize]),
}

const ATOMS: &[(&str, &[&[u8]])] = &[
    ("a", &[b"a", b"A"]),
    ("b", &[b"b"]),
    ("B", &[b"B", b"b"]),
    ("1", &[b"1"]),
    ("-", &[b"-"]),
    (r"\.", &[b"."]),
    ("_", &[b"_"]),
    (" ", &[b" "]),
    (".", &[b"a", b".", b"\xe9", b"\t"]),
    ("é", &[b"\xc3\xa9", b"\xe9", b"\xe3\xa9"]),
    (r"\xe9", &[b"\xe9", b"\xc9"]),
    (r"\x{c9}", &[b"\xc9", b"\xe9"]),
    (r"\351", &[b"\xe9"]),
    (r"\C", &[b"\xff", b"a"]),
    (r"\d", &[b"1", b"a"]),
    (r"\D", &[b"a", b"1"]),
    (r"\w", &[b"a", b"_", b"\xe9"]),
    (r"\W", &[b"-", b"\xe9"]),
    (r"\s", &[b" ", b"\t"]),
    (r"\S", &[b"a", b"\xa0"]),
    (r"\pL", &[b"a", b"\xe9", b"\xd7"]),
    (r"\p{Lu}", &[b"A", b"\xc9", b"a"]),
    (r"\PL", &[b"1", b"\xd7", b"a"]),
    (r"\p{^Ll}", &[b"A", b"\xb5", b"a"]),
    (r"\p{Latin}", &[b"a", b"\xaa", b"\xb5"]),
    ("[ab]", &[b"a", b"b", b"A"]),
    ("[^a]", &[b"b", b"\xe9", b"A"]),
    ("[a-c_]", &[b"c", b"_", b"C"]),
    ("[]a]", &[b"]", b"a"]),
    ("[^]-]", &[b"a", b"-"]),
    (r"[\d-]", &[b"-", b"1"]),
    (r"[\x80-\xbf]", &[b"\xa9", b"\xc3"]),
    ("[é]", &[b"\xc3", b"\xa9", b"\xe9"]),
    (r"[^\W\d]", &[b"a", b"_", b"1"]),
    (r"[\p{Lu}1]", &[b"A", b"1", b"\xc9"]),
    (r"[^\pL]", &[b"1", b"\xe9", b"\xd7"]),
    ("[[:alpha:]]", &[b"a", b"\xe9"]),
    ("[[:^upper:]]", &[b"a", b"A", b"\xc9"]),
    ("[[:punct:]_]", &[b"-", b"_", b"a"]),
    ("[a&&b]", &[b"a", b"&"]),
    (r"\Qa.\E", &[b"a.", b"ab"]),
    (r"\b", &[b""]),
    (r"\B", &[b""]),
    ("^", &[b""]),
    ("$", &[b""]),
    (r"\A", &[b""]),
    (r"\z", &[b""]),
];
const GROUPS: [&str; 9] = ["(", "(?:", "(?i:", "(?-i:", "(?s:", "(?m:", "(?U:", "(?P<n>", "(?si-m:"];
const REPEATS: [(&str, &[usize]); 14] = [
    ("*", &[0, 1, 2]),
    ("+", &[1, 2, 0]),
    ("?", &[0, 1, 2]),
    ("*?", &[0, 1, 3]),
    ("+?", &[1, 2]),
    ("??", &[0, 1]),
    ("{2}", &[2, 1, 3]),
    ("{0}", &[0, 1]),
    ("{1,2}", &[1, 2, 3]),
    ("{0,2}", &[0, 2, 3]),
    ("{2,}", &[2, 3, 1]),
    ("{,2}", &[1]),
    ("{3}?", &[3, 2]),
    ("{0,1}", &[0, 1]),
];

/// A random expression, nested `depth` levels at most.
pub fn expression(rng: &mut Rng, depth: usize) -> Part {
    let branches = if rng.one_in(3) { 1 + rng.below(3) } else { 1 };
    let mut branches: Vec<Part> = (0..branches).map(|_| sequence(rng, depth)).collect();
    if branches.len() == 1 { branches.remove(0) } else { Part::Either(branches) }
}

fn sequence(rng: &mut Rng, depth: usize) -> Part {
    let length = if rng.one_in(8) { 0 } else { 1 + rng.below(4) };
    Part::Sequence((0..length).map(|_| repeated(rng, depth)).collect())
}

fn repeated(rng: &mut Rng, depth: usize) -> Part {
    let part = if depth > 0 && rng.one_in(3) {
        let group = *rng.one_of(&GROUPS);
        Part::Group(group, Box::new(expression(rng, depth - 1)))
    } else {
        let (text, samples) = *rng.one_of(ATOMS);
        Part::Atom(text, samples)
    };
    if !rng.one_in(3) {
        return part;
    }
    let (sign, counts) = *rng.one_of(&REPEATS);
    Part::Repeat(Box::new(part), sign, counts)
}

/// A value that has a good chance to match `part`, sometimes with a byte changed, added or taken away.
pub fn value(part: &Part, rng: &mut Rng) -> Vec<u8> {
    let mut value = Vec::new();
    sample(part, rng, &mut value);
    value.truncate(200);
    if rng.one_in(3) {
        let byte = *rng.one_of(b"abAB1-_. \xe9\xc9\xc3\xa9");
        let at = rng.below(value.len() + 1);
        match rng.below(3) {
            0 => value.insert(at, byte),
            1 if at < value.len() => value[at] = byte,
            _ if at < value.len() => drop(value.remove(at)),
            _ => {}
        }
    }
    value
}

fn sample(part: &Part, rng: &mut Rng, value: &mut Vec<u8>) {
    match part {
        // The first sample is the likeliest.
        Part::Atom(_, samples) => {
            let at = if rng.one_in(3) { rng.below(samples.len()) } else { 0 };
            value.extend_from_slice(samples[at]);
        }
        Part::Sequence(parts) => parts.iter().for_each(|part| sample(part, rng, value)),
        Part::Either(parts) => {
            let at = rng.below(parts.len());
            sample(&parts[at], rng, value);
        }
        Part::Group(_, part) => sample(part, rng, value),
        Part::Repeat(part, sign, counts) => {
            (0..*rng.one_of(counts)).for_each(|_| sample(part, rng, value));
            // RE2 takes this one literally.
            if *sign == "{,2}" {
                value.extend_from_slice(b"{,2}");
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(text, _) => formatter.write_str(text),
            Self::Sequence(parts) => parts.iter().try_for_each(|part| write!(formatter, "{part}")),
            Self::Either(parts) => parts
                .iter()
                .enumerate()
                .try_for_each(|(at, part)| write!(formatter, "{}{part}", if at == 0 { "" } else { "|" })),
            Self::Group(begin, part) => write!(formatter, "{begin}{part})"),
            Self::Repeat(part, sign, _) => write!(formatter, "{part}{sign}"),
        }
    }
}
