//! What a verified token puts into request headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_api::types::request_authentication::JwtRule;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::fixed::six_decimals;
use super::token::Token;
use crate::verdict::HeaderOp;

/// The headers of one rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outputs {
    /// `outputPayloadToHeader`
    payload: Option<String>,
    /// `outputClaimToHeaders`: header, and the names that lead to the claim.
    claims: Vec<(String, Vec<String>)>,
}

impl Outputs {
    /// Those of `rule`.
    pub(crate) fn new(rule: &JwtRule) -> Self {
        let claims = rule.output_claim_to_headers.iter();
        Self {
            payload: rule.output_payload_to_header.as_ref().map(|name| name.to_ascii_lowercase()),
            claims: claims
                .map(|output| {
                    let names = output.claim.split('.').map(str::to_owned).collect();
                    (output.header.to_ascii_lowercase(), names)
                })
                .collect(),
        }
    }

    /// The headers that no client may set.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let claims = self.claims.iter().map(|(name, _)| name.as_str());
        self.payload.as_deref().into_iter().chain(claims)
    }

    /// Adds the headers for `token`. The client's copies are gone by then. Returns what Envoy says to the first value
    /// that no header can have, once it has verified every token.
    pub(crate) fn write<'e>(&'e self, token: &Token, ops: &mut Vec<HeaderOp<'e>>) -> Option<Failure> {
        let mut failure = None;
        let payload = self.payload.iter().map(|name| (name, token.payload().to_vec()));
        let claims = self.claims.iter().filter_map(|(header, names)| {
            let text = text(lookup(&token.claims, names)?)?;
            Some((header, text.into_bytes()))
        });
        for (name, value) in payload.chain(claims).filter(|(_, value)| !value.is_empty()) {
            if value.iter().all(|byte| may_stand_in_header(*byte)) {
                ops.push(HeaderOp::Add(name.as_str().into(), value.into()));
            } else {
                failure = failure.or_else(|| Some(Failure::InvalidHeaderValue(name.clone())));
            }
        }
        failure
    }
}

/// The claim that `names` lead to, through objects.
fn lookup<'c>(claims: &'c Map<String, Value>, names: &[String]) -> Option<&'c Value> {
    let (first, rest) = names.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))
}

/// Numbers as Envoy prints doubles: whole ones from 0 to 2^64 as such, all others with six decimals. Lists and objects
/// as padded base64 of their JSON.
fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => number.as_f64().map(number_text),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_vec(claim).ok().map(|json| STANDARD.encode(json))
        }
    }
}

fn number_text(number: f64) -> String {
    const TWO_TO_THE_64TH: f64 = 18_446_744_073_709_551_616.0;
    let whole = number.fract() == 0.0 && (0.0..TWO_TO_THE_64TH).contains(&number);
    if whole { (number as u64).to_string() } else { six_decimals(number) }
}

/// What Envoy lets into a header value: no control character but the tab.
fn may_stand_in_header(byte: u8) -> bool {
    byte == b'\t' || !(byte < 0x20 || byte == 0x7f)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn claims_become_text() {
        for (claim, expected) in [
            (json!("a"), Some("a")),
            (json!(true), Some("true")),
            (json!(null), None),
            (json!(0), Some("0")),
            (json!(-0.0), Some("0")),
            (json!(7), Some("7")),
            (json!(-5), Some("-5.000000")),
            (json!(1.5), Some("1.500000")),
            (json!(1e-7), Some("0.000000")),
            (json!(9_007_199_254_740_993_u64), Some("9007199254740992")),
            (json!(1e19), Some("10000000000000000000")),
            (json!(1e20), Some("100000000000000000000.000000")),
            (json!(["a", 1]), Some("WyJhIiwxXQ==")),
            (json!({"a": null}), Some("eyJhIjpudWxsfQ==")),
        ] {
            assert_eq!(text(&claim).as_deref(), expected, "{claim}");
        }
    }

    #[test]
    fn dots_lead_into_objects_and_never_into_names() {
        let claims = json!({"a": {"b": {"c": 1}}, "a.b": 2, "l": [{"b": 3}]});
        let claims = claims.as_object().unwrap();
        for (path, found) in [
            ("a.b.c", Some(json!(1))),
            ("a.b", Some(json!({"c": 1}))),
            ("a.x", None),
            ("a.b.c.d", None),
            ("l.b", None),
            ("", None),
        ] {
            let names: Vec<_> = path.split('.').map(str::to_owned).collect();
            assert_eq!(lookup(claims, &names), found.as_ref(), "{path}");
        }
    }

    #[test]
    fn control_characters_are_no_header_value() {
        for (byte, may) in [
            (0, false),
            (b'\t', true),
            (b'\n', false),
            (0x1f, false),
            (b' ', true),
            (0x7f, false),
            (0x80, true),
        ] {
            assert_eq!(may_stand_in_header(byte), may, "{byte}");
        }
    }
}
