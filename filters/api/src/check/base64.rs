//! Base64, for the fields that are made of bytes.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads standard or URL-safe base64, with or without padding, as protobuf's JSON form allows.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    ENGINE.decode(text.replace('-', "+").replace('_', "/")).map_err(|_| "is not base64".to_owned())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn reads_both_alphabets() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("aGk=", Some(b"hi")),
            ("aGk", Some(b"hi")),
            ("+/+/", Some(&[0xfb, 0xff, 0xbf])),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
            ("a", None),
            ("a b", None),
            ("é", None),
        ] {
            assert_eq!(decode(text).ok().as_deref(), bytes, "{text}");
        }
    }
}
