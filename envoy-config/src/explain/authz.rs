//! What the authorization policies decided, and of a request that none allows, what it came nearest to.

use std::fmt;

use outrigger_api::{Proxy, Resource};
use outrigger_core::{Request, RuleRef, authz};
use serde::Serialize;
use serde_json::Value;

use super::answer::Answer;
use super::human::{position, step};

/// What the authorization policies decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authz {
    /// `allow` or `deny`
    pub decision: &'static str,
    /// The action that decided: `ALLOW` or `DENY`.
    pub action: Option<&'static str>,
    /// `ns/name`; `None`: no rule matched.
    pub policy: Option<String>,
    /// The rule of the policy, from 0.
    pub rule: Option<usize>,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// A rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `ns/name`
    pub policy: String,
    /// The rule of the policy, from 0.
    pub rule: usize,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// A server that is asked about the request, before all else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The extension provider.
    pub provider: String,
    /// The rule that asks for it.
    #[serde(flatten)]
    pub rule: Rule,
    /// Whatever it says, the request goes on (`outrigger.io/dry-run`).
    pub dry_run: bool,
    /// It can't be asked, as `analyze` says, so that the request is refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// The rule that would have allowed the request, but for a few conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nearest {
    /// Which.
    #[serde(flatten)]
    pub rule: Rule,
    /// What does not hold; the fewest of all rules.
    pub failed: Vec<Failed>,
}

/// A list of values that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Where it stands, such as `spec.rules[0].to[0].operation.methods`.
    pub path: String,
    /// Its line.
    pub line: Option<u32>,
    /// What it asks for, as written.
    pub wanted: Vec<String>,
    /// What the request has; `None`: nothing.
    pub has: Option<String>,
}

impl Authz {
    /// `None`: no policy applies.
    pub(super) fn of(decision: &authz::Decision<'_>) -> Option<Self> {
        decision.action.map(|action| Self::by(action, decision.allowed, decision.rule))
    }

    pub(super) fn by(action: authz::Action, allowed: bool, rule: Option<&RuleRef>) -> Self {
        Self {
            decision: if allowed { "allow" } else { "deny" },
            action: Some(action.as_str()),
            policy: rule.map(|rule| rule.resource.to_string()),
            rule: rule.map(|rule| rule.rule),
            file: rule.and_then(file),
            line: rule.and_then(|rule| rule.line),
        }
    }

    /// Whether there are ALLOW policies of which no rule matches.
    fn is_miss(&self) -> bool {
        self.decision == "deny" && self.policy.is_none()
    }
}

impl Rule {
    pub(super) fn of(rule: &RuleRef) -> Self {
        Self { policy: rule.resource.to_string(), rule: rule.rule, file: file(rule), line: rule.line }
    }
}

fn file(rule: &RuleRef) -> Option<String> {
    rule.file.as_deref().map(str::to_owned)
}

/// What a request that `decision` refuses came nearest to.
pub(super) fn nearest(
    decision: Option<&Authz>,
    resources: &[Resource],
    proxy: &Proxy,
    request: &Request<'_>,
) -> Option<Nearest> {
    decision.filter(|decision| decision.is_miss())?;
    let found = authz::nearest(resources, proxy, request).filter(|found| !found.failed.is_empty())?;
    let id = &*found.rule.resource;
    let resource = resources.iter().find(|resource| {
        resource.id() == id && matches!(resource.spec, outrigger_api::Spec::AuthorizationPolicy(_))
    })?;
    let written = resource.to_json();
    let failed = found.failed.into_iter().map(|path| Failed {
        line: resource.position(&path).map(|position| position.line),
        wanted: wanted(&written, &path),
        has: has(&written, &path, request),
        path,
    });
    Some(Nearest { failed: failed.collect(), rule: Rule::of(&found.rule) })
}

/// The part of a resource at `path`, which has no dots in its names.
fn at<'v>(written: &'v Value, path: &str) -> Option<&'v Value> {
    let pointer = path.replace('[', "/").replace(']', "").replace('.', "/");
    written.pointer(&format!("/{pointer}"))
}

/// The values as they are written; of a condition both lists, those of `notValues` with `not` before them.
fn wanted(written: &Value, path: &str) -> Vec<String> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let each = value.and_then(Value::as_array).into_iter().flatten();
        each.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    };
    match at(written, path) {
        Some(Value::Object(condition)) => {
            let not = texts(condition.get("notValues"));
            let not = not.into_iter().map(|value| format!("not {value}"));
            texts(condition.get("values")).into_iter().chain(not).collect()
        }
        list => texts(list),
    }
}

/// What the request has for the list at `path`.
fn has(written: &Value, path: &str, request: &Request<'_>) -> Option<String> {
    let field = path.rsplit('.').next().unwrap_or_default();
    let key = at(written, &format!("{path}.key")).and_then(Value::as_str);
    let connection = &request.connection;
    let bytes = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let claims = |path: &[&str]| -> Option<String> {
        let (first, rest) = path.split_first()?;
        let claim = rest.iter().try_fold(request.identity()?.get(first)?, |claim, name| claim.get(*name))?;
        Some(claim.as_str().map_or_else(|| claim.to_string(), str::to_owned))
    };
    let positive = match field.strip_prefix("not") {
        Some(rest) => {
            let (first, rest) = rest.split_at_checked(1).unwrap_or_default();
            first.to_ascii_lowercase() + rest
        }
        None => field.to_owned(),
    };
    match key.unwrap_or(&positive) {
        "principals"
        | "namespaces"
        | "serviceAccounts"
        | "trustDomains"
        | "source.principal"
        | "source.namespace"
        | "source.serviceAccount"
        | "source.trustDomain" => connection.peer_principal.map(bytes),
        "requestPrincipals" | "request.auth.principal" => {
            Some(format!("{}/{}", claims(&["iss"])?, claims(&["sub"])?))
        }
        "ipBlocks" | "source.ip" => connection.source_ip.map(|ip| ip.to_string()),
        "remoteIpBlocks" | "remote.ip" => connection.remote_ip.map(|ip| ip.to_string()),
        "destination.ip" => connection.destination_ip.map(|ip| ip.to_string()),
        "ports" | "destination.port" => connection.destination_port.map(|port| port.to_string()),
        "connection.sni" => connection.sni.map(bytes),
        "hosts" => Some(bytes(request.authority())),
        "methods" => Some(bytes(request.method())),
        "paths" => Some(bytes(request.path())),
        "request.auth.audiences" => claims(&["aud"]),
        "request.auth.presenter" => claims(&["azp"]),
        key => {
            if let Some(name) = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) {
                let name = name.to_ascii_lowercase();
                if name == "host" {
                    return Some(bytes(request.authority()));
                }
                let lines: Vec<_> = request.header_lines(name.as_bytes()).map(bytes).collect();
                return (!lines.is_empty()).then(|| lines.join(", "));
            }
            let path = key.strip_prefix("request.auth.claims[")?.strip_suffix(']')?;
            claims(&path.split("][").collect::<Vec<_>>())
        }
    }
}

/// Tells of the server that is asked.
pub(super) fn tell_asked(out: &mut String, answer: &Answer) -> fmt::Result {
    let Some(Asked { provider, rule: Rule { policy, rule, file, line }, dry_run, refused }) = &answer.asked
    else {
        return Ok(());
    };
    let at = position(file.as_deref(), *line);
    if *refused {
        let who = format!(
            "`{provider}` can't be asked, as policy {policy}, rules[{rule}]{at} says: refused; `outrigger analyze` has \
             the reason"
        );
        return step(out, "custom", &who);
    }
    let goes_on = if *dry_run {
        "it is tried out: the request goes on"
    } else {
        "the rest is what comes of it if it allows"
    };
    let who = format!("`{provider}` is asked, as policy {policy}, rules[{rule}]{at} says; {goes_on}");
    step(out, "custom", &who)
}

/// Tells of the decision, of audits and of dry runs.
pub(super) fn tell(out: &mut String, answer: &Answer) -> fmt::Result {
    match &answer.authz {
        Some(authz) => step(out, "authz", &decision(authz))?,
        None if answer.jwt.as_ref().is_some_and(|jwt| jwt.failure.is_some()) => {
            step(out, "authz", "not reached")?;
        }
        None if answer.shadow.is_empty() => step(out, "authz", "no policy decides")?,
        None => {}
    }
    if let Some(nearest) = &answer.nearest {
        let Rule { policy, rule, file, line } = &nearest.rule;
        let at = position(file.as_deref(), *line);
        step(out, "", &format!("the nearest is {policy}, rules[{rule}]{at}, but for"))?;
        for failed in &nearest.failed {
            let path = failed.path.split_once("].").map_or(&*failed.path, |(_, below)| below);
            let has = failed.has.as_ref().map_or("nothing".to_owned(), |has| format!("`{has}`"));
            let line = position(file.as_deref(), failed.line);
            let wanted = failed.wanted.join(", ");
            step(out, "", &format!("  {path}: {wanted}{line}; the request has {has}"))?;
        }
    }
    for would in &answer.shadow {
        step(out, "dry run", &format!("would be {}", decision(would)))?;
    }
    match &answer.audit {
        Some(rule) => {
            let at = position(rule.file.as_deref(), rule.line);
            step(out, "audit", &format!("marked by {}, rules[{}]{at}", rule.policy, rule.rule))
        }
        None => Ok(()),
    }
}

fn decision(authz: &Authz) -> String {
    let decision = if authz.decision == "allow" { "allowed" } else { "denied" };
    match (&authz.policy, authz.rule) {
        (Some(policy), Some(rule)) => {
            let at = position(authz.file.as_deref(), authz.line);
            format!("{decision} by {} policy {policy}, rules[{rule}]{at}", authz.action.unwrap_or_default())
        }
        _ if authz.decision == "allow" => "allowed: no rule of a DENY policy matches".to_owned(),
        _ => "denied: there are ALLOW policies, and no rule of theirs matches".to_owned(),
    }
}
