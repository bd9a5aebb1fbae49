//! Reading JSON objects.

use anyhow::{Result, bail};
use serde_json::Value;

/// Refuses fields that are not listed: nothing is left out by oversight.
pub(super) fn only(object: &Value, known: &[&str]) -> Result<()> {
    let Some(fields) = object.as_object() else { bail!("not an object: {object}") };
    match fields.keys().find(|field| !known.contains(&field.as_str())) {
        Some(field) => bail!("`{field}` is not translated"),
        None => Ok(()),
    }
}

/// The entries of a list; none if the field is not there.
pub(super) fn items<'v>(object: &'v Value, field: &str) -> &'v [Value] {
    object.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text; empty if the field is not there.
pub(super) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The entries of a map, sorted by key; none if the field is not there.
pub(super) fn pairs<'v>(object: &'v Value, field: &str) -> Vec<(&'v String, &'v Value)> {
    let mut pairs: Vec<_> = object.get(field).and_then(Value::as_object).into_iter().flatten().collect();
    pairs.sort_by_key(|(key, _)| *key);
    pairs
}
