//! Who a verified token speaks for.

use std::rc::Rc;

use once_cell::unsync::OnceCell;
use serde::Serializer;
use serde_json::{Map, Value};

use super::json;

/// A verified token.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The token's payload.
    claims: Rc<Map<String, Value>>,
    /// Claims that list words in one string, such as `scope`: as lists.
    words: Map<String, Value>,
    json: OnceCell<Vec<u8>>,
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl From<Map<String, Value>> for Identity {
    fn from(claims: Map<String, Value>) -> Self {
        Self { claims: Rc::new(claims), ..Self::default() }
    }
}

impl Identity {
    /// The identity of a token with this payload, once the string claims named by `space_delimited` are split into
    /// their words (Envoy `normalize_payload_in_metadata`). One without any word stays a string.
    pub(crate) fn new<'n>(
        claims: Rc<Map<String, Value>>,
        space_delimited: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let mut lists = Map::new();
        for name in space_delimited {
            let Some(text) = claims.get(name).and_then(Value::as_str) else { continue };
            let words: Vec<Value> =
                text.split(' ').filter(|word| !word.is_empty()).map(Value::from).collect();
            if !words.is_empty() {
                lists.insert(name.to_owned(), words.into());
            }
        }
        Self { claims, words: lists, json: OnceCell::new() }
    }

    /// The claim of this name. One that lists words in one string, such as `scope`, is a list here.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.words.get(name).or_else(|| self.claims.get(name))
    }

    /// `iss/sub`, Istio's `request.auth.principal`; `None` unless both are there.
    pub fn principal(&self) -> Option<String> {
        let text = |name| self.get(name).and_then(Value::as_str);
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
        inner.iter().try_fold(self.get(name)?, |value, key| value.get(key))
    }

    /// The payload as JSON: how one filter hands the identity to the next. It is made once.
    pub fn to_json(&self) -> &[u8] {
        self.json.get_or_init(|| {
            let claims = self.claims.iter();
            let claims = claims.map(|(name, claim)| (name, self.words.get(name).unwrap_or(claim)));
            let mut json = Vec::new();
            // Maps with string keys can always be written.
            match serde_json::Serializer::new(&mut json).collect_map(claims) {
                Ok(()) => json,
                Err(_) => Vec::new(),
            }
        })
    }
}

/// What [`Identity::to_json`] wrote; `None` if it is no JSON object.
pub fn claims_from_json(json: &[u8]) -> Option<Identity> {
    json::parse_object(json).map(Identity::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn identity(claims: Value) -> Identity {
        Identity::new(Rc::new(claims.as_object().cloned().unwrap()), ["scope", "permission", "roles"])
    }

    #[test]
    fn words_become_lists() {
        let identity = identity(json!({
            "scope": " read  write ", "permission": ["a b"], "roles": " ", "name": "Ann Lee"
        }));
        let expected = json!({
            "scope": ["read", "write"], "permission": ["a b"], "roles": " ", "name": "Ann Lee"
        });
        assert_eq!(serde_json::from_slice::<Value>(identity.to_json()).unwrap(), expected);
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
        assert_eq!(claims_from_json(identity.to_json()), Some(identity));
        assert_eq!(claims_from_json(b"[]"), None);
        assert_eq!(claims_from_json(b""), None);
    }
}
