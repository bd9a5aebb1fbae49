//! Base64url as Envoy reads it (RFC 4648 section 5, leniently).

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding may be there or not, and the unused bits of the last character may have any value.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes that `text` stands for. ASCII white space counts for nothing.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    // `is_ascii_whitespace` leaves out the vertical tab.
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    if text.iter().any(is_space) {
        let text: Vec<u8> = text.iter().copied().filter(|byte| !is_space(byte)).collect();
        decode_dense(&text)
    } else {
        decode_dense(text)
    }
}

/// The engine would also take half of the padding, or a last character that is too little for a byte.
fn decode_dense(text: &[u8]) -> Option<Vec<u8>> {
    let left_over = text.len() % 4;
    let whole = if text.ends_with(b"=") { left_over == 0 } else { left_over != 1 };
    whole.then(|| LENIENT.decode(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn reads_what_envoy_reads() {
        let table: [(&[u8], Option<&[u8]>); 15] = [
            (b"", Some(b"")),
            (b"YQ", Some(b"a")),
            (b"YQ==", Some(b"a")),
            (b" Y\tQ\n\x0b", Some(b"a")),
            (b"YR", Some(b"a")),
            (b"-_-_", Some(&[0xfb, 0xff, 0xbf])),
            (b"+/+/", None),
            (b"Y", None),
            (b"YQ=a", None),
            (b"Y\xffQ", None),
            (b"YQ===", None),
            (b"YQ=", None),
            (b"YWI=", Some(b"ab")),
            (b"YWJjY", None),
            (b"YWJj=", None),
        ];
        for (text, bytes) in table {
            assert_eq!(decode(text).as_deref(), bytes, "{text:?}");
        }
    }
}
