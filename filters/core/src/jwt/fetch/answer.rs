//! What a server's answer is worth.

use super::super::json;
use super::super::keys::KeySet;
use super::source::Source;
use super::uri::Uri;

/// A longer answer is no key set: so many bytes would hold a thousand keys.
pub const MAX_BODY: usize = 512 * 1024;

/// So much of an answer that is a failure is told.
const MOST_SAID: usize = 200;

/// The keys in an answer with this `:status` and body.
///
/// # Errors
/// Why it has none.
pub fn keys(status: &[u8], body: &[u8]) -> Result<KeySet, String> {
    is_ok(status, body)?;
    let text = std::str::from_utf8(body).map_err(|_| "the key set is not UTF-8".to_owned())?;
    KeySet::parse(text).map(|(keys, _)| keys).map_err(|unusable| unusable.text.to_owned())
}

/// Where the keys are, by the answer of the OpenID configuration of `source` (OpenID Connect Discovery 1.0, section
/// 4.2).
///
/// # Errors
/// Why it does not say.
pub fn discovered(source: &Source, status: &[u8], body: &[u8]) -> Result<Uri, String> {
    is_ok(status, body)?;
    let configuration = json::parse_object(body).ok_or("the OpenID configuration is not a JSON object")?;
    let text = configuration.get("jwks_uri").and_then(serde_json::Value::as_str);
    let text = text.ok_or("the OpenID configuration has no `jwks_uri`")?;
    let uri = Uri::parse(text).map_err(|reason| format!("`jwks_uri` {reason}"))?;
    if source.uri().is_secure() && !uri.is_secure() {
        return Err("`jwks_uri` is not `https`, as the issuer is".to_owned());
    }
    Ok(uri)
}

/// Nobody follows a redirect: whoever answers it might not be whom the resource means.
fn is_ok(status: &[u8], body: &[u8]) -> Result<(), String> {
    if status == b"200" {
        return Ok(());
    }
    // Where nobody has answered, Envoy does, and says there why.
    let said = body.get(..MOST_SAID).unwrap_or(body);
    let answer = [status, said].join(&b": "[..]);
    Err(format!("the answer is {}", String::from_utf8_lossy(&answer)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::source::Location;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_a_good_set_counts() {
        for (status, body, reason) in [
            ("301", "", "the answer is 301: "),
            ("503", "no healthy upstream", "the answer is 503: no healthy upstream"),
            ("200", "", "Jwks is an invalid JSON"),
            ("200", "<html>", "Jwks is an invalid JSON"),
            ("200", "{}", "Jwks does not have [keys] field"),
            ("200", "{\"keys\": []}", "Jwks doesn't have any valid public key"),
        ] {
            assert_eq!(keys(status.as_bytes(), body.as_bytes()).unwrap_err(), reason, "{body}");
        }
        assert_eq!(keys(b"200", b"\xff").unwrap_err(), "the key set is not UTF-8");
    }

    #[test]
    fn a_configuration_names_the_keys() {
        let source = |issuer: &str| Source {
            location: Location::Discovery(Uri::parse(issuer).unwrap()),
            timeout: Duration::ZERO,
            refresh: None,
            max_stale: Duration::ZERO,
        };
        for (issuer, body, found) in [
            ("https://a", r#"{"jwks_uri": "https://b/k"}"#, Ok("https://b/k")),
            ("http://a", r#"{"jwks_uri": "http://b/k"}"#, Ok("http://b/k")),
            (
                "https://a",
                r#"{"jwks_uri": "http://b/k"}"#,
                Err("`jwks_uri` is not `https`, as the issuer is"),
            ),
            ("https://a", r#"{"jwks_uri": "b"}"#, Err("`jwks_uri` is not an `http://` or `https://` URI")),
            ("https://a", r#"{"jwks_uri": 1}"#, Err("the OpenID configuration has no `jwks_uri`")),
            ("https://a", "[]", Err("the OpenID configuration is not a JSON object")),
        ] {
            let answer = discovered(&source(issuer), b"200", body.as_bytes()).map(|uri| uri.to_string());
            assert_eq!(answer.as_deref().map_err(String::as_str), found, "{body}");
        }
    }
}
