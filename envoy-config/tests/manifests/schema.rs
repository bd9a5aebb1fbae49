//! Checks an object against a schema that is written down as data.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// A kind of object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Schema {
    api_version: String,
    kind: String,
    spec: Option<Shape>,
    data: Option<Shape>,
}

/// What a value must be. A shape with `fields` or `values` is an object, one with `items` a list.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    r#type: Option<String>,
    fields: Option<BTreeMap<String, Shape>>,
    values: Option<Box<Shape>>,
    items: Option<Box<Shape>>,
    required: Vec<String>,
    at_most_one: Vec<String>,
    exactly_one: Vec<String>,
    union: Option<Union>,
    r#enum: Vec<Value>,
    pattern: Option<String>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    max_items: Option<usize>,
    minimum: Option<i64>,
    maximum: Option<i64>,
}

/// The field that another one's value names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Union {
    by: String,
    fields: BTreeMap<String, String>,
}

impl Schema {
    /// Reads one.
    pub(crate) fn read(yaml: &str) -> Self {
        yaml_serde::from_str(yaml).unwrap()
    }

    /// Whether it is for this object.
    pub(crate) fn is_for(&self, object: &Value) -> bool {
        object["apiVersion"] == self.api_version.as_str() && object["kind"] == self.kind.as_str()
    }

    /// Everything that is wrong with an object.
    pub(crate) fn check(&self, object: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let name = Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").unwrap();
        for field in ["name", "namespace"] {
            let value = object["metadata"][field].as_str().unwrap_or_default();
            if !name.is_match(value) || value.len() > 253 {
                wrong.push(format!("metadata.{field}: `{value}`"));
            }
        }
        let parts = [("spec", &self.spec), ("data", &self.data)];
        for field in object.as_object().unwrap().keys() {
            let known = parts.iter().any(|(part, shape)| field == part && shape.is_some());
            if !known && !["apiVersion", "kind", "metadata"].contains(&field.as_str()) {
                wrong.push(format!("unknown `{field}`"));
            }
        }
        for (part, shape) in parts {
            if let Some(shape) = shape {
                shape.check(part, &object[part], &mut wrong);
            }
        }
        wrong
    }
}

impl Shape {
    fn check(&self, path: &str, value: &Value, wrong: &mut Vec<String>) {
        let mut refuse = |why: String| wrong.push(format!("{path}: {why}"));
        let wanted = self.r#type.as_deref().unwrap_or(if self.items.is_some() { "array" } else { "object" });
        let is = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::Null => "null",
        };
        if is != wanted {
            return refuse(format!("{is}, not {wanted}"));
        }
        if !self.r#enum.is_empty() && !self.r#enum.contains(value) {
            refuse(format!("{value} is none of {:?}", self.r#enum));
        }
        if let Some(text) = value.as_str() {
            let length = text.chars().count();
            if self.min_length.is_some_and(|least| length < least)
                || self.max_length.is_some_and(|most| length > most)
            {
                refuse(format!("has {length} characters"));
            }
            if let Some(pattern) = &self.pattern
                && !Regex::new(pattern).unwrap().is_match(text)
            {
                refuse(format!("`{text}` does not match {pattern}"));
            }
        }
        if let Some(number) = value.as_i64()
            && (self.minimum.is_some_and(|least| number < least)
                || self.maximum.is_some_and(|most| number > most))
        {
            refuse(format!("{number} is out of bounds"));
        }
        match value {
            Value::Array(items) => {
                if self.max_items.is_some_and(|most| items.len() > most) {
                    refuse(format!("has {} items", items.len()));
                }
                for (index, item) in items.iter().enumerate() {
                    let shape = self.items.as_deref().unwrap();
                    shape.check(&format!("{path}[{index}]"), item, wrong);
                }
            }
            Value::Object(fields) => self.check_fields(path, fields, wrong),
            _ => {}
        }
    }

    fn check_fields(&self, path: &str, fields: &serde_json::Map<String, Value>, wrong: &mut Vec<String>) {
        let count = |names: &[String]| names.iter().filter(|name| fields.contains_key(*name)).count();
        for missing in self.required.iter().filter(|name| !fields.contains_key(*name)) {
            wrong.push(format!("{path}: lacks `{missing}`"));
        }
        if count(&self.at_most_one) > 1 {
            wrong.push(format!("{path}: more than one of {:?}", self.at_most_one));
        }
        if !self.exactly_one.is_empty() && count(&self.exactly_one) != 1 {
            wrong.push(format!("{path}: not exactly one of {:?}", self.exactly_one));
        }
        if let Some(union) = &self.union {
            let named = fields.get(&union.by).and_then(Value::as_str).and_then(|name| union.fields.get(name));
            if !named.is_some_and(|field| fields.contains_key(field)) {
                wrong.push(format!("{path}: `{}` names another field", union.by));
            }
        }
        if self.max_items.is_some_and(|most| fields.len() > most) {
            wrong.push(format!("{path}: has {} fields", fields.len()));
        }
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            match (&self.fields, &self.values) {
                (Some(known), _) => match known.get(name) {
                    Some(shape) => shape.check(&path, value, wrong),
                    None => wrong.push(format!("{path}: there is no such field")),
                },
                (None, Some(shape)) => shape.check(&path, value, wrong),
                // What it holds is somebody else's.
                (None, None) => {}
            }
        }
    }
}

#[test]
fn what_is_wrong_is_found() {
    let schema = Schema::read(include_str!("schemas/wasm_plugin.yaml"));
    let check = |spec: Value| {
        let metadata = serde_json::json!({"name": "a", "namespace": "b"});
        schema.check(&serde_json::json!({"apiVersion": "a", "kind": "b", "metadata": metadata, "spec": spec}))
    };
    let url = "oci://r.example/o:1";
    assert!(
        check(serde_json::json!({"url": url, "priority": 1, "match": [{"ports": [{"number": 80}]}]}))
            .is_empty()
    );
    for wrong in [
        serde_json::json!({}),
        serde_json::json!({"url": "ftp://a"}),
        serde_json::json!({"url": url, "sha256": "A"}),
        serde_json::json!({"url": url, "phase": "authz"}),
        serde_json::json!({"url": url, "failStrategy": "FAIL_OPEN"}),
        serde_json::json!({"url": url, "priority": "1"}),
        serde_json::json!({"url": url, "match": [{"ports": [{"number": 0}]}]}),
        serde_json::json!({"url": url, "match": [{"ports": [{}]}]}),
        serde_json::json!({"url": url, "selector": {}, "targetRefs": []}),
        serde_json::json!({"url": url, "selector": {"matchLabels": {"a": "*"}}}),
        serde_json::json!({"url": url, "pluginName": "a".repeat(257)}),
        serde_json::json!({"url": url, "vmId": "a"}),
    ] {
        assert!(!check(wrong.clone()).is_empty(), "{wrong}");
    }
}
