//! What values of a compose file mean: most can be written in two ways.

use std::collections::BTreeMap;

use outrigger_api::node::{Node, Number, Value};

use super::{APP_PORT, ComposeError, DIRECT, GATEWAY, INJECT, NAMESPACE, SERVICE_ACCOUNT};

/// The labels of a service, written as a mapping or as a list.
pub(super) fn labels(service: &Node) -> Result<BTreeMap<String, String>, ComposeError> {
    let mut labels = BTreeMap::new();
    match service.get("labels").map(|node| &node.value) {
        Some(Value::Mapping(entries)) => {
            for (key, node) in entries {
                labels.insert(key.name.clone(), scalar(node).unwrap_or_default());
            }
        }
        Some(Value::Sequence(items)) => {
            for item in items.iter().filter_map(Node::as_str) {
                let (key, value) = item.split_once('=').unwrap_or((item, ""));
                labels.insert(key.to_owned(), value.to_owned());
            }
        }
        _ => {}
    }
    for key in [INJECT, GATEWAY, APP_PORT, NAMESPACE, SERVICE_ACCOUNT, DIRECT] {
        if labels.get(key).is_some_and(|value| value.contains('$')) {
            let message = format!("label `{key}` has a variable, whose value is not known here");
            return Err(ComposeError::new(
                message,
                service.entry("labels").and_then(|(key, _)| key.position),
            ));
        }
    }
    Ok(labels)
}

/// The port in a container of an entry of `ports` or `expose`.
pub(super) fn container_port(node: &Node) -> Option<u16> {
    if let Some(target) = node.get("target") {
        return scalar(target)?.parse().ok();
    }
    let text = scalar(node)?;
    let text = text.strip_suffix("/tcp").unwrap_or(&text);
    text.rsplit(':').next()?.parse().ok().filter(|port| *port != 0)
}

/// Whether an entry of `ports` is of UDP.
pub(super) fn is_datagram(node: &Node) -> bool {
    let protocol = node.get("protocol").and_then(Node::as_str);
    protocol == Some("udp") || node.as_str().is_some_and(|text| text.ends_with("/udp"))
}

/// The elements of a list.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

/// The elements of a list, or the keys of a mapping.
pub(super) fn names(node: &Node) -> Vec<&str> {
    match &node.value {
        Value::Sequence(items) => items.iter().filter_map(Node::as_str).collect(),
        Value::Mapping(entries) => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// A value that is neither a list nor a mapping.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(Number::Integer(number)) => Some(number.to_string()),
        Value::Number(Number::Float(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// What a switch says. Like Istio's injector it knows `true` and `false` (in a label of compose they may stand without
/// quotes), and says nothing where it is empty.
pub(super) fn switch(text: &str) -> Result<Option<bool>, String> {
    match text {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        "" => Ok(None),
        other => Err(format!("`{other}` is neither `true` nor `false`")),
    }
}
