//! The resources read in order, as Istio's documents say it.

use outrigger_api::Spec;
use outrigger_api::host::HostPattern;
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest, HttpRoute, RouteAction};

use super::*;

/// Whether a request meets all demands of an entry, by Istio's words.
fn fits(entry: &HttpMatchRequest, request: &Request<'_>, regexes: &Regexes) -> bool {
    let lines = |key: &HeaderKey| -> Vec<Vec<u8>> {
        let HeaderKey::Name(name) = key else { return Vec::new() };
        let name = if name == "host" { ":authority" } else { name };
        request
            .headers()
            .iter()
            .filter(|(known, _)| *known == name.as_bytes())
            .map(|(_, v)| v.to_vec())
            .collect()
    };
    let path = match &entry.uri {
        None | Some(StringMatch::Present) => request.path().starts_with(b"/"),
        Some(uri) => {
            let fold = entry.ignore_uri_case && !matches!(uri, StringMatch::Regex(_));
            regexes.matches(uri, request.path(), fold)
        }
    };
    let pseudo = |value: &[u8], spec: &Option<StringMatch>| {
        spec.as_ref().is_none_or(|spec| regexes.matches(spec, value, false))
    };
    path && pseudo(request.method(), &entry.method)
        && pseudo(request.authority(), &entry.authority)
        && pseudo(request.scheme(), &entry.scheme)
        && entry
            .headers
            .iter()
            .all(|(key, spec)| lines(key).iter().any(|line| regexes.matches(spec, line, false)))
        && entry.without_headers.iter().all(|(key, spec)| match (spec, lines(key).as_slice()) {
            (StringMatch::Present, lines) => lines.is_empty(),
            (spec, []) => !regexes.matches(spec, b"", false),
            (spec, lines) => !lines.iter().any(|line| regexes.matches(spec, line, false)),
        })
        && entry.query_params.iter().all(|(name, spec)| {
            request.query_parameter(name.as_bytes()).is_some_and(|value| regexes.matches(spec, value, false))
        })
}

fn is_catch_all(entry: &HttpMatchRequest) -> bool {
    let every_path = match &entry.uri {
        None | Some(StringMatch::Present) => true,
        Some(StringMatch::Prefix(prefix)) => prefix == "/",
        Some(StringMatch::Regex(source)) => source.as_str() == ".*",
        Some(StringMatch::Exact(_)) => false,
    };
    let HttpMatchRequest { headers, without_headers, query_params, method, authority, scheme, .. } = entry;
    every_path
        && headers.is_empty()
        && without_headers.is_empty()
        && query_params.is_empty()
        && method.is_none()
        && authority.is_none()
        && scheme.is_none()
}

/// Matches that must all hold, those of a delegate last; the rule that they lead to and the match that it names.
type Reading<'r> = (Vec<&'r HttpMatchRequest>, String, Option<usize>);

/// What a VirtualService says, delegates in place of the rules that delegate.
fn readings<'r>(
    resource: &'r Resource,
    http: &'r [HttpRoute],
    resources: &'r [Resource],
) -> Vec<Reading<'r>> {
    let mut all = Vec::new();
    for (rule, route) in http.iter().enumerate() {
        match &route.action {
            RouteAction::Delegate(delegate) => {
                let leaf = resources.iter().find(|other| other.meta.name == delegate.name);
                let Some(leaf) = leaf else { continue };
                let Spec::VirtualService(service) = &leaf.spec else { continue };
                for (rule, narrow) in service.http.iter().enumerate() {
                    let name = format!("{}/{rule}", leaf.id());
                    all.extend(pairs(&route.matches, &narrow.matches, &name));
                }
            }
            _ => all.extend(pairs(&[], &route.matches, &format!("{}/{rule}", resource.id()))),
        }
    }
    all
}

/// The matches of a leaf's rule, each with those of the root's which it is within; none at all if one has no such.
fn pairs<'r>(root: &'r [HttpMatchRequest], leaf: &'r [HttpMatchRequest], name: &str) -> Vec<Reading<'r>> {
    let reading = |entries, index| (entries, name.to_owned(), index);
    if leaf.is_empty() && root.is_empty() {
        return vec![reading(Vec::new(), None)];
    }
    if leaf.is_empty() {
        return root.iter().map(|wide| reading(vec![wide], None)).collect();
    }
    let mut all = Vec::new();
    for (index, narrow) in leaf.iter().enumerate() {
        let partners: Vec<_> = root.iter().filter(|wide| compatible(wide, narrow)).collect();
        if root.is_empty() {
            all.push(reading(vec![narrow], Some(index)));
        } else if partners.is_empty() {
            return Vec::new();
        }
        all.extend(partners.into_iter().map(|wide| reading(vec![wide, narrow], Some(index))));
    }
    all
}

/// Whether a leaf's match is within a root's.
fn compatible(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> bool {
    let within = |root: &StringMatch, leaf: &StringMatch| match (root, leaf) {
        (StringMatch::Exact(one), StringMatch::Exact(other)) => one == other && !one.is_empty(),
        (StringMatch::Prefix(one), StringMatch::Exact(other) | StringMatch::Prefix(other)) => {
            !one.is_empty() && other.starts_with(one.as_str())
        }
        _ => false,
    };
    let texts = [(&root.uri, &leaf.uri), (&root.method, &leaf.method), (&root.authority, &leaf.authority)];
    let maps = [(&root.headers, &leaf.headers), (&root.without_headers, &leaf.without_headers)];
    let queries = leaf
        .query_params
        .iter()
        .all(|(key, leaf)| root.query_params.iter().all(|(other, root)| other != key || within(root, leaf)));
    queries
        && texts.into_iter().all(|pair| match pair {
            (Some(root), Some(leaf)) => within(root, leaf),
            _ => true,
        })
        && maps.into_iter().all(|(root, leaf)| {
            leaf.iter().all(|(key, leaf)| root.iter().all(|(other, root)| other != key || within(root, leaf)))
        })
        && root.ignore_uri_case == leaf.ignore_uri_case
        && (root.port.is_none() || leaf.port.is_none() || root.port == leaf.port)
}

/// Whether a request meets all of the matches. Of the same `withoutHeaders` in two the last counts alone: it forbids less.
fn fits_all(entries: &[&HttpMatchRequest], request: &Request<'_>, regexes: &Regexes) -> bool {
    entries.iter().enumerate().all(|(at, entry)| {
        let later = entries.iter().skip(at + 1).flat_map(|later| &later.without_headers);
        let mut entry = (*entry).clone();
        entry.without_headers.retain(|(key, _)| !later.clone().any(|(other, _)| other == key));
        fits(&entry, request, regexes)
    })
}

/// The rule (`vs/rule`) and the match that a reading in order finds.
pub(super) fn read(
    resources: &[Resource],
    request: &Request<'_>,
    regexes: &Regexes,
) -> Option<(String, Option<usize>)> {
    let mut services: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::VirtualService(service) if !service.hosts.is_empty() => Some((resource, service)),
            _ => None,
        })
        .collect();
    services.sort_by_key(|(resource, _)| (resource.meta.creation_timestamp, resource.meta.name.clone()));
    // The routes of each VirtualService, up to its first catch-all.
    let routes = services.iter().map(|(resource, service)| {
        let mut routes = readings(resource, &service.http, resources);
        routes.retain(|(entries, ..)| entries.iter().all(|entry| entry.port.is_none_or(|port| port == PORT)));
        let end = routes.iter().position(|(entries, ..)| entries.iter().all(|entry| is_catch_all(entry)));
        routes.truncate(end.map_or(routes.len(), |end| end + 1));
        (&service.hosts, routes)
    });
    let routes: Vec<_> = routes.filter(|(_, routes)| !routes.is_empty()).collect();
    let host = String::from_utf8_lossy(request.host()).to_ascii_lowercase();
    let covering = routes.iter().flat_map(|(hosts, _)| hosts.iter()).filter(|pattern| pattern.covers(&host));
    let best: &HostPattern = covering.min_by(|one, other| one.by_specificity(other))?;
    let of_host = routes.iter().filter(|(hosts, _)| hosts.contains(best));
    let mut of_host: Vec<_> = of_host.flat_map(|(_, routes)| routes).collect();
    of_host.sort_by_key(|(entries, ..)| entries.iter().all(|entry| is_catch_all(entry)));
    let found = of_host.iter().find(|(entries, ..)| {
        // Without any match the path must begin with a slash all the same.
        request.path().starts_with(b"/") && fits_all(entries, request, regexes)
    })?;
    Some((found.1.clone(), found.2))
}
