//! Routes in an answer.

use outrigger_core::route::{self, Choice, Destination as Place, Rejection};
use outrigger_core::{Request, RuleRef};
use serde::Serialize;

use super::{millis, percent, text};

/// The route taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// `ns/name`; `None`: a sidecar's default route.
    pub virtual_service: Option<String>,
    /// The rule, from 0.
    pub rule: Option<usize>,
    /// Which of the rule's `match` entries, from 0; `None` if it has none.
    #[serde(rename = "match")]
    pub match_index: Option<usize>,
    /// Where to; `None` for a redirect or a direct response.
    pub destination: Option<Destination>,
    /// Every destination that could have been drawn.
    pub alternatives: Vec<Alternative>,
    /// What of the request keeps it at this destination, such as `header:x-user`; `None`: a draw decides.
    pub sticky_by: Option<String>,
    /// The cookie that the response sets for this.
    pub sets_cookie: Option<String>,
    /// Path and query sent upstream.
    pub path: String,
    /// `:authority` sent upstream.
    pub authority: String,
    /// The route's timeout.
    pub timeout_ms: Option<u64>,
    /// The retry policy.
    pub retries: Option<Retries>,
    /// Where copies may go.
    pub mirrors: Vec<Mirror>,
    /// Where the rule stands.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
    /// The rule that delegates to it.
    pub delegated_by: Option<DelegatingRule>,
}

/// A rule with `delegate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DelegatingRule {
    /// `ns/name`
    pub virtual_service: String,
    /// The rule, from 0.
    pub rule: usize,
    /// Where it stands.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// Fully qualified host.
    pub host: String,
    /// Subset.
    pub subset: Option<String>,
    /// Port of the service.
    pub port: u16,
}

/// A destination with its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// Where to.
    pub destination: Destination,
    /// The share, relative to the sum of all.
    pub weight: u32,
}

/// A destination of copies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mirror {
    /// Where to.
    pub destination: Destination,
    /// Of how many of a hundred requests: Envoy draws it, once for all mirrors of a request.
    pub percent: f64,
}

/// A retry policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// Retries after the first try.
    pub attempts: u32,
    /// Limit of each try.
    pub per_try_timeout_ms: Option<u64>,
    /// The conditions, comma-separated.
    pub on: String,
    /// Base of the wait between tries; absent: Envoy's 25 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_off_ms: Option<u64>,
    /// Whether retries go to other localities.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remote_localities: bool,
    /// Whether a retry may go to a host that was tried.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub same_hosts: bool,
}

/// A `match` entry that came first and does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// `ns/name`
    pub virtual_service: String,
    /// The rule, from 0.
    pub rule: usize,
    /// Which of its `match` entries.
    #[serde(rename = "match")]
    pub match_index: Option<usize>,
    /// The first condition that fails: what it looks at, such as `path` or ``header `end-user` ``.
    pub condition: String,
    /// What it demands, and what the request has.
    pub reason: String,
}

impl Route {
    pub(super) fn of<'e: 'r, 'r>(choice: &Choice<'e>, request: &Request<'r>) -> Self {
        let reference = choice.rule().map(|rule| &rule.reference);
        Self {
            virtual_service: reference.map(|rule| rule.resource.to_string()),
            rule: reference.map(|rule| rule.rule),
            match_index: choice.match_index(),
            destination: choice.destination().map(Destination::of),
            alternatives: alternatives(choice),
            sticky_by: choice.kept.as_ref().map(|kept| kept.by.to_string()),
            sets_cookie: choice.kept.as_ref().and_then(|kept| kept.set_cookie_line()),
            path: text(&choice.path(request)),
            authority: text(&choice.authority(request)),
            timeout_ms: choice.timeout.map(millis),
            retries: choice.retries().map(Retries::of),
            mirrors: choice.mirrors().iter().map(Mirror::of).collect(),
            file: reference.and_then(file),
            line: reference.and_then(|rule| rule.line),
            delegated_by: choice.rule().and_then(|rule| rule.root.as_deref()).map(|root| DelegatingRule {
                virtual_service: root.resource.to_string(),
                rule: root.rule,
                file: file(root),
                line: root.line,
            }),
        }
    }
}

impl Retries {
    pub(in crate::explain) fn of(retries: &route::Retries) -> Self {
        Self {
            attempts: retries.attempts,
            per_try_timeout_ms: retries.per_try_timeout.map(millis),
            on: retries.on.clone(),
            back_off_ms: retries.profile.back_off.map(millis),
            remote_localities: retries.profile.remote_localities,
            same_hosts: !retries.profile.other_hosts,
        }
    }
}

impl Mirror {
    fn of(mirror: &route::Mirror) -> Self {
        Self { destination: Destination::of(&mirror.destination), percent: percent(mirror.percentage) }
    }
}

fn alternatives(choice: &Choice<'_>) -> Vec<Alternative> {
    let each = choice.alternatives();
    let mut all: Vec<_> =
        each.map(|(place, weight)| Alternative { destination: Destination::of(place), weight }).collect();
    // The weight of an only destination means nothing, whatever is written: it gets everything.
    if let [only] = all.as_mut_slice() {
        only.weight = 100;
    }
    all
}

impl Destination {
    pub(in crate::explain) fn of(place: &Place) -> Self {
        Self { host: place.host.clone(), subset: place.subset.clone(), port: place.port }
    }

    /// The same as the engine has it.
    pub(in crate::explain) fn place(&self) -> Place {
        Place { host: self.host.clone(), subset: self.subset.clone(), port: self.port }
    }
}

fn file(rule: &RuleRef) -> Option<String> {
    rule.file.as_deref().map(str::to_owned)
}

impl From<Rejection<'_>> for PassedOver {
    fn from(rejection: Rejection<'_>) -> Self {
        Self {
            virtual_service: rejection.rule.resource.to_string(),
            rule: rejection.rule.rule,
            match_index: rejection.match_index,
            condition: rejection.failure.condition,
            reason: rejection.failure.reason,
        }
    }
}
