//! Who a verified token speaks for.

use serde_json::{Map, Value};

use super::json;

/// A verified token.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Identity {
    /// The token's payload. Claims that list words in one string, such as `scope`, are lists here.
    pub claims: Map<String, Value>,
}

impl Identity {
    /// The identity of a token with this payload, once the string claims named by `space_delimited` are split into
    /// their words (Envoy `normalize_payload_in_metadata`). One without any word stays a string.
    pub(crate) fn new<'n>(
        mut claims: Map<String, Value>,
        space_delimited: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        for name in space_delimited {
            if let Some(claim) = claims.get_mut(name)
                && let Some(text) = claim.as_str()
            {
                let words: Vec<Value> =
                    text.split(' ').filter(|word| !word.is_empty()).map(Value::from).collect();
                if !words.is_empty() {
                    *claim = words.into();
                }
            }
        }
        Self { claims }
    }

    /// `iss/sub`, Istio's `request.auth.principal`; `None` unless both are there.
    pub fn principal(&self) -> Option<String> {
        let text = |name| self.claims.get(name).and_then(Value::as_str);
        Some(format!("{}/{}", text("iss")?, text("sub")?))
    }

    /// Whether `test` holds for the claim that the names of `path` lead to: for its text, or for a text of its list.
    /// Numbers, booleans, objects and lists within lists are no text, as in Envoy's metadata matchers.
    pub(crate) fn any_text(&self, path: &[String], mut test: impl FnMut(&[u8]) -> bool) -> bool {
        match self.claim(path) {
            Some(Value::String(text)) => test(text.as_bytes()),
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).any(|item| test(item.as_bytes()))
            }
            _ => false,
        }
    }

    /// The claim that the names of `path` lead to, through objects.
    pub(crate) fn claim(&self, path: &[String]) -> Option<&Value> {
        let (name, inner) = path.split_first()?;
        inner.iter().try_fold(self.claims.get(name)?, |value, key| value.get(key))
    }

    /// The payload as JSON: how one filter hands the identity to the next.
    pub fn to_json(&self) -> Vec<u8> {
        // Maps with string keys can always be written.
        serde_json::to_vec(&self.claims).unwrap_or_default()
    }
}

/// What [`Identity::to_json`] wrote; `None` if it is no JSON object.
pub fn claims_from_json(json: &[u8]) -> Option<Identity> {
    json::parse_object(json).map(|claims| Identity { claims })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn identity(claims: Value) -> Identity {
        Identity::new(claims.as_object().cloned().unwrap(), ["scope", "permission", "roles"])
    }

    #[test]
    fn words_become_lists() {
        let identity = identity(json!({
            "scope": " read  write ", "permission": ["a b"], "roles": " ", "name": "Ann Lee"
        }));
        let expected = json!({
            "scope": ["read", "write"], "permission": ["a b"], "roles": " ", "name": "Ann Lee"
        });
        assert_eq!(Value::Object(identity.claims), expected);
    }

    #[test]
    fn a_principal_needs_issuer_and_subject() {
        for (claims, principal) in [
            (json!({"iss": "https://idp.example", "sub": "ann"}), Some("https://idp.example/ann")),
            (json!({"iss": "i", "sub": ""}), Some("i/")),
            (json!({"iss": "i"}), None),
            (json!({"sub": "s"}), None),
            (json!({"iss": 1, "sub": "s"}), None),
        ] {
            assert_eq!(identity(claims.clone()).principal().as_deref(), principal, "{claims}");
        }
    }

    #[test]
    fn texts_are_found_through_objects_and_in_lists() {
        let identity = identity(json!({
            "sub": "ann", "groups": ["a", 1, ["c"], "b"], "n": 5, "a.b": "dotted",
            "realm": {"roles": ["admin"], "0": "zero"}
        }));
        for (path, value, found) in [
            (&["sub"][..], "ann", true),
            (&["sub"], "bob", false),
            (&["groups"], "b", true),
            (&["groups"], "c", false),
            (&["groups", "0"], "a", false),
            (&["n"], "5", false),
            (&["a.b"], "dotted", true),
            (&["a", "b"], "dotted", false),
            (&["realm", "roles"], "admin", true),
            (&["realm"], "admin", false),
            (&["none"], "", false),
            (&[], "ann", false),
        ] {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(identity.any_text(&path, |text| text == value.as_bytes()), found, "{path:?} {value}");
        }
    }

    #[test]
    fn the_next_filter_reads_what_this_one_wrote() {
        let identity =
            identity(json!({"iss": "ä\u{0}\"", "scope": "a b", "n": {"f": 1.5, "l": [null, true]}}));
        assert_eq!(claims_from_json(&identity.to_json()), Some(identity));
        assert_eq!(claims_from_json(b"[]"), None);
        assert_eq!(claims_from_json(b""), None);
    }
}
