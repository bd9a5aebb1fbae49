//! Of a request that no ALLOW rule fits: the rule that comes nearest to it, and what of that rule does not hold. This is
//! for people; a proxy never asks.

use outrigger_api::types::authorization_policy::{Action, Condition, Operation, Rule, Source, Values};
use outrigger_api::{Proxy, Resource, Spec, select};

use super::draft::{Draft, draft};
use super::facts::Facts;
use crate::{Request, RuleRef};

/// A rule, and what of it a request does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The rule.
    pub rule: RuleRef,
    /// The paths of the lists that do not hold, such as `spec.rules[0].to[0].operation.methods`.
    pub failed: Vec<String>,
}

/// The rule of an enforced ALLOW policy of which the fewest lists do not hold for `request`; the first of several.
/// `None`: there is no rule.
pub fn nearest(resources: &[Resource], proxy: &Proxy, request: &Request<'_>) -> Option<Nearest> {
    let facts = &Facts { request, unknown_holds: false };
    let rules = resources.iter().filter_map(|resource| match &resource.spec {
        Spec::AuthorizationPolicy(policy)
            if policy.action == Action::Allow
                && !policy.dry_run
                && select::applies(&policy.target, &resource.meta.namespace, proxy) =>
        {
            Some((resource, policy.rules.iter().flatten().enumerate()))
        }
        _ => None,
    });
    let each = rules.flat_map(|(resource, rules)| {
        rules.map(move |(at, rule)| (resource, at, failed(rule, proxy, facts)))
    });
    let (resource, at, failed) = each.min_by_key(|(_, _, failed)| failed.len())?;
    let path = format!("spec.rules[{at}]");
    let failed = failed.into_iter().map(|below| format!("{path}.{below}")).collect();
    Some(Nearest { rule: RuleRef::new(resource, &path, at), failed })
}

/// The lists of `rule` that do not hold: of its sources those of the one with the fewest, of its operations too.
fn failed(rule: &Rule, proxy: &Proxy, facts: &Facts<'_, '_>) -> Vec<String> {
    let holds = |part: &Rule| {
        let Draft { from, to, when, .. } = draft(part, proxy);
        let mut checks = from.iter().chain(&to).flatten().chain(&when);
        checks.all(|check| check.holds(facts))
    };
    let not_held = |parts: Vec<(String, Rule)>| -> Vec<String> {
        parts.into_iter().filter(|(_, part)| !holds(part)).map(|(path, _)| path).collect()
    };
    let fewest = |alternatives: Vec<Vec<(String, Rule)>>| -> Vec<String> {
        alternatives.into_iter().map(not_held).min_by_key(Vec::len).unwrap_or_default()
    };
    let from = rule.from.iter().enumerate().map(|(at, source)| of_source(at, source));
    let to = rule.to.iter().enumerate().map(|(at, operation)| of_operation(at, operation));
    let when = rule.when.iter().enumerate().map(|(at, condition)| {
        (format!("when[{at}]"), Rule { when: vec![Condition::clone(condition)], ..Rule::default() })
    });
    [fewest(from.collect()), fewest(to.collect()), not_held(when.collect())].concat()
}

/// Each list of a source, as a rule of its own.
fn of_source(at: usize, source: &Source) -> Vec<(String, Rule)> {
    let Source {
        principals,
        request_principals,
        namespaces,
        service_accounts,
        trust_domains,
        ip_blocks,
        remote_ip_blocks,
    } = source;
    let rule = |source: Source| Rule { from: vec![source], ..Rule::default() };
    let none = Source::default;
    let mut parts = Vec::new();
    split(&mut parts, "principals", principals, |principals| rule(Source { principals, ..none() }));
    split(&mut parts, "requestPrincipals", request_principals, |request_principals| {
        rule(Source { request_principals, ..none() })
    });
    split(&mut parts, "namespaces", namespaces, |namespaces| rule(Source { namespaces, ..none() }));
    split(&mut parts, "serviceAccounts", service_accounts, |service_accounts| {
        rule(Source { service_accounts, ..none() })
    });
    split(&mut parts, "trustDomains", trust_domains, |trust_domains| {
        rule(Source { trust_domains, ..none() })
    });
    split(&mut parts, "ipBlocks", ip_blocks, |ip_blocks| rule(Source { ip_blocks, ..none() }));
    split(&mut parts, "remoteIpBlocks", remote_ip_blocks, |remote_ip_blocks| {
        rule(Source { remote_ip_blocks, ..none() })
    });
    below(&format!("from[{at}].source"), parts)
}

/// Each list of an operation, as a rule of its own.
fn of_operation(at: usize, operation: &Operation) -> Vec<(String, Rule)> {
    let Operation { hosts, ports, methods, paths } = operation;
    let rule = |operation: Operation| Rule { to: vec![operation], ..Rule::default() };
    let none = Operation::default;
    let mut parts = Vec::new();
    split(&mut parts, "hosts", hosts, |hosts| rule(Operation { hosts, ..none() }));
    split(&mut parts, "ports", ports, |ports| rule(Operation { ports, ..none() }));
    split(&mut parts, "methods", methods, |methods| rule(Operation { methods, ..none() }));
    split(&mut parts, "paths", paths, |paths| rule(Operation { paths, ..none() }));
    below(&format!("to[{at}].operation"), parts)
}

/// Both lists of a field.
fn split<T: Clone>(
    parts: &mut Vec<(String, Rule)>,
    field: &str,
    lists: &Values<T>,
    rule: impl Fn(Values<T>) -> Rule,
) {
    let Values { values, not_values } = lists;
    if !values.is_empty() {
        parts.push((field.to_owned(), rule(Values { values: values.clone(), ..Values::default() })));
    }
    if !not_values.is_empty() {
        let (first, rest) = field.split_at(1);
        let name = format!("not{}{rest}", first.to_ascii_uppercase());
        parts.push((name, rule(Values { not_values: not_values.clone(), ..Values::default() })));
    }
}

fn below(path: &str, parts: Vec<(String, Rule)>) -> Vec<(String, Rule)> {
    parts.into_iter().map(|(field, rule)| (format!("{path}.{field}"), rule)).collect()
}
