//! JSON that protobuf's reader takes and RFC 8259 does not allow.

use serde_json::Value;

/// Whether `text` is such: with trailing commas, single quotes, bare names or control characters in strings, and an
/// object once these are mended.
pub(super) fn is_relaxed_only(text: &[u8]) -> bool {
    let is_object = |text: &[u8]| matches!(serde_json::from_slice(text), Ok(Value::Object(_)));
    !is_object(text) && is_object(&mended(text))
}

/// `text` with double quotes around strings and names, without commas before a closing bracket, and with a space for each
/// control character.
fn mended(text: &[u8]) -> Vec<u8> {
    let mut mended: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'"' | b'\'' => {
                mended.push(b'"');
                rest = string(&mut mended, first, tail);
                mended.push(b'"');
            }
            b'}' | b']' => {
                while mended.last().is_some_and(u8::is_ascii_whitespace) {
                    mended.pop();
                }
                if mended.last() == Some(&b',') {
                    mended.pop();
                }
                mended.push(first);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
                let length = tail.iter().take_while(|byte| is_part(byte)).count();
                let word = [&[first], &tail[..length]].concat();
                rest = &tail[length..];
                let is_name = rest.trim_ascii_start().starts_with(b":");
                mended.extend(if is_name { [b"\"", &word[..], b"\""].concat() } else { word });
            }
            other => mended.push(other),
        }
    }
    mended
}

/// Adds the string that `text` begins with, up to `quote`, and returns what stands after that.
fn string<'t>(mended: &mut Vec<u8>, quote: u8, text: &'t [u8]) -> &'t [u8] {
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            _ if first == quote => return tail,
            b'\\' => {
                mended.push(b'\\');
                mended.extend(tail.first());
                rest = tail.get(1..).unwrap_or_default();
            }
            b'"' => mended.extend_from_slice(b"\\\""),
            0..b' ' => mended.push(b' '),
            other => mended.push(other),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_protobuf_adds_is_relaxed() {
        for (text, relaxed) in [
            (r#"{"a":1,}"#, true),
            (r#"{"a":[1, ], 'b':'c"d'}"#, true),
            (r#"{a:1,_b$:true}"#, true),
            ("{\"a\":\"\n\0\"}", true),
            (r#"{"a":1}"#, false),
            (r#"{"a":1,,}"#, false),
            (r#"{"a":tru}"#, false),
            (r#"{"a":"\x"}"#, false),
            (r#"{"a":1} x"#, false),
            ("[1,]", false),
            ("", false),
        ] {
            assert_eq!(is_relaxed_only(text.as_bytes()), relaxed, "{text}");
        }
    }
}
