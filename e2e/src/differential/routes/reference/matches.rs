//! `TranslateRouteMatch`

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::fields::{only, pairs};

/// `envoy.config.route.v3.RouteMatch`
pub(super) fn route_match(entry: Option<&Value>) -> Result<Value> {
    let Some(entry) = entry else { return Ok(json!({"prefix": "/"})) };
    only(
        entry,
        &[
            "name",
            "uri",
            "ignoreUriCase",
            "headers",
            "withoutHeaders",
            "queryParams",
            "method",
            "authority",
            "scheme",
            "port",
            "gateways",
            "sourceLabels",
            "sourceNamespace",
            "statPrefix",
        ],
    )?;
    let mut headers = Vec::new();
    let mut claims = Vec::new();
    for (name, value) in pairs(entry, "headers") {
        match claim(name) {
            Some(path) => claims.push(claim_match(&path, value)?),
            None => headers.push(header(name, value)?),
        }
    }
    for (name, value) in pairs(entry, "withoutHeaders") {
        if let Some(path) = claim(name) {
            let mut matched = claim_match(&path, value)?;
            matched["invert"] = true.into();
            claims.push(matched);
            continue;
        }
        let mut header = header(name, value)?;
        header["invert_match"] = true.into();
        if header.get("present_match").is_none() {
            header["treat_missing_header_as_empty"] = true.into();
        }
        headers.push(header);
    }
    headers.sort_by_key(|header| header["name"].to_string());
    for (field, name) in [("method", ":method"), ("authority", ":authority"), ("scheme", ":scheme")] {
        if let Some(value) = entry.get(field) {
            headers.push(header(name, value)?);
        }
    }
    let mut parameters = Vec::new();
    for (name, value) in pairs(entry, "queryParams") {
        parameters.push(match string_match(value)? {
            None => json!({"name": name, "present_match": true}),
            Some(value) => json!({"name": name, "string_match": value}),
        });
    }
    let mut matched = match entry.get("uri") {
        None => json!({"prefix": "/"}),
        Some(uri) => {
            match string_match(uri)?.as_ref().and_then(Value::as_object).and_then(|map| map.iter().next()) {
                Some((kind, value)) if kind == "exact" => json!({"path": value}),
                Some((kind, value)) => json!({kind: value}),
                None => json!({"prefix": "/"}),
            }
        }
    };
    matched["case_sensitive"] = (entry.get("ignoreUriCase") != Some(&Value::Bool(true))).into();
    matched["headers"] = headers.into();
    matched["query_parameters"] = parameters.into();
    matched["dynamic_metadata"] = claims.into();
    Ok(matched)
}

/// The path of the claim that `@request.auth.claims` names.
fn claim(name: &str) -> Option<Vec<String>> {
    let prefix = "@request.auth.claims";
    let (start, rest) =
        name.split_at_checked(prefix.len()).filter(|(start, _)| start.eq_ignore_ascii_case(prefix))?;
    let _ = start;
    let names: Vec<&str> = match rest.strip_prefix('.') {
        Some(dotted) => dotted.split('.').collect(),
        None => rest.strip_prefix('[')?.strip_suffix(']')?.split("][").collect(),
    };
    Some(names.into_iter().map(str::to_owned).collect())
}

/// `MetadataMatcherForJWTClaims`
fn claim_match(path: &[String], value: &Value) -> Result<Value> {
    let Some(text) = string_match(value)? else { bail!("a claim without a value to match") };
    let keys: Vec<_> = std::iter::once("payload")
        .chain(path.iter().map(String::as_str))
        .map(|key| json!({"key": key}))
        .collect();
    let one = json!({"string_match": text});
    let value = json!({"or_match": {"value_matchers": [one, {"list_match": {"one_of": one}}]}});
    Ok(json!({"filter": "envoy.filters.http.jwt_authn", "path": keys, "value": value}))
}

fn header(name: &str, value: &Value) -> Result<Value> {
    Ok(match string_match(value)? {
        None => json!({"name": name, "present_match": true}),
        Some(value) => json!({"name": name, "string_match": value}),
    })
}

/// `envoy.type.matcher.v3.StringMatcher`. `None`: whatever is there.
pub(super) fn string_match(value: &Value) -> Result<Option<Value>> {
    let Some(fields) = value.as_object() else { bail!("not a StringMatch: {value}") };
    let mut fields = fields.iter();
    let matched = match fields.next() {
        None => None,
        Some((kind, text)) => match kind.as_str() {
            "exact" | "prefix" => Some(json!({kind: text})),
            // No regex, but a sign for presence.
            "regex" if text == "*" => None,
            "regex" => Some(json!({"safe_regex": {"regex": text}})),
            _ => bail!("`{kind}` is not translated"),
        },
    };
    anyhow::ensure!(fields.next().is_none(), "a StringMatch has one kind");
    Ok(matched)
}
