//! Which earlier match covers a later one, found without comparing each with each.

use std::collections::{BTreeSet, HashMap};

use outrigger_api::types::common::StringMatch;
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest};

/// Where a match stands: its rule, and its index in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) rule: usize,
    pub(super) index: usize,
}

impl Place {
    /// The path of the field, in `spec.http` or another list.
    pub(super) fn path(self, list: &str) -> String {
        format!("spec.{list}[{}].match[{}]", self.rule, self.index)
    }
}

/// One thing a match asks for beside the path. Whatever covers a match asks for nothing else than that match does, so
/// it is found under one of the things that the match asks for, or under `Nothing`.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Condition<'m> {
    Nothing,
    Header(&'m (HeaderKey, StringMatch)),
    WithoutHeader(&'m (HeaderKey, StringMatch)),
    Query(&'m (String, StringMatch)),
    Method(&'m StringMatch),
    Authority(&'m StringMatch),
    Scheme(&'m StringMatch),
    Port(u16),
}

/// Matches that are about one prefix, each under the first thing it asks for beside.
type ByCondition<'m> = HashMap<Condition<'m>, Vec<(Place, &'m HttpMatchRequest)>>;

/// The matches so far.
#[derive(Debug, Default)]
pub(super) struct Covers<'m> {
    /// By prefix, in lower case where case does not matter, then by one of the conditions.
    earlier: HashMap<(String, bool), ByCondition<'m>>,
    /// Lengths of the prefixes.
    lengths: BTreeSet<usize>,
}

impl<'m> Covers<'m> {
    /// The first earlier match that covers this one; from now on this one is among them, if it `takes` what it matches.
    pub(super) fn next(&mut self, place: Place, entry: &'m HttpMatchRequest, takes: bool) -> Option<Place> {
        let found = self.find(entry);
        if let Some(prefix) = prefix(entry).filter(|_| takes) {
            let folded = entry.ignore_uri_case && !prefix.is_empty();
            let prefix = if folded { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
            self.lengths.insert(prefix.len());
            let condition = conditions(entry).next().unwrap_or(Condition::Nothing);
            let same = self.earlier.entry((prefix, folded)).or_default();
            same.entry(condition).or_default().push((place, entry));
        }
        found
    }

    fn find(&self, entry: &HttpMatchRequest) -> Option<Place> {
        let uri = match &entry.uri {
            Some(StringMatch::Prefix(uri) | StringMatch::Exact(uri)) => uri.as_str(),
            _ => "",
        };
        let lower = uri.to_ascii_lowercase();
        let prefixes = self.lengths.range(..=uri.len());
        let keys = prefixes.flat_map(|length| {
            [(uri.get(..*length), false), (lower.get(..*length), true)]
                .map(|(key, folded)| Some((key?, folded)))
        });
        let buckets = keys.flatten().filter_map(|(key, folded)| self.earlier.get(&(key.to_owned(), folded)));
        let candidates = buckets.flat_map(|bucket| {
            conditions(entry)
                .chain([Condition::Nothing])
                .filter_map(|condition| bucket.get(&condition))
                .flatten()
        });
        candidates.filter(|(_, earlier)| covers(earlier, entry)).map(|(place, _)| *place).min()
    }
}

/// What a path has to begin with for this match. `None`: it asks for more than a prefix. Every path begins with a slash.
fn prefix(entry: &HttpMatchRequest) -> Option<&str> {
    match &entry.uri {
        None => Some(""),
        Some(StringMatch::Prefix(prefix)) if prefix == "/" => Some(""),
        Some(StringMatch::Prefix(prefix)) => Some(prefix),
        Some(_) => None,
    }
}

fn conditions(entry: &HttpMatchRequest) -> impl Iterator<Item = Condition<'_>> {
    let headers = entry.headers.iter().map(Condition::Header);
    let without = entry.without_headers.iter().map(Condition::WithoutHeader);
    let query = entry.query_params.iter().map(Condition::Query);
    let single = [
        entry.method.as_ref().map(Condition::Method),
        entry.authority.as_ref().map(Condition::Authority),
        entry.scheme.as_ref().map(Condition::Scheme),
        entry.port.map(Condition::Port),
    ];
    headers.chain(without).chain(query).chain(single.into_iter().flatten())
}

/// Whether each request that `later` matches is matched by `earlier`, which is about a prefix, and about no other
/// proxies. All else that `earlier` asks for, `later` must ask for in the same words.
fn covers(earlier: &HttpMatchRequest, later: &HttpMatchRequest) -> bool {
    fn same<T: PartialEq>(earlier: &[T], later: &[T]) -> bool {
        earlier.iter().all(|asked| later.contains(asked))
    }
    fn absent_or_same<T: PartialEq>(earlier: &Option<T>, later: &Option<T>) -> bool {
        earlier.is_none() || earlier == later
    }
    begins_with(earlier, later)
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

fn begins_with(earlier: &HttpMatchRequest, later: &HttpMatchRequest) -> bool {
    let Some(prefix) = prefix(earlier) else { return false };
    let uri = match &later.uri {
        _ if prefix.is_empty() => return true,
        Some(StringMatch::Prefix(uri) | StringMatch::Exact(uri)) => uri,
        _ => return false,
    };
    if earlier.ignore_uri_case {
        uri.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase())
    } else {
        !later.ignore_uri_case && uri.starts_with(prefix)
    }
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
        let regex = HttpMatchRequest { method: Some(StringMatch::Exact("GET".into())), ..Default::default() };
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
            (with_port(prefix("/a")), with_port(prefix("/a/b")), true),
            (exact.clone(), exact.clone(), false),
            (prefix("/a"), HttpMatchRequest::default(), false),
            (prefix("/"), HttpMatchRequest::default(), true),
            (prefix("/"), regex.clone(), true),
            (regex.clone(), prefix("/a"), false),
            (HttpMatchRequest::default(), exact, true),
            (prefix("/A"), prefix("/a"), false),
            (HttpMatchRequest { ignore_uri_case: true, ..prefix("/A") }, prefix("/ab"), true),
            (HttpMatchRequest { ignore_uri_case: true, ..prefix("/A") }, prefix("/b"), false),
            (prefix("/a"), HttpMatchRequest { ignore_uri_case: true, ..prefix("/ab") }, false),
            (prefix("/"), HttpMatchRequest { ignore_uri_case: true, ..prefix("/ab") }, true),
        ] {
            assert_eq!(covers(&earlier, &later), covered, "{earlier:?} {later:?}");
            let mut index = Covers::default();
            let first = Place { rule: 0, index: 0 };
            assert_eq!(index.next(first, &earlier, true), None);
            let found = index.next(Place { rule: 1, index: 0 }, &later, true);
            assert_eq!(found, covered.then_some(first), "{earlier:?} {later:?}");
        }
    }
}
