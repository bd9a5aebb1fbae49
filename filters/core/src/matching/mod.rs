//! Matchers: a pure function of bytes each, compiled once.

pub mod cidr;
pub mod hosts;
pub mod index;
pub mod prefixes;
pub mod regex;
pub mod string;
pub mod suffixes;
pub mod template;
pub mod value_set;

/// A map by bytes. Its hasher needs no randomness, which a filter would have to ask the host for: keys come from the
/// configuration, requests only look them up.
pub(crate) type ByteMap<V> = std::collections::HashMap<Box<[u8]>, V, foldhash::fast::FixedState>;
/// A set of byte strings; see [`ByteMap`].
pub(crate) type ByteSet = std::collections::HashSet<Box<[u8]>, foldhash::fast::FixedState>;

/// `text` in lower case (ASCII). Copied only if it has a capital letter: few requests do.
pub(crate) fn lower_case(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_uppercase) { text.to_ascii_lowercase().into() } else { text.into() }
}
