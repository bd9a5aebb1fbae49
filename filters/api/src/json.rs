//! JSON to and from a [`Node`] tree.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::node::{Key, Node, Number, Position, Value};
use crate::ordered;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) message: String,
    pub(crate) position: Position,
}

/// Reads a JSON text. A key that is given twice is an error; depth is bounded.
pub(crate) fn parse(text: &[u8]) -> Result<Node, JsonError> {
    read(text, Seed { unique: true })
}

/// The same, but keys may be given twice.
pub(crate) fn parse_any(text: &[u8]) -> Result<Node, JsonError> {
    read(text, Seed { unique: false })
}

fn read(text: &[u8], seed: Seed) -> Result<Node, JsonError> {
    let fail = |error: serde_json::Error| {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        JsonError { message, position: Position { line: place(error.line()), column: place(error.column()) } }
    };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let node = seed.deserialize(&mut reader).map_err(fail)?;
    reader.end().map_err(fail)?;
    Ok(node)
}

/// The same value for serde_json to write.
pub(crate) fn from_node(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(Number::Integer(number)) => Json::from(*number),
        Value::Number(Number::Float(number)) => Json::from(*number),
        Value::String(text) => Json::String(text.clone()),
        Value::Sequence(items) => items.iter().map(from_node).collect(),
        Value::Mapping(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.name.clone(), from_node(value))).collect())
        }
    }
}

#[derive(Clone, Copy)]
struct Seed {
    /// Whether a key may be given once only.
    unique: bool,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

const fn node(value: Value) -> Node {
    Node { value, position: None }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a number too large to be exact is refused wherever it is used"
)]
const fn float(number: u64) -> Number {
    Number::Float(number as f64)
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::null())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(node(Value::Bool(value)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(node(Value::Number(Number::Integer(number))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(node(Value::Number(i64::try_from(number).map_or_else(|_| float(number), Number::Integer))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(node(Value::Number(Number::Float(number))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(node(Value::String(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(node(Value::String(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            sequence.push(item);
        }
        // Most have one element, and a vector that grows has room for four.
        sequence.shrink_to_fit();
        Ok(node(Value::Sequence(sequence)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut mapping: Vec<(Key, Node)> = Vec::new();
        while let Some(name) = entries.next_key_seed(Name)? {
            // Nearly every object is small; those that are not are looked through at their end.
            if self.unique && mapping.len() < SMALL && mapping.iter().any(|(known, _)| known.name == name) {
                return Err(A::Error::custom(twice(&name)));
            }
            mapping.push((Key { name, position: None }, entries.next_value_seed(self)?));
        }
        mapping.shrink_to_fit();
        match repeated(&mapping).filter(|_| self.unique) {
            Some(name) => Err(A::Error::custom(twice(name))),
            None => Ok(node(Value::Mapping(mapping))),
        }
    }
}

/// An object of up to so many keys is looked through for each of them.
const SMALL: usize = 16;

fn twice(name: &str) -> String {
    format!("key `{name}` is given twice")
}

/// A key that a large object has twice.
fn repeated(mapping: &[(Key, Node)]) -> Option<&str> {
    if mapping.len() <= SMALL {
        return None;
    }
    let mut names: Vec<&str> = mapping.iter().map(|(key, _)| key.name.as_str()).collect();
    ordered::sort(&mut names);
    names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn comes_back_as_it_went() {
        let text = r#"{"a":[1,-2,2.5,true,null,"é\n"],"b":{}}"#;
        assert_eq!(from_node(&parse(text.as_bytes()).unwrap()).to_string(), text);
    }

    #[test]
    fn refuses_what_is_not_json() {
        let deep = "[".repeat(100_000);
        for text in
            [&b""[..], b"{", b"{} {}", b"{'a':1}", b"\xff", br#"{"a":1,"a":2}"#, b"nul", deep.as_bytes()]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        let many = (0..100).map(|n| format!("\"{}\":0", n % 99)).collect::<Vec<_>>().join(",");
        let error = parse(format!("{{{many}}}").as_bytes()).unwrap_err();
        assert_eq!(error.message, "key `0` is given twice");
        let error = parse(b"{\n  \"a\": 1,\n  \"a\": 2}").unwrap_err();
        assert_eq!((error.message.as_str(), error.position.line), ("key `a` is given twice", 3));
    }
}
