//! As much of protobuf's wire format as `google.protobuf.Struct` takes, and messages that hold one: Envoy's metadata and
//! what Istio's proxies tell each other. What is malformed reads as absent.

/// Fields of `google.protobuf.Value`.
const STRING: u64 = 3;
const STRUCT: u64 = 5;
const LIST: u64 = 6;

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, up to what can't be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Content<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let size = match tag & 7 {
            0 => return Some((tag >> 3, Content::Number(self.varint()?))),
            1 => 8,
            2 => usize::try_from(self.varint()?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (content, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some((tag >> 3, Content::Bytes(content)))
    }
}

/// The last field `number` of a message, if it is of bytes.
fn field(message: &[u8], number: u64) -> Option<&[u8]> {
    let found = Fields(message).filter_map(|field| match field {
        (found, Content::Bytes(bytes)) if found == number => Some(bytes),
        _ => None,
    });
    found.last()
}

/// What stands under `key` in a map that is field 1 of a message, as in `Struct` and in Envoy's `Metadata`.
pub(super) fn entry<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let entries = Fields(message).filter_map(|field| match field {
        (1, Content::Bytes(entry)) => Some(entry),
        _ => None,
    });
    let found = entries.filter(|entry| field(entry, 1).unwrap_or_default() == key.as_bytes());
    found.last().map(|entry| field(entry, 2).unwrap_or_default())
}

/// The text of a `Value`.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(field(value, STRING)?).ok()
}

/// The `Struct` in a `Value`.
pub(super) fn structure(value: &[u8]) -> Option<&[u8]> {
    field(value, STRUCT)
}

/// The first `Value` of the list in a `Value`.
pub(super) fn first(value: &[u8]) -> Option<&[u8]> {
    Fields(field(value, LIST)?).find_map(|field| match field {
        (1, Content::Bytes(value)) => Some(value),
        _ => None,
    })
}

/// Appends an entry with a text to a `Struct`.
pub(super) fn push_text(message: &mut Vec<u8>, key: &str, text: &str) {
    let mut value = Vec::new();
    push(&mut value, STRING, text.as_bytes());
    push_entry(message, key, &value);
}

/// Appends an entry with a `Struct` to a `Struct`.
pub(super) fn push_structure(message: &mut Vec<u8>, key: &str, structure: &[u8]) {
    let mut value = Vec::new();
    push(&mut value, STRUCT, structure);
    push_entry(message, key, &value);
}

fn push_entry(message: &mut Vec<u8>, key: &str, value: &[u8]) {
    let mut entry = Vec::new();
    push(&mut entry, 1, key.as_bytes());
    push(&mut entry, 2, value);
    push(message, 1, &entry);
}

fn push(message: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    push_varint(message, number << 3 | 2);
    push_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

fn push_varint(message: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_written_is_read() {
        let long = "l".repeat(1000);
        let mut inner = Vec::new();
        push_text(&mut inner, "app", "shop");
        let mut message = Vec::new();
        push_text(&mut message, "NAME", "");
        push_text(&mut message, "NAMESPACE", &long);
        push_structure(&mut message, "LABELS", &inner);
        assert_eq!(entry(&message, "NAME").and_then(text), Some(""));
        assert_eq!(entry(&message, "NAMESPACE").and_then(text), Some(&*long));
        let labels = entry(&message, "LABELS").and_then(structure).unwrap();
        assert_eq!(entry(labels, "app").and_then(text), Some("shop"));
        assert_eq!(entry(&message, "OTHER"), None);
    }

    #[test]
    fn lists_are_read() {
        // {"a": ["x", true]}, as protobuf's own library writes it.
        let message = [10, 18, 10, 1, b'a', 18, 13, 50, 11, 10, 3, 26, 1, b'x', 10, 2, 32, 1, 8, 0];
        let list = entry(&message, "a").unwrap();
        assert_eq!(first(list).and_then(text), Some("x"));
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let value = entry(&bytes, "a").unwrap_or(&bytes);
            let _ = (text(value), structure(value), first(value));
        }
    }
}
