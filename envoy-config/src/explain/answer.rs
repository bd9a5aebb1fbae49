//! What would happen to a request, and why. The JSON fields are a contract; absent parts are `null`.

use std::collections::BTreeMap;

use outrigger_api::types::common::Millionths;
use outrigger_api::types::virtual_service::Fault as Spec;
use outrigger_core::fault::{Injection, Trigger, Withheld};
use outrigger_core::route::{Choice, Destination as Place};
use outrigger_core::{HeaderOp, Request, RuleRef, Verdict, header_names};
use serde::Serialize;

use super::authz::{Asked, Authz, Nearest, Rule};
use super::guards::FaultGuards;
use super::tokens::TokenRule;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// What the client sees.
    pub outcome: Outcome,
    /// HTTP status of a reply.
    pub status: Option<u16>,
    /// Body of a reply.
    pub body: Option<String>,
    /// Changes to the request's headers if it is forwarded; the headers of a reply.
    pub headers: HeaderChanges,
    /// What a sidecar's inbound port asks of the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls: Option<Mtls>,
    /// The server that policies with `action: CUSTOM` have asked first.
    #[serde(rename = "custom", skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Authentication.
    pub jwt: Option<Jwt>,
    /// Where each rule has looked for tokens, and what it makes of those there.
    #[serde(rename = "jwtRules", skip_serializing_if = "Vec::is_empty")]
    pub jwt_rules: Vec<TokenRule>,
    /// What rules with `outrigger.io/dry-run` would refuse.
    #[serde(rename = "jwtShadow", skip_serializing_if = "Option::is_none")]
    pub jwt_shadow: Option<Jwt>,
    /// Authorization.
    pub authz: Option<Authz>,
    /// If no ALLOW policy allows the request: the rule that it came nearest to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
    /// Fault injection.
    pub fault: Option<Fault>,
    /// How likely the rule's faults are, whether they were drawn or not.
    #[serde(rename = "faultChances")]
    pub fault_chances: Option<FaultChances>,
    /// What keeps faults within bounds, by annotation.
    #[serde(rename = "faultGuards")]
    pub fault_guards: Option<FaultGuards>,
    /// Routing.
    pub route: Option<Route>,
    /// Decisions of policies in shadow mode (`istio.io/dry-run`).
    pub shadow: Vec<Authz>,
    /// The rule of an AUDIT policy that matches.
    pub audit: Option<Rule>,
    /// Envoy's response code details of a reply.
    pub details: Option<String>,
    /// Rules before the one taken, and why they do not match.
    #[serde(rename = "passedOver")]
    pub passed_over: Vec<PassedOver>,
}

/// What the client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The service's answer.
    Forward,
    /// The proxy's answer.
    Reply,
    /// Nothing: the connection is closed before any request is read.
    Reset,
}

/// Changes to headers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HeaderChanges {
    /// Replaced or added.
    pub set: BTreeMap<String, String>,
    /// Added as further lines.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, Vec<String>>,
    /// Taken away.
    pub remove: Vec<String>,
}

/// What a port of a workload asks of its peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mtls {
    /// `STRICT`, `PERMISSIVE` or `DISABLE`.
    pub mode: &'static str,
    /// `ns/name` of the PeerAuthentication; `None`: nobody has set one.
    pub policy: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// What the JWT rules found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwt {
    /// `iss/sub` of a verified token.
    pub principal: Option<String>,
    /// Why the token is refused.
    pub failure: Option<String>,
    /// `ns/name[0]`
    pub rule: Option<String>,
}

/// The fault drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// How long the request is held.
    pub delay_ms: u64,
    /// The status it is aborted with.
    pub abort_status: Option<u16>,
    /// `ns/name` of the VirtualService.
    pub policy: String,
    /// Why this request: `draw`, `sticky` or `headers`.
    pub trigger: &'static str,
    /// Why it is spared for all that: `expired`, `dry-run` or `overflow`. Then the delay is 0 and there is no abort.
    pub withheld: Option<&'static str>,
    /// How long it would have been held, if it is spared.
    pub would_delay_ms: Option<u64>,
    /// The status it would have been aborted with, if it is spared.
    pub would_abort_status: Option<u16>,
}

impl Fault {
    fn of(injection: &Injection<'_>) -> Self {
        let spared = injection.withheld.is_some();
        let status = injection.abort_status();
        Self {
            delay_ms: millis(injection.hold()),
            abort_status: status.filter(|_| !spared),
            policy: injection.rule.resource.to_string(),
            trigger: match injection.trigger {
                Trigger::Draw => "draw",
                Trigger::Sticky => "sticky",
                Trigger::Headers => "headers",
            },
            withheld: injection.withheld.map(Withheld::as_str),
            would_delay_ms: injection.delay.filter(|_| spared).map(millis),
            would_abort_status: status.filter(|_| spared),
        }
    }
}

/// How many of a hundred requests meet a fault; the two are drawn independently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultChances {
    /// Are held.
    pub delay_percent: f64,
    /// Are aborted.
    pub abort_percent: f64,
}

impl FaultChances {
    /// Those of `fault`.
    pub fn of(fault: &Spec) -> Self {
        Self {
            delay_percent: fault.delay.as_ref().map_or(0.0, |delay| percent(delay.percentage)),
            abort_percent: fault.abort.as_ref().map_or(0.0, |abort| percent(abort.percentage)),
        }
    }
}

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

impl Answer {
    /// An answer given before or after the policies, by Envoy itself.
    pub fn reply(status: u16, details: &str) -> Self {
        Self {
            outcome: Outcome::Reply,
            status: Some(status),
            body: None,
            headers: HeaderChanges::default(),
            mtls: None,
            asked: None,
            jwt: None,
            jwt_rules: Vec::new(),
            jwt_shadow: None,
            authz: None,
            nearest: None,
            fault: None,
            fault_chances: None,
            fault_guards: None,
            route: None,
            shadow: Vec::new(),
            audit: None,
            details: Some(details.to_owned()),
            passed_over: Vec::new(),
        }
    }

    /// No answer: the connection is closed, for this reason.
    pub fn reset(reason: &str) -> Self {
        Self { outcome: Outcome::Reset, status: None, ..Self::reply(0, reason) }
    }

    /// What the engine decided about `request`.
    pub fn new<'e: 'r, 'r>(verdict: &Verdict<'e>, request: &Request<'r>) -> Self {
        let mut answer = Self::reply(0, "");
        (answer.status, answer.details) = (None, None);
        match &verdict.outcome {
            outrigger_core::Outcome::Forward(ops) => {
                answer.outcome = Outcome::Forward;
                answer.headers = HeaderChanges::of(ops);
            }
            // Offline nothing is on its way, so that nobody waits.
            outrigger_core::Outcome::Wait => {}
            outrigger_core::Outcome::Reply(reply) => {
                answer.status = Some(reply.status);
                answer.body = Some(text(&reply.body));
                answer.details = Some(reply.details.to_string());
                for (name, value) in &reply.headers {
                    answer.headers.set.insert(name.to_string(), text(value));
                }
            }
        }
        answer.jwt = verdict.jwt.as_ref().and_then(|jwt| {
            // The failure is what the client reads.
            let failure = jwt.failure.as_ref().and(answer.body.clone());
            let claim = |name| Some(jwt.identity.as_ref()?.get(name)?.as_str()?.to_owned());
            let principal = jwt.identity.as_ref().map(|_| {
                format!("{}/{}", claim("iss").unwrap_or_default(), claim("sub").unwrap_or_default())
            });
            let rule = jwt.rule.map(|rule| format!("{}[{}]", rule.resource, rule.rule));
            (principal.is_some() || failure.is_some()).then_some(Jwt { principal, failure, rule })
        });
        let shadow = verdict.jwt.as_ref().and_then(|jwt| jwt.shadow.as_ref());
        answer.jwt_shadow = shadow.map(|(failure, rule)| Jwt {
            principal: None,
            failure: Some(failure.text()),
            rule: Some(format!("{}[{}]", rule.resource, rule.rule)),
        });
        if let Some(decision) = &verdict.authz {
            answer.authz = Authz::of(decision);
            answer.audit = decision.audited.map(Rule::of);
            let shadow = decision.shadow.iter();
            answer.shadow = shadow.map(|would| Authz::by(would.action, would.allowed, would.rule)).collect();
        }
        answer.fault = verdict.fault.as_ref().map(Fault::of);
        answer.route = verdict.route.as_ref().map(|choice| Route::of(choice, request));
        answer
    }
}

impl HeaderChanges {
    /// Those that the next hop can see: not the headers by which the filters speak to the router.
    fn of(ops: &[HeaderOp<'_>]) -> Self {
        let mut changes = Self::default();
        let hidden = |name: &str| name.starts_with(':') || header_names::internal(name.as_bytes()).is_some();
        for op in ops {
            match op {
                HeaderOp::Set(name, value) if !hidden(name) => {
                    changes.set.insert(name.to_string(), text(value));
                }
                HeaderOp::Add(name, value) if !hidden(name) => {
                    changes.add.entry(name.to_string()).or_default().push(text(value));
                }
                HeaderOp::Remove(name) => changes.remove.push(name.to_string()),
                HeaderOp::Set(..) | HeaderOp::Add(..) => {}
            }
        }
        changes
    }
}

impl Route {
    fn of<'e: 'r, 'r>(choice: &Choice<'e>, request: &Request<'r>) -> Self {
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
            retries: choice.retries().map(|retries| Retries {
                attempts: retries.attempts,
                per_try_timeout_ms: retries.per_try_timeout.map(millis),
                on: retries.on.clone(),
                back_off_ms: retries.profile.back_off.map(millis),
                remote_localities: retries.profile.remote_localities,
                same_hosts: !retries.profile.other_hosts,
            }),
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

impl Mirror {
    fn of(mirror: &outrigger_core::route::Mirror) -> Self {
        Self { destination: Destination::of(&mirror.destination), percent: percent(mirror.percentage) }
    }
}

fn percent(share: Millionths) -> f64 {
    f64::from(share.get()) / 10_000.0
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
    pub(super) fn of(place: &Place) -> Self {
        Self { host: place.host.clone(), subset: place.subset.clone(), port: place.port }
    }
}

fn file(rule: &RuleRef) -> Option<String> {
    rule.file.as_deref().map(str::to_owned)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<outrigger_core::route::Rejection<'_>> for PassedOver {
    fn from(rejection: outrigger_core::route::Rejection<'_>) -> Self {
        Self {
            virtual_service: rejection.rule.resource.to_string(),
            rule: rejection.rule.rule,
            match_index: rejection.match_index,
            condition: rejection.failure.condition,
            reason: rejection.failure.reason,
        }
    }
}
