//! Matchers: a pure function of bytes each, compiled once.

mod affixes;
mod byte_map;
pub mod cidr;
pub mod hosts;
pub mod index;
pub mod prefixes;
pub mod regex;
pub mod string;
pub mod suffixes;
pub mod template;
pub mod value_set;

pub use byte_map::{ByteMap, ByteSet};

/// `text` in lower case (ASCII). Copied only if it has a capital letter: few requests do.
pub(crate) fn lower_case(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_uppercase) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// Whether two texts are the same. Most are of different lengths, which spares the call: modules are compiled for size.
#[inline(always)]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one == other
}
