//! What would happen to a request, and why. The JSON fields are a contract; absent parts are `null`.

mod fault;
mod grpc;
mod route;

use std::collections::BTreeMap;

pub use fault::{Fault, FaultChances};
use outrigger_api::types::common::Millionths;
use outrigger_core::{HeaderOp, Request, Verdict, header_names};
pub use route::{Alternative, DelegatingRule, Destination, Mirror, PassedOver, Retries, Route};
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
    /// gRPC status of a reply to a request of gRPC, which comes with the HTTP status 200.
    #[serde(rename = "grpcStatus", skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<u32>,
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

impl Answer {
    /// An answer given before or after the policies, by Envoy itself.
    pub fn reply(status: u16, details: &str) -> Self {
        Self {
            outcome: Outcome::Reply,
            status: Some(status),
            grpc_status: None,
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

    /// The same answer if the proxy replies in the end.
    #[must_use]
    pub fn replied(self, status: u16, details: &str) -> Self {
        Self { outcome: Outcome::Reply, status: Some(status), details: Some(details.to_owned()), ..self }
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
                answer.grpc_status = reply.grpc_status;
                answer.body = Some(text(&reply.body));
                answer.details = Some(reply.details.to_string());
                for (name, value) in &reply.headers {
                    answer.headers.reply_with(name, text(value));
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
    /// A header of a reply, which may have several lines of it. Of `content-type` Envoy keeps one.
    fn reply_with(&mut self, name: &str, value: String) {
        match self.set.get_mut(name) {
            None => _ = self.set.insert(name.to_owned(), value),
            Some(first) if name == "content-type" => *first = format!("{first},{value}"),
            Some(_) => self.add.entry(name.to_owned()).or_default().push(value),
        }
    }

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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn percent(share: Millionths) -> f64 {
    f64::from(share.get()) / 10_000.0
}
