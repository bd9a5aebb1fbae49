//! Rules of a VirtualService that are never reached, and matches that an earlier one covers.

mod cover;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use outrigger_api::types::virtual_service::{HttpMatchRequest, RouteAction};
use outrigger_api::{Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};
use cover::{Covers, Place};

/// Looks at each VirtualService by itself.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        let mut covers = Covers::default();
        let http = service.http.iter().map(|rule| Rule {
            matches: &rule.matches,
            takes_all: !matches!(rule.action, RouteAction::Delegate(_)),
        });
        check_list(resource, "http", http, findings, unnamed, |place, entry, takes| {
            covers.next(place, entry, takes)
        });
        let tls = service.tls.iter().map(|rule| Rule::certain(&rule.matches));
        check_list(resource, "tls", tls, findings, |entry| format!("{entry:?}"), |_, _, _| None);
        let tcp = service.tcp.iter().map(|rule| Rule::certain(&rule.matches));
        check_list(resource, "tcp", tcp, findings, |entry| format!("{entry:?}"), |_, _, _| None);
    }
}

/// A rule, as far as it matters here.
struct Rule<'m, M> {
    matches: &'m [M],
    /// Whether it takes whatever it matches. What a delegate's rules don't match goes on to the next rule.
    takes_all: bool,
}

impl<'m, M> Rule<'m, M> {
    fn certain(matches: &'m [M]) -> Self {
        Self { matches, takes_all: true }
    }
}

/// All that a match asks for; its name is only for the logs.
fn unnamed(entry: &HttpMatchRequest) -> String {
    format!("{:?}", HttpMatchRequest { name: None, ..entry.clone() })
}

/// The rules of one list. `words` tells which matches are the same, `cover` names an earlier match that covers one, and
/// takes note of it if it is to cover later ones.
fn check_list<'m, M: 'm>(
    resource: &Resource,
    list: &str,
    rules: impl Iterator<Item = Rule<'m, M>>,
    findings: &mut Vec<Finding>,
    words: impl Fn(&M) -> String,
    mut cover: impl FnMut(Place, &'m M, bool) -> Option<Place>,
) {
    let mut catch_all: Option<usize> = None;
    let mut seen: HashMap<String, Place> = HashMap::new();
    for (rule, Rule { matches, takes_all }) in rules.enumerate() {
        if let Some(before) = catch_all {
            let message =
                format!("never reached: spec.{list}[{before}] has no `match`, so it takes everything");
            let hint = format!("move spec.{list}[{before}] to the end");
            findings.push(unreachable(resource, list, rule, message).hint(hint));
            continue;
        }
        if matches.is_empty() && takes_all {
            catch_all = Some(rule);
        }
        let mut repeated = 0usize;
        for (index, entry) in matches.iter().enumerate() {
            let place = Place { rule, index };
            let before = match (seen.entry(words(entry)), takes_all) {
                (Entry::Occupied(known), _) => *known.get(),
                (Entry::Vacant(new), true) => *new.insert(place),
                (Entry::Vacant(_), false) => place,
            };
            let message = if before != place {
                repeated = repeated.saturating_add(1);
                Some(format!("repeats {}, so it never matches", before.path(list)))
            } else {
                let covered = cover(place, entry, takes_all);
                covered.map(|by| format!("never matches: {} covers it", by.path(list)))
            };
            if let Some(message) = message {
                let code = codes::INEFFECTIVE_MATCH;
                findings.push(Finding::new(code, Level::Info, resource, &place.path(list), message));
            }
        }
        if repeated > 0 && repeated == matches.len() {
            let message = "never reached: earlier rules have all of its matches".to_owned();
            findings.push(unreachable(resource, list, rule, message));
        }
    }
}

fn unreachable(resource: &Resource, list: &str, rule: usize, message: String) -> Finding {
    let path = format!("spec.{list}[{rule}]");
    Finding::new(codes::UNREACHABLE_RULE, Level::Warning, resource, &path, message)
}
