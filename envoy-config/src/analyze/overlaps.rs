//! Rules of a VirtualService that are never reached, and matches that an earlier one covers.

use std::collections::HashMap;

use outrigger_api::types::common::StringMatch;
use outrigger_api::types::virtual_service::HttpMatchRequest;
use outrigger_api::{Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};

/// Looks at each VirtualService by itself.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        if let Spec::VirtualService(service) = &resource.spec {
            check_rules(resource, service.http.iter().map(|rule| rule.matches.as_slice()), findings);
        }
    }
}

/// A match with its rule and its index in there.
struct Earlier<'m> {
    rule: usize,
    index: usize,
    entry: &'m HttpMatchRequest,
}

fn check_rules<'m>(
    resource: &Resource,
    rules: impl ExactSizeIterator<Item = &'m [HttpMatchRequest]>,
    findings: &mut Vec<Finding>,
) {
    let last = rules.len().saturating_sub(1);
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    let mut prefixes: Vec<Earlier<'m>> = Vec::new();
    for (rule, matches) in rules.enumerate() {
        if matches.is_empty() && rule < last {
            let path = format!("spec.http[{}]", rule.saturating_add(1));
            let message =
                format!("never reached: the rule before it (spec.http[{rule}]) matches every request");
            let hint = "move the rule without `match` to the end".to_owned();
            findings.push(
                Finding::new(codes::UNREACHABLE_RULE, Level::Warning, resource, &path, message).hint(hint),
            );
            return;
        }
        let mut repeated = 0usize;
        for (index, entry) in matches.iter().enumerate() {
            let unnamed = HttpMatchRequest { name: None, ..entry.clone() };
            let path = format!("spec.http[{rule}].match[{index}]");
            let before = *seen.entry(format!("{unnamed:?}")).or_insert((rule, index));
            let message = if before != (rule, index) {
                repeated = repeated.saturating_add(1);
                Some(format!("repeats spec.http[{}].match[{}], so it never matches", before.0, before.1))
            } else {
                let cover =
                    prefixes.iter().find(|earlier| earlier.rule < rule && covers(earlier.entry, entry));
                cover.map(|earlier| {
                    format!(
                        "never matches: the prefix of spec.http[{}].match[{}] covers it",
                        earlier.rule, earlier.index
                    )
                })
            };
            if let Some(message) = message {
                let code = codes::INEFFECTIVE_MATCH;
                findings.push(Finding::new(code, Level::Info, resource, &path, message));
            }
            if matches!(entry.uri, Some(StringMatch::Prefix(_))) {
                prefixes.push(Earlier { rule, index, entry });
            }
        }
        if repeated > 0 && repeated == matches.len() {
            let path = format!("spec.http[{rule}]");
            let message = "never reached: earlier rules have all of its matches".to_owned();
            findings.push(Finding::new(codes::UNREACHABLE_RULE, Level::Warning, resource, &path, message));
        }
    }
}

/// Whether each request that `later` matches is matched by `earlier`, which has a uri prefix. All else that `earlier`
/// asks for, `later` must ask for in the same words.
fn covers(earlier: &HttpMatchRequest, later: &HttpMatchRequest) -> bool {
    let (Some(StringMatch::Prefix(prefix)), Some(StringMatch::Prefix(uri) | StringMatch::Exact(uri))) =
        (&earlier.uri, &later.uri)
    else {
        return false;
    };
    let begins = uri.starts_with(prefix)
        || earlier.ignore_uri_case && uri.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase());
    fn same<T: PartialEq>(earlier: &[T], later: &[T]) -> bool {
        earlier.iter().all(|asked| later.contains(asked))
    }
    fn absent_or_same<T: PartialEq>(earlier: &Option<T>, later: &Option<T>) -> bool {
        earlier.is_none() || earlier == later
    }
    begins
        && (earlier.ignore_uri_case || !later.ignore_uri_case)
        && absent_or_same(&earlier.port, &later.port)
        && absent_or_same(&earlier.method, &later.method)
        && absent_or_same(&earlier.scheme, &later.scheme)
        && absent_or_same(&earlier.authority, &later.authority)
        && absent_or_same(&earlier.source_namespace, &later.source_namespace)
        && same(&earlier.headers, &later.headers)
        && same(&earlier.without_headers, &later.without_headers)
        && same(&earlier.query_params, &later.query_params)
        && earlier.source_labels.iter().all(|(key, value)| later.source_labels.get(key) == Some(value))
        && earlier.gateways == later.gateways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(uri: &str) -> HttpMatchRequest {
        HttpMatchRequest { uri: Some(StringMatch::Prefix(uri.to_owned())), ..HttpMatchRequest::default() }
    }

    #[test]
    fn a_prefix_covers_longer_ones_with_the_same_conditions_or_more() {
        let exact = HttpMatchRequest { uri: Some(StringMatch::Exact("/a/b".into())), ..Default::default() };
        let with_port = |mut entry: HttpMatchRequest| {
            entry.port = Some(80);
            entry
        };
        for (earlier, later, covered) in [
            (prefix("/a"), prefix("/a/b"), true),
            (prefix("/a"), exact.clone(), true),
            (prefix("/a"), prefix("/b"), false),
            (prefix("/a/b"), prefix("/a"), false),
            (prefix("/a"), with_port(prefix("/a/b")), true),
            (with_port(prefix("/a")), prefix("/a/b"), false),
            (exact.clone(), exact, false),
            (prefix("/a"), HttpMatchRequest::default(), false),
            (prefix("/A"), prefix("/a"), false),
            (HttpMatchRequest { ignore_uri_case: true, ..prefix("/A") }, prefix("/a"), true),
            (prefix("/a"), HttpMatchRequest { ignore_uri_case: true, ..prefix("/ab") }, false),
        ] {
            assert_eq!(covers(&earlier, &later), covered, "{earlier:?} {later:?}");
        }
    }
}
