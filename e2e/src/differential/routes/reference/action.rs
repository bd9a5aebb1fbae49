//! `applyHTTPRouteDestination`, `ApplyRedirect`, `ApplyDirectResponse`, `TranslateFault`

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::cluster::{self, cluster_name};
use super::fields::{items, only, text};
use super::{headers, retries};

/// Gives `route` the action that forwards. `authority`: by the rule's header changes.
pub(super) fn forward(
    route: &mut Value,
    rule: &Value,
    namespace: &str,
    mut authority: Option<String>,
    port: u16,
) -> Result<()> {
    let timeout = rule.get("timeout").and_then(Value::as_str);
    let timeout = timeout.map_or(Ok("0s".to_owned()), seconds)?;
    let mut action = json!({"timeout": timeout, "max_grpc_timeout": timeout});
    if let Some(rewrite) = rule.get("rewrite") {
        only(rewrite, &["uri", "uriRegexRewrite", "authority"])?;
        if let Some(regex) = rewrite.get("uriRegexRewrite") {
            let pattern = json!({"regex": regex["match"]});
            action["regex_rewrite"] = json!({"pattern": pattern, "substitution": regex["rewrite"]});
        } else if !text(rewrite, "uri").is_empty() {
            action["prefix_rewrite"] = rewrite["uri"].clone();
        }
        let own = text(rewrite, "authority");
        if !own.is_empty() {
            authority = Some(own.to_owned());
        }
    }
    if let Some(authority) = authority {
        action["host_rewrite_literal"] = authority.into();
    }
    let mirrors = mirrors(rule, namespace, port)?;
    if !mirrors.is_empty() {
        action["request_mirror_policies"] = mirrors.into();
    }
    let destinations = items(rule, "route");
    // Of several destinations only those with a share count.
    let counted = destinations.iter().filter(|entry| destinations.len() == 1 || weight(entry) > 0);
    let mut hashes: Vec<_> = counted.filter_map(|entry| cluster::hash(&entry["destination"])).collect();
    // Istio has the hash of each destination on the route, and Envoy combines them; with us each destination hashes by its
    // own (docs/routing.md), which for one header is what a single policy does.
    hashes.dedup();
    action["retry_policy"] =
        retries::policy(rule.get("retries"), destinations.len() == 1 && !hashes.is_empty())?;
    if !hashes.is_empty() {
        let policy = |name: &&str| json!({"header": {"header_name": name}});
        action["hash_policy"] = hashes.iter().map(policy).collect::<Vec<_>>().into();
    }
    ensure!(!destinations.is_empty(), "a rule without an action");
    if let [only] = destinations {
        let (cluster, operations) = destination(only, namespace, port)?;
        action["cluster"] = cluster.into();
        operations.put_on(route);
        if let (Some(authority), None) = (operations.authority, action.get("host_rewrite_literal")) {
            action["host_rewrite_literal"] = authority.into();
        }
    } else {
        let mut clusters = Vec::new();
        for entry in destinations.iter().filter(|entry| weight(entry) > 0) {
            let (cluster, operations) = destination(entry, namespace, port)?;
            let mut weighted = json!({"name": cluster, "weight": weight(entry)});
            operations.put_on(&mut weighted);
            if let Some(authority) = operations.authority {
                weighted["host_rewrite_literal"] = authority.into();
            }
            clusters.push(weighted);
        }
        action["weighted_clusters"] = json!({"clusters": clusters});
    }
    route["route"] = action;
    Ok(())
}

fn destination(entry: &Value, namespace: &str, port: u16) -> Result<(String, headers::Operations)> {
    only(entry, &["destination", "weight", "headers"])?;
    Ok((cluster_name(&entry["destination"], namespace, port)?, headers::operations(entry.get("headers"))?))
}

/// The weight of a destination.
pub(super) fn weight(entry: &Value) -> u64 {
    entry.get("weight").and_then(Value::as_u64).unwrap_or(0)
}

/// `MirrorPercent`, `TranslateRequestMirrorPolicy`
fn mirrors(rule: &Value, namespace: &str, port: u16) -> Result<Vec<Value>> {
    let mut mirrors = Vec::new();
    let all = json!({"numerator": 100, "denominator": "HUNDRED"});
    let mut add = |destination: &Value, share: Value| -> Result<()> {
        if share["numerator"] != 0 {
            let cluster = cluster_name(destination, namespace, port)?;
            mirrors.push(json!({
                "cluster": cluster, "runtime_fraction": {"default_value": share}, "trace_sampled": false,
                "disable_shadow_host_suffix_append": true,
            }));
        }
        Ok(())
    };
    if let Some(destination) = rule.get("mirror") {
        let share = match (rule.get("mirrorPercentage"), rule.get("mirrorPercent")) {
            (Some(share), _) => percentage(share),
            (None, Some(share)) => json!({"numerator": share, "denominator": "HUNDRED"}),
            (None, None) => all.clone(),
        };
        add(destination, share)?;
    }
    for mirror in items(rule, "mirrors") {
        only(mirror, &["destination", "percentage"])?;
        add(&mirror["destination"], mirror.get("percentage").map_or_else(|| all.clone(), percentage))?;
    }
    Ok(mirrors)
}

/// `envoy.config.route.v3.RedirectAction`
pub(super) fn redirect(redirect: &Value, listener: u16) -> Result<Value> {
    only(redirect, &["uri", "prefixRewrite", "authority", "port", "derivePort", "scheme", "redirectCode"])?;
    let mut action = json!({"host_redirect": text(redirect, "authority")});
    match redirect.get("prefixRewrite") {
        Some(prefix) => action["prefix_rewrite"] = prefix.clone(),
        None => action["path_redirect"] = text(redirect, "uri").into(),
    }
    let scheme = text(redirect, "scheme");
    if !scheme.is_empty() {
        action["scheme_redirect"] = scheme.into();
    }
    let port = match (redirect.get("port").and_then(Value::as_u64), text(redirect, "derivePort")) {
        (Some(port), _) => port,
        (None, "FROM_REQUEST_PORT") => listener.into(),
        (None, _) => 0,
    };
    let own = match if scheme.is_empty() { "http" } else { scheme } {
        "http" => 80,
        _ => 443,
    };
    if port != 0 && port != own {
        action["port_redirect"] = port.into();
    }
    action["response_code"] = match redirect.get("redirectCode").and_then(Value::as_u64) {
        None | Some(301) => "MOVED_PERMANENTLY",
        Some(302) => "FOUND",
        Some(303) => "SEE_OTHER",
        Some(307) => "TEMPORARY_REDIRECT",
        Some(308) => "PERMANENT_REDIRECT",
        Some(code) => bail!("the redirect code {code} is not translated"),
    }
    .into();
    Ok(action)
}

/// `envoy.config.route.v3.DirectResponseAction`
pub(super) fn direct_response(direct: &Value) -> Result<Value> {
    only(direct, &["status", "body"])?;
    let mut action = json!({"status": direct["status"]});
    if let Some(body) = direct.get("body") {
        only(body, &["string", "bytes"])?;
        action["body"] = match body.get("string") {
            Some(text) => json!({"inline_string": text}),
            None => json!({"inline_bytes": body["bytes"]}),
        };
    }
    Ok(action)
}

/// `envoy.extensions.filters.http.fault.v3.HTTPFault`
pub(super) fn fault(fault: &Value) -> Result<Value> {
    only(fault, &["delay", "abort"])?;
    let mut filter = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"});
    if let Some(delay) = fault.get("delay") {
        only(delay, &["fixedDelay", "percentage"])?;
        filter["delay"] = json!({"fixed_delay": seconds(text(delay, "fixedDelay"))?});
        // Without a percentage istiod falls back to `percent`, and that is 0.
        filter["delay"]["percentage"] =
            delay.get("percentage").map_or_else(|| percentage(&json!({})), percentage);
    }
    if let Some(abort) = fault.get("abort") {
        only(abort, &["httpStatus", "grpcStatus", "percentage"])?;
        filter["abort"] = match abort.get("grpcStatus").and_then(Value::as_str) {
            Some(name) => json!({"grpc_status": grpc_status(name)?}),
            None => json!({"http_status": abort["httpStatus"]}),
        };
        if let Some(share) = abort.get("percentage") {
            filter["abort"]["percentage"] = percentage(share);
        }
    }
    Ok(filter)
}

/// `translatePercentToFractionalPercent`
fn percentage(percentage: &Value) -> Value {
    let value = percentage.get("value").and_then(Value::as_f64).unwrap_or(0.0);
    json!({"numerator": (value * 10_000.0) as u64, "denominator": "MILLION"})
}

fn grpc_status(name: &str) -> Result<u32> {
    Ok(match name {
        "OK" => 0,
        "NOT_FOUND" => 5,
        "UNAVAILABLE" => 14,
        "DATA_LOSS" => 15,
        _ => bail!("the gRPC status {name} is not translated"),
    })
}

/// A duration as protobuf's JSON has it: in seconds.
pub(super) fn seconds(text: &str) -> Result<String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .ok_or_else(|| anyhow::anyhow!("the duration {text} is not translated"))?;
    Ok(format!("{:.3}s", number.parse::<f64>()? * factor))
}
