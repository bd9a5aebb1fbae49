//! The tokens of a request, found again in its bytes.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use serde_json::Value;

use super::Request;

/// How much may stand right before a token: a prefix that ends in letters.
const LONGEST_PREFIX: usize = 16;

/// Something that may be a token.
#[derive(Debug, PartialEq)]
pub(super) struct Sent {
    /// The text of the header.
    pub(super) header: Vec<u8>,
    /// The text of the payload.
    pub(super) payload: Vec<u8>,
    /// What was signed.
    pub(super) message: Vec<u8>,
    /// The signature.
    pub(super) signature: Vec<u8>,
}

impl Sent {
    /// A member of the header, if that is JSON.
    pub(super) fn member(&self, name: &str) -> Option<Value> {
        serde_json::from_slice::<Value>(&self.header).ok()?.get(name).cloned()
    }

    /// A member of the header that is a text; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        self.member(name).and_then(|member| Some(member.as_str()?.to_owned())).unwrap_or_default()
    }
}

/// Whatever may be a token in headers, cookies and parameters of `request`. Where a token begins is known to its rule
/// only, so that one token may give several of these; the others have no JSON in their header.
pub(super) fn tokens(request: &Request) -> Vec<Sent> {
    let headers = request.headers.iter().map(|(_, value)| value.clone());
    let parameters = request.target.split(|byte| b"?&=".contains(byte));
    let texts: Vec<Vec<u8>> = headers.chain(parameters.map(|text| percent_decode(text).collect())).collect();
    // White space within a token may count for nothing.
    let dense = texts.iter().map(|text| text.iter().copied().filter(|byte| *byte > b' ').collect());
    let dense: Vec<Vec<u8>> = dense.collect();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.=".contains(byte);
    let runs = texts.iter().chain(&dense).flat_map(|text| text.split(move |byte| !is_part(byte)));
    runs.flat_map(candidates).collect()
}

fn candidates(run: &[u8]) -> Vec<Sent> {
    let parts: Vec<&[u8]> = run.split(|byte| *byte == b'.').filter(|part| !part.is_empty()).collect();
    let sent = |header: &[u8], payload: &[u8], signature: &[u8]| {
        Some(Sent {
            header: decoded(header)?,
            // What is missing or can't be read is looked at later than the header.
            payload: decoded(payload).unwrap_or_default(),
            message: [header, b".", payload].concat(),
            signature: decoded(signature).unwrap_or_default(),
        })
    };
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    // A prefix may have dots too.
    let beginnings = |at: usize| {
        let (header, payload, signature) = (part(at), part(at + 1), part(at + 2));
        let starts = 0..header.len().min(LONGEST_PREFIX);
        starts.filter_map(|start| sent(&header[start..], payload, signature)).collect::<Vec<_>>()
    };
    (0..parts.len().min(LONGEST_PREFIX)).flat_map(beginnings).collect()
}

/// Base64url with padding or without.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&URL_SAFE, lenient).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::super::wire::Wire;
    use super::*;

    #[test]
    fn tokens_are_found_wherever_they_stand() {
        let (token, escaped) = ("eyJhbGciOiJ4In0.e30.AA", "eyJhbGciOiJ4In0%2ee30.%41A");
        for (target, header) in [
            (format!("/?a=b&t={token}&c"), String::new()),
            (format!("/?t={escaped}"), String::new()),
            ("/".to_owned(), format!("Bearer {token}")),
            ("/".to_owned(), format!("ey{token},")),
            ("/".to_owned(), format!("a.{token}")),
            ("/".to_owned(), format!("a=b; t=\"{token}\"")),
            ("/".to_owned(), "eyJhbGciOiJ4In0.e30.A A".to_owned()),
        ] {
            let request = Request {
                port: 80,
                method: "GET".to_owned(),
                target: target.into_bytes(),
                host: Vec::new(),
                headers: vec![("x".to_owned(), header.into_bytes())],
                wire: Wire::default(),
            };
            let wanted = Sent {
                header: br#"{"alg":"x"}"#.to_vec(),
                payload: b"{}".to_vec(),
                message: b"eyJhbGciOiJ4In0.e30".to_vec(),
                signature: vec![0],
            };
            let found = tokens(&request);
            assert!(found.contains(&wanted), "{request}");
            assert!(found.iter().any(|sent| sent.text("alg") == "x"));
        }
    }
}
