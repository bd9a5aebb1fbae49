//! What the fuzzer's bytes are: a place and a token, either as its text or as the bytes that its parts stand for, so that
//! changes reach what lies behind base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Between the parts of a token that is given by what they stand for.
const BETWEEN: u8 = b'\n';

/// A token and where it stands.
pub(crate) struct Input {
    /// Which place of the rules.
    pub(crate) place: u8,
    /// The text of the token.
    pub(crate) token: Vec<u8>,
}

impl Input {
    /// What `bytes` are; `None` if there are too few.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let token = if kind & 0x80 == 0 {
            rest.to_vec()
        } else {
            let parts = rest.splitn(3, |byte| *byte == BETWEEN).map(|part| URL_SAFE_NO_PAD.encode(part));
            parts.collect::<Vec<_>>().join(".").into_bytes()
        };
        Some(Self { place: kind & 0x7f, token })
    }

    /// The bytes for a token's text at a place.
    pub(crate) fn of_text(place: u8, token: &str) -> Vec<u8> {
        [&[place], token.as_bytes()].concat()
    }

    /// The bytes for what a token's parts stand for.
    pub(crate) fn of_parts(place: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        [&[place | 0x80][..], &parts.join(&BETWEEN)].concat()
    }
}
