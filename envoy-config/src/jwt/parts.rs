//! A token taken apart, as far as it goes: nothing is verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outrigger_core::jwt::malformed;
use outrigger_core::{Now, jwt};
use serde::Serialize;
use serde_json::{Map, Value};

use super::times::{moment, span};

/// What stands in a token.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// The header; `None` if it is no JSON object.
    pub header: Option<Map<String, Value>>,
    /// The payload; likewise.
    pub claims: Option<Map<String, Value>>,
    /// Length of the signature in bytes; `None` if it is not base64url.
    pub signature_bytes: Option<usize>,
    /// Why no proxy takes it, whatever its rules are.
    pub malformed: Option<String>,
    /// What `exp`, `nbf` and `iat` mean.
    pub times: Vec<Time>,
}

/// A claim that is a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Time {
    /// Its name.
    pub claim: &'static str,
    /// The moment (RFC 3339); `None` if it is none that a calendar has.
    pub at: Option<String>,
    /// What that means now.
    pub means: String,
}

impl Parts {
    /// Takes `token` apart.
    pub fn new(token: &str, now: Now) -> Self {
        let mut parts = token.split('.').filter(|part| !part.is_empty());
        let mut bytes = || URL_SAFE_NO_PAD.decode(parts.next()?.trim_end_matches('=')).ok();
        let (header, claims) = (bytes(), bytes());
        let object = |bytes: Vec<u8>| serde_json::from_slice(&bytes).ok();
        let claims: Option<Map<String, Value>> = claims.and_then(object);
        Self {
            header: header.and_then(object),
            signature_bytes: bytes().map(|bytes| bytes.len()),
            malformed: malformed(token.as_bytes()).map(|failure| failure.text()),
            times: claims.as_ref().map(|claims| times(claims, now)).unwrap_or_default(),
            claims,
        }
    }
}

fn times(claims: &Map<String, Value>, now: Now) -> Vec<Time> {
    let time = |claim: &'static str| {
        let seconds = claims.get(claim)?.as_f64()?;
        let at = moment(seconds);
        Some(Time { claim, at, means: meaning(claim, seconds, now) })
    };
    ["iat", "nbf", "exp"].into_iter().filter_map(time).collect()
}

/// What a claim of time means now. Whole seconds, and the grace that a proxy grants, as there.
fn meaning(claim: &str, seconds: f64, now: Now) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let seconds = seconds as u64;
    let now = now.0.as_secs();
    let ago = format!("{} ago", span(now.saturating_sub(seconds)));
    let ahead = format!("in {}", span(seconds.saturating_sub(now)));
    let late = now > seconds.saturating_add(jwt::CLOCK_SKEW);
    let early = now.saturating_add(jwt::CLOCK_SKEW) < seconds;
    match claim {
        "exp" if seconds == 0 => "never expires".to_owned(),
        "exp" if late => format!("expired {ago}"),
        "exp" if seconds < now => format!("expired {ago}, within the grace of {} s", jwt::CLOCK_SKEW),
        "exp" => format!("expires {ahead}"),
        "nbf" if early => format!("not valid yet, but {ahead}"),
        "nbf" => format!("valid since {}", span(now.saturating_sub(seconds))),
        _ if seconds > now => format!("made {ahead}"),
        _ => format!("made {ago}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_767_225_600;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn parts(token: &str) -> Parts {
        Parts::new(token, Now(Duration::from_secs(NOW)))
    }

    #[test]
    fn what_can_be_read_is_read() {
        let good = parts(&token(r#"{"alg":"ES512"}"#, r#"{"iss":"i"}"#));
        assert_eq!(good.header.map(Value::Object), Some(json!({"alg": "ES512"})));
        assert_eq!(good.claims.map(Value::Object), Some(json!({"iss": "i"})));
        assert_eq!((good.signature_bytes, good.malformed), (Some(3), None));

        let unsigned = parts(&token(r#"{"alg":"none"}"#, "x"));
        assert_eq!(unsigned.header.map(Value::Object), Some(json!({"alg": "none"})));
        assert_eq!(unsigned.claims, None);
        assert_eq!(unsigned.malformed.as_deref(), Some("Jwt header [alg] is not supported"));

        let garbage = parts("garbage");
        assert_eq!((garbage.header, garbage.claims, garbage.signature_bytes), (None, None, None));
        assert!(garbage.malformed.unwrap().starts_with("Jwt is not in the form of"));
    }

    #[test]
    fn times_are_told_as_the_proxy_takes_them() {
        for (claim, seconds, expected) in [
            ("exp", NOW + 3_600, "expires in 1 h"),
            ("exp", NOW, "expires in 0 s"),
            ("exp", NOW - 60, "expired 1 min ago, within the grace of 60 s"),
            ("exp", NOW - 61, "expired 1 min 1 s ago"),
            ("exp", 0, "never expires"),
            ("nbf", NOW + 61, "not valid yet, but in 1 min 1 s"),
            ("nbf", NOW + 60, "valid since 0 s"),
            ("nbf", NOW - 120, "valid since 2 min"),
            ("iat", NOW - 7_200, "made 2 h ago"),
            ("iat", NOW + 5, "made in 5 s"),
        ] {
            let times = parts(&token(r#"{"alg":"ES256"}"#, &json!({claim: seconds}).to_string())).times;
            assert_eq!(times.len(), 1);
            assert_eq!((times[0].claim, times[0].means.as_str()), (claim, expected), "{seconds}");
        }
        assert_eq!(parts(&token("{}", r#"{"exp":"soon"}"#)).times, []);
    }
}
