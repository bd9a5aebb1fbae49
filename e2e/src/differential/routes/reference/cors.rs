//! `TranslateCORSPolicy`

use anyhow::Result;
use serde_json::{Value, json};

use super::fields::{items, only, text};
use super::matches::string_match;

/// `envoy.extensions.filters.http.cors.v3.CorsPolicy`
pub(super) fn policy(policy: &Value) -> Result<Value> {
    only(
        policy,
        &[
            "allowOrigins",
            "allowMethods",
            "allowHeaders",
            "exposeHeaders",
            "maxAge",
            "allowCredentials",
            "unmatchedPreflights",
        ],
    )?;
    let mut origins = Vec::new();
    for origin in items(policy, "allowOrigins") {
        origins.extend(string_match(origin)?);
    }
    let list = |field: &str| {
        let names: Vec<&str> = items(policy, field).iter().filter_map(Value::as_str).collect();
        names.join(",")
    };
    let mut filter = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "filter_enabled": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
        "forward_not_matching_preflights": text(policy, "unmatchedPreflights") != "IGNORE",
        "allow_origin_string_match": origins,
        "allow_methods": list("allowMethods"),
        "allow_headers": list("allowHeaders"),
        "expose_headers": list("exposeHeaders"),
    });
    if let Some(credentials) = policy.get("allowCredentials") {
        filter["allow_credentials"] = credentials.clone();
    }
    let age = text(policy, "maxAge");
    if !age.is_empty() {
        let factor = if age.ends_with('h') { 3600 } else { 1 };
        let number: u64 = age[..age.len() - 1].parse()?;
        filter["max_age"] = (number * factor).to_string().into();
    }
    Ok(filter)
}
