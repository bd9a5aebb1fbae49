//! What the user has written: what of it stands in the way of something to add, and that all of it is still there.

use outrigger_api::node::{Node, Value};

/// Whether an environment says something of a variable, in small or large letters.
pub(super) fn has_variable(environment: Option<&Node>, name: &str) -> bool {
    match environment.map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.iter().any(|(key, _)| key.name.eq_ignore_ascii_case(name)),
        Some(Value::Sequence(items)) => items
            .iter()
            .filter_map(Node::as_str)
            .any(|item| item.split('=').next().is_some_and(|key| key.eq_ignore_ascii_case(name))),
        _ => false,
    }
}

/// Whether everything of `before` is in `after`, but for the networks of applications.
pub(super) fn is_kept(before: &Node, after: &Node) -> bool {
    match (&before.value, &after.value) {
        (Value::Mapping(old), Value::Mapping(_)) => old.iter().all(|(key, old)| {
            after.get(&key.name).is_some_and(|new| key.name == "networks" || is_kept(old, new))
        }),
        (Value::Sequence(old), Value::Sequence(new)) => {
            old.len() <= new.len() && old.iter().zip(new).all(|(old, new)| is_kept(old, new))
        }
        (Value::Null, _) => true,
        (Value::Mapping(old), Value::Null) => old.is_empty(),
        (old, new) => old == new,
    }
}
