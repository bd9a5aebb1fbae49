//! JSON objects as Envoy reads them in a token: a name that stands twice, at any depth, makes them invalid, and so does
//! nesting that is too deep.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many objects and lists may stand within each other: the recursion limit of protobuf's JSON reader.
const DEEPEST: usize = 100;

/// The object that `text` is; `null` counts as an empty one.
pub(crate) fn parse_object(text: &[u8]) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict { left: DEEPEST }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// Any value without repeated names.
#[derive(Debug, Clone, Copy)]
struct Strict {
    /// How many objects and lists may still stand within each other.
    left: usize,
}

impl Strict {
    /// What may stand one level deeper.
    fn inner<E: Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn objects_are_read_as_serde_json_reads_them() {
        let text = r#"{"a":[1,-2,2.5,true,null,"\u00e4",{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(parse_object(text.as_bytes()), serde_json::from_str(text).ok());
        assert_eq!(parse_object(b" null "), Some(Map::new()));
    }

    #[test]
    fn what_envoy_refuses_is_refused() {
        for text in [
            &br#"{"a":1,"a":1}"#[..],
            br#"{"x":[{"a":1,"a":2}]}"#,
            br#"{"a":"\ud800"}"#,
            b"{\"a\":\"\xff\"}",
            br#"{"a":1e400}"#,
            br#"{"a":1} x"#,
            b"[]",
            b"\"a\"",
            b"",
        ] {
            assert_eq!(parse_object(text), None, "{}", String::from_utf8_lossy(text));
        }
        let deep = [&br#"{"a":"#[..], &[b'['; 50_000]].concat();
        assert_eq!(parse_object(&deep), None);
    }

    #[test]
    fn a_hundred_levels_are_read_and_no_more() {
        let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(parse_object(nested(100).as_bytes()).is_some());
        assert_eq!(parse_object(nested(101).as_bytes()), None);
    }
}
