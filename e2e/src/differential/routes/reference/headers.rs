//! `TranslateHeadersOperations`

use anyhow::Result;
use serde_json::{Value, json};

use super::fields::{items, only, pairs};

/// Header changes as Envoy takes them.
#[derive(Debug, Default)]
pub(super) struct Operations {
    lists: [(&'static str, Vec<Value>); 4],
    /// The new `:authority`.
    pub(super) authority: Option<String>,
}

/// Translates `headers`.
pub(super) fn operations(headers: Option<&Value>) -> Result<Operations> {
    let none = json!({});
    let headers = headers.unwrap_or(&none);
    only(headers, &["request", "response"])?;
    let (request, response) =
        (headers.get("request").unwrap_or(&none), headers.get("response").unwrap_or(&none));
    only(request, &["set", "add", "remove"])?;
    only(response, &["set", "add", "remove"])?;
    let lists = [
        ("request_headers_to_add", additions(request)),
        ("request_headers_to_remove", removals(request)),
        ("response_headers_to_add", additions(response)),
        ("response_headers_to_remove", removals(response)),
    ];
    let authority = ["set", "add"].iter().find_map(|list| {
        let mut named = pairs(request, list).into_iter().filter(|(name, _)| is_authority(name));
        named.next_back().and_then(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    });
    Ok(Operations { lists, authority: authority.map(str::to_owned) })
}

impl Operations {
    /// Appends them to those of a route or a weighted cluster.
    pub(super) fn put_on(&self, message: &mut Value) {
        for (field, list) in &self.lists {
            let all: Vec<_> = items(message, field).iter().chain(list).cloned().collect();
            if !all.is_empty() {
                message[field] = all.into();
            }
        }
    }
}

fn additions(changes: &Value) -> Vec<Value> {
    let mut additions = Vec::new();
    for (list, action) in [("set", "OVERWRITE_IF_EXISTS_OR_ADD"), ("add", "APPEND_IF_EXISTS_OR_ADD")] {
        for (name, value) in pairs(changes, list) {
            if !is_internal(name) {
                additions.push(json!({"header": {"key": name, "value": value}, "append_action": action}));
            }
        }
    }
    additions
}

fn removals(changes: &Value) -> Vec<Value> {
    let named = |name: &&Value| !name.as_str().is_some_and(is_internal);
    items(changes, "remove").iter().filter(named).cloned().collect()
}

fn is_internal(name: &str) -> bool {
    name.starts_with(':') || name.eq_ignore_ascii_case("host")
}

fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case(":authority") || name.eq_ignore_ascii_case("host")
}
