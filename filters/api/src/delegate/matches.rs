//! What a request must fulfil that meets a delegating rule and a delegate's.

use std::fmt;

use crate::{
    ordered,
    types::{common::StringMatch, virtual_service::HttpMatchRequest},
};

/// A match of a delegate's rule that can't be narrowed by any of the delegating rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its place in `match`.
    pub index: usize,
    /// The field where it differs from the last match that was tried, such as `uri`.
    pub field: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "match[{}].{}", self.index, self.field)
    }
}

/// A match with its place in the delegate's rule.
type Placed = (HttpMatchRequest, Option<usize>);

/// Every pair of a root's match and a leaf's that go together, the leaf's order first. A list that is empty takes the
/// other as it is. One match of the leaf without any partner spoils the whole rule.
pub(super) fn merge(root: &[HttpMatchRequest], leaf: &[HttpMatchRequest]) -> Result<Vec<Placed>, Conflict> {
    if leaf.is_empty() {
        return Ok(root.iter().map(|entry| (entry.clone(), None)).collect());
    }
    let mut merged = Vec::new();
    for (index, narrow) in leaf.iter().enumerate() {
        let before = merged.len();
        let mut field = None;
        for wide in root {
            match conflict(wide, narrow) {
                Some(found) => field = Some(found),
                None => merged.push((both(wide, narrow), Some(index))),
            }
        }
        match field {
            _ if root.is_empty() => merged.push((narrow.clone(), Some(index))),
            Some(field) if merged.len() == before => return Err(Conflict { index, field }),
            _ => {}
        }
    }
    Ok(merged)
}

/// The field in which the two contradict each other, or in which the leaf is not narrower than the root.
fn conflict(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> Option<String> {
    let single = [
        ("uri", &root.uri, &leaf.uri),
        ("scheme", &root.scheme, &leaf.scheme),
        ("method", &root.method, &leaf.method),
        ("authority", &root.authority, &leaf.authority),
    ];
    for (field, root, leaf) in single {
        if let (Some(root), Some(leaf)) = (root, leaf)
            && !narrows(root, leaf)
        {
            return Some(field.to_owned());
        }
    }
    let of_maps = in_map("headers", &root.headers, &leaf.headers)
        .or_else(|| in_map("withoutHeaders", &root.without_headers, &leaf.without_headers))
        .or_else(|| in_map("queryParams", &root.query_params, &leaf.query_params));
    if of_maps.is_some() {
        return of_maps;
    }
    let labels = || {
        let mut pairs = leaf.source_labels.iter();
        pairs.any(|(key, value)| root.source_labels.get(key).is_some_and(|other| other != value))
    };
    let gateways = || {
        !root.gateways.is_empty()
            && (root.gateways.len() < leaf.gateways.len()
                || leaf.gateways.iter().any(|gateway| !root.gateways.contains(gateway)))
    };
    let field = if root.ignore_uri_case != leaf.ignore_uri_case {
        "ignoreUriCase"
    } else if matches!((root.port, leaf.port), (Some(root), Some(leaf)) if root != leaf) {
        "port"
    } else if root.source_namespace.is_some() && root.source_namespace != leaf.source_namespace {
        "sourceNamespace"
    } else if labels() {
        "sourceLabels"
    } else if gateways() {
        "gateways"
    } else {
        return None;
    };
    Some(field.to_owned())
}

/// Whether each value that `leaf` matches is one that `root` matches, as far as Istio looks: the same text, or a text
/// or prefix that begins with the root's prefix. Regexes, presence and empty texts go together with nothing.
fn narrows(root: &StringMatch, leaf: &StringMatch) -> bool {
    match (root, leaf) {
        (StringMatch::Exact(root), StringMatch::Exact(leaf)) => !root.is_empty() && root == leaf,
        (StringMatch::Prefix(root), StringMatch::Exact(leaf) | StringMatch::Prefix(leaf)) => {
            !root.is_empty() && !leaf.is_empty() && leaf.starts_with(root.as_str())
        }
        _ => false,
    }
}

fn in_map<K: PartialEq + fmt::Display>(
    field: &str,
    root: &[(K, StringMatch)],
    leaf: &[(K, StringMatch)],
) -> Option<String> {
    leaf.iter().find_map(|(key, leaf)| {
        let (_, root) = root.iter().find(|(known, _)| known == key)?;
        (!narrows(root, leaf)).then(|| format!("{field}[\"{key}\"]"))
    })
}

/// What both demand.
fn both(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> HttpMatchRequest {
    fn or<T: Clone>(leaf: &Option<T>, root: &Option<T>) -> Option<T> {
        leaf.as_ref().or(root.as_ref()).cloned()
    }
    fn union<K: Clone + Ord>(root: &[(K, StringMatch)], leaf: &[(K, StringMatch)]) -> Vec<(K, StringMatch)> {
        let mut all = leaf.to_vec();
        let only_root = root.iter().filter(|(key, _)| !leaf.iter().any(|(known, _)| known == key));
        all.extend(only_root.cloned());
        ordered::sort_by(&mut all, |(one, _), (other, _)| one.cmp(other));
        all
    }
    let mut source_labels = root.source_labels.clone();
    source_labels.extend(leaf.source_labels.iter().map(|(key, value)| (key.clone(), value.clone())));
    HttpMatchRequest {
        name: joined(root.name.as_deref(), leaf.name.as_deref()),
        uri: or(&leaf.uri, &root.uri),
        scheme: or(&leaf.scheme, &root.scheme),
        method: or(&leaf.method, &root.method),
        authority: or(&leaf.authority, &root.authority),
        headers: union(&root.headers, &leaf.headers),
        without_headers: union(&root.without_headers, &leaf.without_headers),
        query_params: union(&root.query_params, &leaf.query_params),
        port: leaf.port.or(root.port),
        gateways: if leaf.gateways.is_empty() { root.gateways.clone() } else { leaf.gateways.clone() },
        source_labels,
        source_namespace: or(&leaf.source_namespace, &root.source_namespace),
        ignore_uri_case: leaf.ignore_uri_case,
        stat_prefix: or(&leaf.stat_prefix, &root.stat_prefix),
    }
}

/// `root-leaf`, or the one there is.
pub(super) fn joined(root: Option<&str>, leaf: Option<&str>) -> Option<String> {
    match (root, leaf) {
        (Some(root), Some(leaf)) => Some(format!("{root}-{leaf}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}
