//! A token taken apart, nothing of it trusted yet.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::failure::Failure;
use super::{base64url, json};

/// A token whose parts could be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// Header `alg`.
    pub(crate) alg: String,
    /// The same.
    pub(crate) algorithm: Algorithm,
    /// Header `kid`, empty if absent.
    pub(crate) kid: String,
    /// Whether the header asks for more than RFC 7515 has, so that whoever does not understand it must refuse the token:
    /// `crit` (section 4.1.11), or a payload that is signed as it is, not as base64url (`b64`, RFC 7797 section 3).
    pub(crate) has_unknown_rules: bool,
    /// Payload `iss`, empty if absent.
    pub(crate) issuer: String,
    /// Payload `nbf`, seconds since the epoch; 0 if absent.
    pub(crate) not_before: u64,
    /// Payload `exp`, likewise; 0 is never.
    pub(crate) expiry: u64,
    /// Payload `aud`, also if it is a single string.
    pub(crate) audiences: Vec<String>,
    /// The whole payload.
    pub(crate) claims: Map<String, Value>,
    /// What the signature is of.
    pub(crate) signed: Vec<u8>,
    /// The payload as it stands in the token.
    pub(crate) payload: Vec<u8>,
    /// The signature's bytes.
    pub(crate) signature: Vec<u8>,
}

impl Token {
    /// Reads `text`. Empty parts between dots count for nothing.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let mut parts = text.split(|byte| *byte == b'.').filter(|part| !part.is_empty());
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Failure::JwtBadFormat);
        };
        let signed = [header, b".", payload].concat();
        let payload = payload.to_vec();

        let header = base64url::decode(header).ok_or(Failure::JwtHeaderParseErrorBadBase64)?;
        let mut header = json::parse_object(&header).ok_or(Failure::JwtHeaderParseErrorBadJson)?;
        let Some(Value::String(alg)) = header.remove("alg") else { return Err(Failure::JwtHeaderBadAlg) };
        let algorithm = Algorithm::named(&alg).ok_or(Failure::JwtHeaderNotImplementedAlg)?;
        let kid = string(&header, "kid").ok_or(Failure::JwtHeaderBadKid)?.to_owned();

        let claims = base64url::decode(&payload).ok_or(Failure::JwtPayloadParseErrorBadBase64)?;
        let claims = json::parse_object(&claims).ok_or(Failure::JwtPayloadParseErrorBadJson)?;
        let issuer = string(&claims, "iss").ok_or(Failure::JwtPayloadParseErrorIssNotString)?.to_owned();
        string(&claims, "sub").ok_or(Failure::JwtPayloadParseErrorSubNotString)?;
        integer(
            &claims,
            "iat",
            Failure::JwtPayloadParseErrorIatNotInteger,
            Failure::JwtPayloadParseErrorIatOutOfRange,
        )?;
        let not_before = integer(
            &claims,
            "nbf",
            Failure::JwtPayloadParseErrorNbfNotInteger,
            Failure::JwtPayloadParseErrorNbfOutOfRange,
        )?;
        let expiry = integer(
            &claims,
            "exp",
            Failure::JwtPayloadParseErrorExpNotInteger,
            Failure::JwtPayloadParseErrorExpOutOfRange,
        )?;
        string(&claims, "jti").ok_or(Failure::JwtPayloadParseErrorJtiNotString)?;
        let audiences = strings(&claims, "aud").ok_or(Failure::JwtPayloadParseErrorAudNotString)?;

        let signature = base64url::decode(signature).ok_or(Failure::JwtSignatureParseErrorBadBase64)?;
        Ok(Self {
            alg,
            algorithm,
            kid,
            has_unknown_rules: header.contains_key("crit")
                || header.get("b64").is_some_and(|encoded| *encoded != Value::Bool(true)),
            issuer,
            not_before,
            expiry,
            audiences,
            claims,
            signed,
            payload,
            signature,
        })
    }
}

/// A string, empty if absent; `None` if it is something else.
fn string<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).map_or(Some(""), Value::as_str)
}

/// A list of strings, or one string.
fn strings(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    match members.get(name) {
        None => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// A number cut off to a whole one, 0 if absent. Envoy keeps numbers as doubles.
fn integer(
    members: &Map<String, Value>,
    name: &str,
    not_integer: Failure,
    out_of_range: Failure,
) -> Result<u64, Failure> {
    const TWO_TO_THE_64TH: f64 = 18_446_744_073_709_551_616.0;
    let Some(value) = members.get(name) else { return Ok(0) };
    let number = value.as_f64().ok_or(not_integer)?;
    if !(0.0..TWO_TO_THE_64TH).contains(&number) {
        return Err(out_of_range);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    Ok(number as u64)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2k", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn failure(text: &str) -> Option<Failure> {
        Token::parse(text.as_bytes()).err()
    }

    #[test]
    fn shape() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        let (header, rest) = good.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        for text in ["", ".", "...", header, &format!("{header}.{payload}"), &format!("{good}.x")] {
            assert_eq!(failure(text), Some(Failure::JwtBadFormat), "{text}");
        }
        let whole = Token::parse(good.as_bytes());
        for text in [
            format!(".{good}"),
            format!("{good}."),
            format!("{header}..{payload}...{signature}"),
            format!("{good}="),
        ] {
            assert_eq!(Token::parse(text.as_bytes()), whole, "{text}");
        }
        for (text, expected) in [
            (format!("*.{payload}.{signature}"), Failure::JwtHeaderParseErrorBadBase64),
            (format!("{header}.*.{signature}"), Failure::JwtPayloadParseErrorBadBase64),
            (format!("{good}*"), Failure::JwtSignatureParseErrorBadBase64),
        ] {
            assert_eq!(failure(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn headers() {
        for (header, expected) in [
            ("[]", Failure::JwtHeaderParseErrorBadJson),
            (r#"{"alg":"RS256","alg":"RS256"}"#, Failure::JwtHeaderParseErrorBadJson),
            ("null", Failure::JwtHeaderBadAlg),
            (r#"{"alg":1}"#, Failure::JwtHeaderBadAlg),
            (r#"{"alg":"none"}"#, Failure::JwtHeaderNotImplementedAlg),
            (r#"{"alg":"rs256"}"#, Failure::JwtHeaderNotImplementedAlg),
            (r#"{"alg":"RS256","kid":null}"#, Failure::JwtHeaderBadKid),
        ] {
            assert_eq!(failure(&token(header, "{}")), Some(expected), "{header}");
        }
        let read = Token::parse(token(r#"{"alg":"ES512","kid":"a"}"#, "null").as_bytes()).unwrap();
        assert_eq!((read.alg.as_str(), read.algorithm, &*read.kid), ("ES512", Algorithm::Es512, "a"));
    }

    #[test]
    fn rules_that_nobody_here_knows() {
        for (more, unknown) in [
            ("", false),
            (r#","crit":[]"#, true),
            (r#","crit":null"#, true),
            (r#","b64":true"#, false),
            (r#","b64":false"#, true),
            (r#","b64":"true""#, true),
            (r#","typ":"JOSE","cty":"x","x5u":"y","jku":"z","zip":"DEF""#, false),
        ] {
            let read = Token::parse(token(&format!(r#"{{"alg":"RS256"{more}}}"#), "{}").as_bytes()).unwrap();
            assert_eq!(read.has_unknown_rules, unknown, "{more}");
        }
    }

    #[test]
    fn claims() {
        for (payload, expected) in [
            ("[]", Failure::JwtPayloadParseErrorBadJson),
            (r#"{"a":{"b":1,"b":2}}"#, Failure::JwtPayloadParseErrorBadJson),
            (r#"{"exp":1e400}"#, Failure::JwtPayloadParseErrorBadJson),
            (r#"{"iss":1}"#, Failure::JwtPayloadParseErrorIssNotString),
            (r#"{"sub":null}"#, Failure::JwtPayloadParseErrorSubNotString),
            (r#"{"jti":[]}"#, Failure::JwtPayloadParseErrorJtiNotString),
            (r#"{"iat":"1"}"#, Failure::JwtPayloadParseErrorIatNotInteger),
            (r#"{"iat":-1}"#, Failure::JwtPayloadParseErrorIatOutOfRange),
            (r#"{"nbf":true}"#, Failure::JwtPayloadParseErrorNbfNotInteger),
            (r#"{"nbf":18446744073709551615}"#, Failure::JwtPayloadParseErrorNbfOutOfRange),
            (r#"{"exp":null}"#, Failure::JwtPayloadParseErrorExpNotInteger),
            (r#"{"exp":-0.5}"#, Failure::JwtPayloadParseErrorExpOutOfRange),
            (r#"{"aud":1}"#, Failure::JwtPayloadParseErrorAudNotString),
            (r#"{"aud":["a",1]}"#, Failure::JwtPayloadParseErrorAudNotString),
        ] {
            assert_eq!(failure(&token(r#"{"alg":"RS256"}"#, payload)), Some(expected), "{payload}");
        }
    }

    #[test]
    fn times_are_cut_off_and_audiences_become_a_list() {
        for (exp, seconds) in
            [("0", 0), ("-0", 0), ("0.5", 0), ("1.9", 1), ("1e19", 10_000_000_000_000_000_000)]
        {
            let text = token(r#"{"alg":"RS256"}"#, &format!(r#"{{"exp":{exp},"aud":"a"}}"#));
            let read = Token::parse(text.as_bytes()).unwrap();
            assert_eq!((read.expiry, read.audiences), (seconds, vec!["a".to_owned()]), "{exp}");
        }
    }
}
