//! What lines of access logs look like, in MeshConfig and its providers. Filters have no use for them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{cursor::Cursor, object::Object};
use crate::{
    check::format::{self, Wrong},
    json,
    node::Value as Kind,
    types::mesh_config::AccessLogEncoding,
};

/// A format string that Envoy takes.
pub(super) fn text(at: &Cursor<'_>) -> Option<String> {
    let text = at.string()?;
    if let Err(wrong) = format::operators(&text) {
        tell(at, wrong);
    }
    Some(text)
}

/// The field `text`, which may be left out.
pub(super) fn text_field(fields: &Object<'_>) -> Option<String> {
    fields.get("text", text)
}

/// An object of JSON, in which every text is a format string.
pub(super) fn labels(at: &Cursor<'_>) -> Option<BTreeMap<String, Value>> {
    if !matches!(at.node.value, Kind::Mapping(_)) {
        return at.wrong_kind("a mapping");
    }
    check_inside(at);
    match json::from_node(at.node) {
        Value::Object(fields) => Some(fields.into_iter().collect()),
        _ => None,
    }
}

/// Looks at every text within. What it returns says nothing.
fn check_inside(at: &Cursor<'_>) -> Option<()> {
    match &at.node.value {
        Kind::String(_) => _ = text(at),
        Kind::Sequence(_) => _ = at.list(check_inside),
        Kind::Mapping(_) => _ = at.map(|_, value| check_inside(value)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
    }
    None
}

/// `accessLogFormat`: with `JSON` it has to be an object.
pub(super) fn of_mesh(at: &Cursor<'_>, encoding: AccessLogEncoding) -> Option<String> {
    let format = at.string().filter(|format| !format.is_empty())?;
    match encoding {
        AccessLogEncoding::Text => return text(at),
        AccessLogEncoding::Json => {}
    }
    match serde_json::from_str::<serde_json::Map<_, _>>(&format) {
        Ok(keys) => {
            if let Err(wrong) = keys.iter().try_for_each(|(key, value)| in_json(key, value)) {
                tell(at, wrong);
            }
            Some(format)
        }
        Err(error) => {
            at.error_hint(
                format_args!("is not an object of JSON: {error}"),
                "`accessLogEncoding` is `JSON`: write `{\"key\": \"%OPERATOR%\"}`",
            );
            None
        }
    }
}

/// `key`: of the object that all of it stands in, since JSON within a text has no lines.
fn in_json(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::String(text) => format::operators(text)
            .map_err(|wrong| Wrong { message: format!("`{key}`: {}", wrong.message), ..wrong }),
        Value::Array(values) => values.iter().try_for_each(|value| in_json(key, value)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(inner, value)| in_json(&format!("{key}.{inner}"), value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn tell(at: &Cursor<'_>, wrong: Wrong) {
    match wrong.hint {
        Some(hint) => at.error_hint(wrong.message, hint),
        None => at.error(wrong.message),
    }
}
