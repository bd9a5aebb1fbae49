//! Rules that add nothing to others, and policies that are there twice.

use std::collections::HashMap;

use outrigger_api::Resource;
use outrigger_api::types::authorization_policy::Action;
use outrigger_api::types::common::Target;

use super::cover::covers;
use super::index::Index;
use super::rules::{Asked, Policy};
use crate::analyze::codes;
use crate::analyze::conflicts::place;
use crate::analyze::finding::{Finding, Level};

/// A rule that counts: it fits some request, and its policy decides.
struct Rule<'p, 'r> {
    policy: &'p Policy<'r>,
    at: usize,
    asked: &'p Asked<'r>,
    kind: Kind,
    /// Its policy is there already, in the same words.
    is_repeated: bool,
}

/// Actions whose rules are compared. An external server is asked by each CUSTOM policy that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Allow,
    Deny,
    Audit,
}

/// For which workloads: a namespace, and the notation of the target there.
type Scope = (String, String);

/// Compares the rules of all policies; `dead` tells which of each policy's fit no request. Returns how many pairs of
/// rules were looked at.
pub(super) fn check(
    policies: &[Policy<'_>],
    dead: &[Vec<bool>],
    root_namespace: &str,
    findings: &mut Vec<Finding>,
) -> usize {
    let mut rules = Vec::new();
    let mut first: HashMap<_, &Resource> = HashMap::new();
    for (policy, dead) in policies.iter().zip(dead) {
        let Some(kind) = kind(policy) else { continue };
        let words =
            (scope(policy), kind, format!("{:?}", policy.policy.rules.as_deref().unwrap_or_default()));
        let is_repeated = first.contains_key(&words);
        if let Some(first) = first.get(&words) {
            findings.push(repeated(policy.resource, first));
        } else {
            first.insert(words, policy.resource);
        }
        for (at, asked) in policy.rules.iter().enumerate().filter(|(at, _)| dead.get(*at) != Some(&true)) {
            rules.push(Rule { policy, at, asked, kind, is_repeated });
        }
    }
    compare(&rules, root_namespace, findings)
}

fn kind(policy: &Policy<'_>) -> Option<Kind> {
    match &policy.policy.action {
        _ if policy.policy.dry_run => None,
        Action::Allow => Some(Kind::Allow),
        Action::Deny => Some(Kind::Deny),
        Action::Audit => Some(Kind::Audit),
        Action::Custom { .. } => None,
    }
}

fn compare(rules: &[Rule<'_, '_>], root_namespace: &str, findings: &mut Vec<Finding>) -> usize {
    let mut by_scope: HashMap<(Scope, Kind), Vec<usize>> = HashMap::new();
    for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_repeated) {
        by_scope.entry((scope(rule.policy), rule.kind)).or_default().push(number);
    }
    let indexed = |numbers: Vec<usize>| {
        Index::new(numbers.into_iter().filter_map(|number| Some((number, rules.get(number)?.asked))))
    };
    let by_scope: HashMap<_, _> =
        by_scope.into_iter().map(|(key, numbers)| (key, indexed(numbers))).collect();
    let mut compared = 0usize;
    for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_repeated) {
        let kinds: &[Kind] = match rule.kind {
            // That a rule denies what another allows matters more than that a third one allows it too.
            Kind::Allow => &[Kind::Deny, Kind::Allow],
            Kind::Deny => &[Kind::Deny],
            Kind::Audit => &[Kind::Audit],
        };
        let found = kinds.iter().find_map(|kind| {
            wider(rule.policy, root_namespace).into_iter().find_map(|scope| {
                let candidates = by_scope.get(&(scope, *kind))?.candidates(rule.asked);
                candidates.into_iter().filter(|other| *other != number).find_map(|other| {
                    compared = compared.saturating_add(1);
                    let by = rules.get(other)?;
                    (adds_nothing(rule, by) && !is_later_twin(rule, number, by, other)).then_some(by)
                })
            })
        });
        findings.extend(found.map(|by| covered(rule, by)));
    }
    compared
}

/// Whether a rule fits nothing that `by` does not fit, on TCP ports neither: what is there of an ALLOW rule depends on
/// all of its parts.
fn adds_nothing(rule: &Rule<'_, '_>, by: &Rule<'_, '_>) -> bool {
    let there = by.kind != Kind::Allow || rule.asked.is_http() || !by.asked.is_http();
    there && covers(by.asked, rule.asked)
}

/// Of two rules that cover each other for the same workloads, the earlier is the one that counts.
fn is_later_twin(rule: &Rule<'_, '_>, number: usize, by: &Rule<'_, '_>, other: usize) -> bool {
    rule.kind == by.kind && other > number && scope(rule.policy) == scope(by.policy) && adds_nothing(by, rule)
}

fn scope(policy: &Policy<'_>) -> Scope {
    (policy.resource.meta.namespace.clone(), notation(&policy.policy.target))
}

fn notation(target: &Target) -> String {
    match target {
        Target::All => String::new(),
        Target::Selector(selector) if selector.0.is_empty() => String::new(),
        Target::Selector(selector) => format!("{:?}", selector.0),
        Target::Refs(refs) => format!("{refs:?}"),
    }
}

/// The scopes of policies that are for all workloads of this one, or more, its own first.
fn wider(policy: &Policy<'_>, root_namespace: &str) -> Vec<Scope> {
    let (namespace, target) = scope(policy);
    let mut scopes = vec![(namespace.clone(), target.clone()), (namespace, String::new())];
    if !matches!(policy.policy.target, Target::Refs(_)) {
        scopes.push((root_namespace.to_owned(), target));
    }
    scopes.push((root_namespace.to_owned(), String::new()));
    let mut known = Vec::new();
    scopes.retain(|scope| {
        let is_new = !known.contains(scope);
        known.push(scope.clone());
        is_new
    });
    scopes
}

fn repeated(resource: &Resource, first: &Resource) -> Finding {
    let message = format!("this policy says the same as `{}` ({})", first.id(), place(first));
    let code = codes::REPEATED_POLICY;
    Finding::new(code, Level::Warning, resource, "metadata.name", message)
        .hint("remove one of them".to_owned())
}

fn covered(rule: &Rule<'_, '_>, by: &Rule<'_, '_>) -> Finding {
    let path = format!("spec.rules[{}]", by.at);
    let by_name = if std::ptr::eq(rule.policy, by.policy) {
        path
    } else {
        format!("{path} of `{}` ({})", by.policy.resource.id(), place(by.policy.resource))
    };
    let unconditional = by.asked.is_empty();
    let (level, message) = match (rule.kind, by.kind) {
        (Kind::Allow, Kind::Deny) => {
            (Level::Warning, format!("this rule never allows anything: {by_name} denies all that it fits"))
        }
        (Kind::Allow, _) if unconditional => {
            (Level::Warning, format!("this rule allows nothing more: {by_name} allows every request"))
        }
        (Kind::Allow, _) => {
            (Level::Info, format!("this rule allows nothing more: {by_name} allows all that it fits"))
        }
        (Kind::Deny, _) if unconditional => {
            (Level::Warning, format!("this rule denies nothing more: {by_name} denies every request"))
        }
        (Kind::Deny, _) => {
            (Level::Info, format!("this rule denies nothing more: {by_name} denies all that it fits"))
        }
        (Kind::Audit, _) => {
            (Level::Info, format!("this rule marks nothing more: {by_name} marks all that it fits"))
        }
    };
    let hint = match (rule.kind, by.kind) {
        (Kind::Allow, Kind::Deny) => "DENY comes first, whatever ALLOW says",
        _ if unconditional => "a rule without parts fits every request: remove it, or this one",
        _ => "remove this rule, or say more narrowly what the other one is for",
    };
    let path = format!("spec.rules[{}]", rule.at);
    Finding::new(codes::COVERED_RULE, level, rule.policy.resource, &path, message).hint(hint.to_owned())
}
