//! Tokens that were damaged on their way, or made to look like others.

use super::keys::Key;
use super::random::Random;

/// The bytes of a signature, mostly as they are.
pub(super) fn signature(random: &mut Random, key: &Key, mut signature: Vec<u8>) -> Vec<u8> {
    if !random.chance(10) || signature.is_empty() {
        return signature;
    }
    let half = signature.len() / 2;
    let (r, s) = signature.split_at(half);
    match random.below(12) {
        0..3 => {
            let at = random.below(signature.len());
            signature[at] ^= 1 << random.below(8);
        }
        3 => {
            signature.pop();
        }
        4 => signature.push(0),
        5 => signature.insert(0, 0),
        6 => signature = vec![0; key.signature_length()],
        7 => signature = [s, r].concat(),
        8 => signature = [&[0][..], r, &[0], s].concat(),
        9 => signature = der(r, s),
        10 => signature = vec![0; *random.one(&[0, 1, 2, 64, 1000])],
        _ => signature = signature.repeat(2),
    }
    signature
}

/// `SEQUENCE { INTEGER r, INTEGER s }`, which a JWS does not have.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |number: &[u8]| [&[2, (number.len() + 1) as u8, 0], number].concat();
    let numbers = [number(r), number(s)].concat();
    [&[0x30, numbers.len() as u8], &numbers[..]].concat()
}

/// The text of a token, mostly as it is. No byte of it is one that a header value can't have.
pub(super) fn text(random: &mut Random, mut token: Vec<u8>) -> Vec<u8> {
    if !random.chance(10) {
        return token;
    }
    let at = random.below(token.len());
    let dots: Vec<usize> = (0..token.len()).filter(|index| token[*index] == b'.').collect();
    let dot = dots.get(random.below(dots.len())).copied().unwrap_or_default();
    match random.below(22) {
        0 => token[at] = *random.one(b"AZaz09-_"),
        1 => token[at] = *random.one(b"+/=.,;:%\" \t\x80\xff"),
        2 => token.insert(at, *random.one(b"A=. ")),
        3 => {
            token.remove(at);
        }
        4 => token.truncate(at),
        5 => token.insert(dot, b'.'),
        6 => token.insert(0, b'.'),
        7 => token.push(b'.'),
        8 => token.extend_from_slice(b".x"),
        9 => {
            token.remove(dot);
        }
        10 => token.truncate(dot + 1),
        11 => token.insert(dot, b'='),
        12 => token.extend_from_slice(b"="),
        13 => token.extend_from_slice(b"=="),
        14 => token.insert(dot, b' '),
        15 => token.insert(dot + 1, *random.one(b" \t\x0b\x0c")),
        16 => {
            // Bits of the last character that stand for nothing.
            if let Some(last) = token.last_mut() {
                *last = *random.one(b"ABCDQRSTghijwxyz");
            }
        }
        17 => token = token.to_ascii_lowercase(),
        18 => token = token[dot..].to_vec(),
        19 => {
            token = random.pick(&["x", ".", "..", "...", "a.b.c", "a.b", "e30.e30.e30", "!", "\u{e4}"]).into()
        }
        20 => token = b"a.".repeat(random.between(1, 20_000)),
        _ => token = vec![*random.one(b"a.\xff"); random.between(1, 40_000)],
    }
    token
}
