//! Requests that both sides forward, and that mean the same though they are written in another way.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use serde_json::Value;

use super::{Answer, Configuration, Request, fields, reference};

const QUERY: &str = "the rest of the query as the client wrote it";
const CLAIMS: &str = "lists and objects in headers as compact JSON";

/// What they differ in; `None` if that is not all.
pub(super) fn names(
    configuration: &Configuration,
    request: &Request,
    ours: &Answer,
    native: &Answer,
) -> Option<Vec<&'static str>> {
    // What Envoy has decoded may be what no path can have.
    if native.status == 503 && native.body == [b"invalid header value for: :path"] && ours.body.len() > 1 {
        return Some(vec![QUERY]);
    }
    let mut names = Vec::new();
    let mut mended = ours.clone();
    // The upstream's name, the request line, headers.
    let (Some(line), Some(native_line)) = (mended.body.get_mut(1), native.body.get(1)) else { return None };
    if line != native_line {
        *line = rewritten(&request.target, line)?;
        names.push(QUERY);
    }
    let written = written(configuration);
    for (line, native) in mended.body.iter_mut().zip(&native.body).skip(2) {
        if line != native && written.iter().any(|name| is_same_claim(name, line, native)) {
            line.clone_from(native);
            names.push(CLAIMS);
        }
    }
    names.dedup();
    (mended == *native).then_some(names)
}

/// Whether nothing differs but what rules write and take out.
pub(super) fn only_rules_differ(configuration: &Configuration, ours: &Answer, native: &Answer) -> bool {
    let mut touched = written(configuration);
    for rule in reference::rules(configuration).unwrap_or_default() {
        touched.extend(rule["outputPayloadToHeader"].as_str().map(str::to_ascii_lowercase));
        let places = fields::items(rule, "fromHeaders").iter();
        touched.extend(places.map(|place| fields::text(place, "name").to_ascii_lowercase()));
    }
    touched.push("authorization".to_owned());
    let untouched = |answer: &Answer| {
        let mut kept = answer.clone();
        // The request line has the parameters.
        if kept.body.len() > 1 {
            kept.body.remove(1);
        }
        kept.body.retain(|line| {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            !touched.iter().any(|touched| touched.as_bytes() == name)
        });
        kept
    };
    ours.body.len() > 1 && untouched(ours) == untouched(native)
}

/// The request line that Envoy makes of a request to `target`, of which `line` is ours: the parameters that ours still
/// has, decoded and sorted by name.
fn rewritten(target: &[u8], line: &[u8]) -> Option<Vec<u8>> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, ours, version) = (words.next()?, words.next()?, words.next()?);
    let kept: Vec<Vec<u8>> = parameters(ours).into_iter().map(|(name, _)| name).collect();
    let mut sorted: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in parameters(target) {
        if name.is_empty() || kept.contains(&name) {
            sorted.entry(name).or_default().push(value);
        }
    }
    let mut path = ours.split(|byte| *byte == b'?').next()?.to_vec();
    let pairs = sorted.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    for (index, (name, value)) in pairs.enumerate() {
        path.push(if index == 0 { b'?' } else { b'&' });
        path.extend([name, &b"="[..], value].concat());
    }
    Some([method, &path, version].join(&b' '))
}

/// Names and values of the query, decoded.
fn parameters(target: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let Some(at) = target.iter().position(|byte| *byte == b'?') else { return Vec::new() };
    let decoded = |text: &[u8]| percent_decode(text).collect();
    let mut pairs: Vec<&[u8]> = target[at + 1..].split(|byte| *byte == b'&').collect();
    // What stands after the last `&` is no parameter if it is nothing.
    if pairs.last().is_some_and(|last| last.is_empty()) {
        pairs.pop();
    }
    let pair = |pair: &[u8]| {
        let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len()));
        (decoded(name), decoded(value.get(1..).unwrap_or_default()))
    };
    pairs.into_iter().map(pair).collect()
}

/// The headers that claims go into.
fn written(configuration: &Configuration) -> Vec<String> {
    let rules = reference::rules(configuration).unwrap_or_default();
    let claims = rules.into_iter().flat_map(|rule| fields::items(rule, "outputClaimToHeaders"));
    claims.map(|claim| fields::text(claim, "header").to_ascii_lowercase()).collect()
}

/// Whether two lines of the header `name` hold the same list or object.
fn is_same_claim(name: &str, ours: &[u8], native: &[u8]) -> bool {
    let value = |line: &[u8]| {
        let text = line.strip_prefix(name.as_bytes())?.strip_prefix(b": ")?;
        serde_json::from_slice::<Value>(&STANDARD.decode(text).ok()?).ok()
    };
    let (Some(ours), Some(native)) = (value(ours), value(native)) else { return false };
    (ours.is_array() || ours.is_object()) && doubles(ours) == doubles(native)
}

/// With every number as a double, which is what Envoy keeps.
fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(doubles).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, doubles(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sorted_and_decoded() {
        for (target, ours, native) in [
            ("/p?b=1&t=x&a=%26", "/p?b=1&a=%26", "/p?a=&&b=1"),
            ("/p?z&t=x&b=2&b=1", "/p?z&b=2&b=1", "/p?b=2&b=1&z="),
            ("/p?t=x", "/p", "/p"),
            ("/p?t=x&&a", "/p?a", "/p?=&a="),
        ] {
            let line = |path: &str| format!("GET {path} HTTP/1.1").into_bytes();
            assert_eq!(rewritten(target.as_bytes(), &line(ours)), Some(line(native)), "{target}");
        }
    }

    #[test]
    fn claims_are_compared_by_what_they_mean() {
        let line = |json: &str| format!("x-a: {}", STANDARD.encode(json)).into_bytes();
        for (ours, native, same) in [
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r"[9007199254740993]", r"[9007199254740992]", true),
            (r#"{"a":1}"#, r#"{"a":2}"#, false),
            (r#"["a"]"#, r#"["b"]"#, false),
            ("1", "1.0", false),
        ] {
            assert_eq!(is_same_claim("x-a", &line(ours), &line(native)), same, "{ours} {native}");
        }
        assert!(!is_same_claim("x-b", &line("[1]"), &line("[1.0]")));
    }
}
