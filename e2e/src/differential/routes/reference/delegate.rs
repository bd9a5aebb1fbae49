//! `mergeVirtualServicesIfNeeded`: a rule that delegates becomes the delegate's rules.

use serde_json::{Map, Value};

use super::super::configuration::Configuration;
use super::fields::{items, text};
use super::{hosts, namespace};

/// `service` with the rules of its delegates.
pub(super) fn merged(configuration: &Configuration, service: &Value) -> Value {
    let mut merged = service.clone();
    let mut rules = Vec::new();
    for rule in items(&service["spec"], "http") {
        match rule.get("delegate") {
            None => rules.push(rule.clone()),
            Some(delegate) => {
                let leaf = find(configuration, delegate, namespace(service));
                let of_leaf = leaf.map_or(&[][..], |leaf| items(&leaf["spec"], "http"));
                let completed = of_leaf
                    .iter()
                    .map(|rule| leaf.map_or_else(|| rule.clone(), |leaf| complete(rule, namespace(leaf))));
                let root = complete(rule, namespace(service));
                rules.extend(completed.filter_map(|leaf| merge(&root, leaf)));
            }
        }
    }
    merged["spec"]["http"] = rules.into();
    merged
}

/// The delegate, if it is one and may be seen.
fn find<'c>(configuration: &'c Configuration, delegate: &Value, root: &str) -> Option<&'c Value> {
    let wanted = if text(delegate, "namespace").is_empty() { root } else { text(delegate, "namespace") };
    let found = configuration.kind("VirtualService").find(|service| {
        text(&service["metadata"], "name") == text(delegate, "name")
            && namespace(service) == wanted
            && items(&service["spec"], "hosts").is_empty()
    })?;
    let mut exported = items(&found["spec"], "exportTo").iter().filter_map(Value::as_str).peekable();
    let seen = exported.peek().is_none()
        || exported.any(|to| to == "*" || to == root || (to == "." && namespace(found) == root));
    seen.then_some(found)
}

/// `rule` with full names, which short ones become before rules of two namespaces meet.
fn complete(rule: &Value, namespace: &str) -> Value {
    let mut rule = rule.clone();
    let complete = |destination: &mut Value| {
        let host = text(destination, "host").to_owned();
        if !host.is_empty() && !host.contains('.') {
            destination["host"] = format!("{host}.{namespace}.svc.cluster.local").into();
        }
    };
    for list in ["route", "mirrors"] {
        for entry in rule.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            complete(&mut entry["destination"]);
        }
    }
    if let Some(mirror) = rule.get_mut("mirror") {
        complete(mirror);
    }
    for entry in rule.get_mut("match").and_then(Value::as_array_mut).into_iter().flatten() {
        for gateway in entry.get_mut("gateways").and_then(Value::as_array_mut).into_iter().flatten() {
            *gateway = hosts::qualified(gateway.as_str().unwrap_or_default(), namespace).into();
        }
    }
    rule
}

/// `mergeHTTPRoute`. `None`: the delegate's rule conflicts with the root's.
fn merge(root: &Value, mut leaf: Value) -> Option<Value> {
    let (of_root, of_leaf) = (items(root, "match"), items(&leaf, "match"));
    let matches = if of_root.is_empty() {
        of_leaf.to_vec()
    } else if of_leaf.is_empty() {
        of_root.to_vec()
    } else {
        let mut both = Vec::new();
        for narrow in of_leaf {
            let before = both.len();
            both.extend(
                of_root.iter().filter(|wide| !conflict(wide, narrow)).map(|wide| both_hold(wide, narrow)),
            );
            if both.len() == before {
                return None;
            }
        }
        both
    };
    leaf["match"] = matches.into();
    let fields = [
        "rewrite",
        "directResponse",
        "timeout",
        "retries",
        "fault",
        "mirror",
        "mirrorPercent",
        "mirrorPercentage",
        "mirrors",
        "corsPolicy",
        "headers",
    ];
    for field in fields {
        if let (None, Some(value)) = (leaf.get(field), root.get(field)) {
            leaf[field] = value.clone();
        }
    }
    let name = joined(text(root, "name"), text(&leaf, "name"));
    leaf["name"] = name.into();
    Some(leaf)
}

fn joined(root: &str, leaf: &str) -> String {
    match (root, leaf) {
        ("", name) | (name, "") => name.to_owned(),
        (root, leaf) => format!("{root}-{leaf}"),
    }
}

/// `mergeHTTPMatchRequest`
fn both_hold(root: &Value, leaf: &Value) -> Value {
    let mut both = leaf.clone();
    for (field, value) in root.as_object().into_iter().flatten() {
        match (field.as_str(), leaf.get(field)) {
            ("headers" | "withoutHeaders" | "queryParams" | "sourceLabels", of_leaf) => {
                let mut map: Map<_, _> = value.as_object().cloned().unwrap_or_default();
                map.extend(of_leaf.and_then(Value::as_object).cloned().unwrap_or_default());
                both[field] = map.into();
            }
            ("name", _) => both["name"] = joined(text(root, "name"), text(leaf, "name")).into(),
            (_, None) => both[field] = value.clone(),
            (_, Some(_)) => {}
        }
    }
    both
}

/// `hasConflict`
fn conflict(root: &Value, leaf: &Value) -> bool {
    let of = |value: &Value, map: &str, key: &str| value.get(map).and_then(|map| map.get(key)).cloned();
    let simple = ["uri", "scheme", "method", "authority"];
    if simple.iter().any(|field| text_conflict(root.get(field), leaf.get(field))) {
        return true;
    }
    for map in ["headers", "withoutHeaders", "queryParams"] {
        let keys = leaf.get(map).and_then(Value::as_object).into_iter().flatten();
        for (key, value) in keys {
            if text_conflict(of(root, map, key).as_ref(), Some(value)) {
                return true;
            }
        }
    }
    let ignores = |value: &Value| value["ignoreUriCase"] == true;
    let ports = (root.get("port"), leaf.get("port"));
    let (wide, narrow) = (items(root, "gateways"), items(leaf, "gateways"));
    let labels = leaf.get("sourceLabels").and_then(Value::as_object).into_iter().flatten();
    ignores(root) != ignores(leaf)
        || matches!(ports, (Some(one), Some(other)) if one != other)
        || (root.get("sourceNamespace").is_some()
            && root.get("sourceNamespace") != leaf.get("sourceNamespace"))
        || labels
            .into_iter()
            .any(|(key, value)| of(root, "sourceLabels", key).is_some_and(|wide| wide != *value))
        || (!wide.is_empty() && !narrow.is_empty() && !narrow.iter().all(|gateway| wide.contains(gateway)))
}

/// `stringMatchConflict`
fn text_conflict(root: Option<&Value>, leaf: Option<&Value>) -> bool {
    let (Some(root), Some(leaf)) = (root, leaf) else { return false };
    if !text(root, "regex").is_empty() || !text(leaf, "regex").is_empty() {
        return true;
    }
    let (exact, prefix) = (text(root, "exact"), text(root, "prefix"));
    if !exact.is_empty() {
        return !text(leaf, "prefix").is_empty() || text(leaf, "exact") != exact;
    }
    let narrow = if text(leaf, "prefix").is_empty() { text(leaf, "exact") } else { text(leaf, "prefix") };
    prefix.is_empty() || narrow.is_empty() || !narrow.starts_with(prefix)
}
