//! From the `match` entries of a rule to what the index files.

use outrigger_api::Resource;
use outrigger_api::delegate::EffectiveRoute;
use outrigger_api::select::match_applies;
use outrigger_api::types::common::{GatewayRef, StringMatch};
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest};

use super::compile::Compiler;
use super::condition::Condition;
use super::path_match::PathMatch;
use super::refusal;
use super::virtual_host::Entry;

/// The entries of a rule that count on `gateway` and, unless it is a sidecar's, on the server's `port`.
pub(super) fn entries(
    compiler: &mut Compiler<'_>,
    effective: &EffectiveRoute<'_>,
    gateway: &GatewayRef,
    port: Option<u16>,
    rule: usize,
) -> Vec<Entry> {
    let EffectiveRoute { resource, route, .. } = effective;
    if route.matches.is_empty() {
        let path = PathMatch::prefix(b"/", false);
        return vec![Entry { rule, match_index: None, path, conditions: Vec::new() }];
    }
    let mut entries = Vec::new();
    for (matched, index) in route.matches.iter().zip(&effective.match_indexes) {
        let (resource, path) = match (index, effective.root) {
            (Some(index), _) => (*resource, format!("spec.http[{}].match[{index}]", effective.index)),
            // The matches are the delegating rule's.
            (None, Some(root)) => (root.resource, format!("spec.http[{}].match", root.index)),
            (None, None) => (*resource, format!("spec.http[{}].match", effective.index)),
        };
        let entry = entry(compiler, resource, matched, &path, port, (rule, *index));
        let on_port = matched.port.is_none() || port.is_none() || matched.port == port;
        if on_port && match_applies(matched, std::slice::from_ref(gateway), compiler.proxy) {
            entries.extend(entry);
        }
    }
    entries
}

fn entry(
    compiler: &mut Compiler<'_>,
    resource: &Resource,
    matched: &HttpMatchRequest,
    path: &str,
    port: Option<u16>,
    (rule, match_index): (usize, Option<usize>),
) -> Option<Entry> {
    let mut found = Vec::new();
    let mut keep = |result: Result<Condition, String>, field: String| match result {
        Ok(condition) => found.push(condition),
        Err(message) => compiler.problems.push(unusable(resource, &field, message)),
    };
    for (field, entries, without) in
        [("headers", &matched.headers, false), ("withoutHeaders", &matched.without_headers, true)]
    {
        for (key, spec) in entries {
            let condition = match (key, without) {
                (HeaderKey::Name(name), false) => Condition::header(name, spec),
                (HeaderKey::Name(name), true) => Condition::without_header(name, spec),
                (HeaderKey::Claim(claim), _) => Condition::claim(claim, spec, without),
            };
            keep(condition, format!("{path}.{field}[\"{key}\"]"));
        }
    }
    let pseudo: [(&str, &str, &Option<StringMatch>); 3] = [
        (":method", "method", &matched.method),
        (":authority", "authority", &matched.authority),
        (":scheme", "scheme", &matched.scheme),
    ];
    for (name, field, spec) in pseudo {
        if let Some(spec) = spec {
            keep(Condition::header(name, spec), format!("{path}.{field}"));
        }
    }
    for (name, spec) in &matched.query_params {
        keep(Condition::query(name, spec), format!("{path}.queryParams[\"{name}\"]"));
    }
    // A gateway's server has one port, so there the question is settled.
    if let (Some(wanted), None) = (matched.port, port) {
        found.push(Condition::port(wanted));
    }
    match PathMatch::new(matched.uri.as_ref(), matched.ignore_uri_case) {
        Ok(path) => Some(Entry { rule, match_index, path, conditions: found }),
        Err(message) => {
            compiler.problems.push(unusable(resource, &format!("{path}.uri.regex"), message));
            None
        }
    }
}

fn unusable(resource: &Resource, path: &str, message: String) -> outrigger_api::Problem {
    refusal::refusal(resource, path, message, "use RE2's syntax, as Envoy does")
}
