//! `BuildHTTPRoutesForVirtualService` and `translateRoute`.

use anyhow::Result;
use serde_json::{Value, json};

use super::fields::{items, only, text};
use super::{LABELS, NAMESPACE, action, check, cors, headers, hosts, matches, namespace};

/// The routes of `service` on `gateway`, up to the first that takes everything.
pub(super) fn routes(service: &Value, gateway: &str, port: u16) -> Result<Vec<Value>> {
    check(service)?;
    let mut routes = Vec::new();
    for rule in items(&service["spec"], "http") {
        let entries = items(rule, "match");
        if entries.is_empty() {
            routes.push(route(service, rule, None, port)?);
            break;
        }
        let mut done = false;
        for entry in entries {
            if !applies(service, entry, gateway, port) {
                continue;
            }
            let route = route(service, rule, Some(entry), port)?;
            done = is_catch_all(&route);
            routes.push(route);
            if done {
                break;
            }
        }
        if done {
            break;
        }
    }
    Ok(routes)
}

/// What is decided when the routes are made.
fn applies(service: &Value, entry: &Value, gateway: &str, port: u16) -> bool {
    if entry.get("port").is_some_and(|wanted| *wanted != port) {
        return false;
    }
    let gateways = items(entry, "gateways");
    if !gateways.is_empty() {
        let mut names = gateways.iter().filter_map(Value::as_str);
        return names.any(|name| hosts::qualified(name, namespace(service)) == gateway);
    }
    let mut labels = entry.get("sourceLabels").and_then(Value::as_object).into_iter().flatten();
    let has = |key: &str, value: &Value| LABELS.iter().any(|label| label.0 == key && *value == label.1);
    let from = text(entry, "sourceNamespace");
    labels.all(|(key, value)| has(key, value)) && (from.is_empty() || from == NAMESPACE)
}

fn route(service: &Value, rule: &Value, entry: Option<&Value>, port: u16) -> Result<Value> {
    only(
        rule,
        &[
            "name",
            "match",
            "route",
            "redirect",
            "directResponse",
            "rewrite",
            "timeout",
            "retries",
            "fault",
            "headers",
            "corsPolicy",
            "mirror",
            "mirrors",
            "mirrorPercent",
            "mirrorPercentage",
        ],
    )?;
    let mut route = json!({"match": matches::route_match(entry)?});
    let mut name = text(rule, "name").to_owned();
    if let Some(of_match) = entry.map(|entry| text(entry, "name")).filter(|name| !name.is_empty()) {
        name = format!("{name}.{of_match}");
    }
    route["name"] = name.into();
    if let Some(prefix) = entry.map(|entry| text(entry, "statPrefix")).filter(|prefix| !prefix.is_empty()) {
        route["stat_prefix"] = prefix.into();
    }
    let operations = headers::operations(rule.get("headers"))?;
    operations.put_on(&mut route);
    if let Some(redirect) = rule.get("redirect") {
        route["redirect"] = action::redirect(redirect, port)?;
    } else if let Some(direct) = rule.get("directResponse") {
        route["direct_response"] = action::direct_response(direct)?;
    } else {
        action::forward(&mut route, rule, namespace(service), operations.authority, port)?;
    }
    if let Some(fault) = rule.get("fault") {
        route["typed_per_filter_config"]["envoy.filters.http.fault"] = action::fault(fault)?;
    }
    if let Some(policy) = rule.get("corsPolicy") {
        route["typed_per_filter_config"]["envoy.filters.http.cors"] = cors::policy(policy)?;
    }
    Ok(route)
}

/// `IsCatchAllRoute`
pub(super) fn is_catch_all(route: &Value) -> bool {
    let matched = &route["match"];
    let everything = matched["prefix"] == "/" || matched["safe_regex"]["regex"] == ".*";
    everything
        && ["headers", "query_parameters", "dynamic_metadata"]
            .iter()
            .all(|list| items(matched, list).is_empty())
}
