//! Rules about tokens at workloads where nobody verifies any.

use std::collections::{HashMap, HashSet};

use outrigger_api::types::common::{Labels, Target};
use outrigger_api::{Resource, Spec};

use super::rules::{Constraint, Policy};
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};

/// For which workloads tokens are verified.
pub(super) struct Verified<'r> {
    root_namespace: &'r str,
    by_namespace: HashMap<&'r str, Chosen<'r>>,
}

/// Whom the RequestAuthentications of a namespace choose.
#[derive(Debug, Default)]
struct Chosen<'r> {
    /// All, or some of which nothing is known by labels.
    any: bool,
    /// By the names of the labels: their values.
    selectors: HashMap<Vec<&'r str>, HashSet<Vec<&'r str>>>,
}

impl<'r> Verified<'r> {
    pub(super) fn new(resources: &'r [Resource], root_namespace: &'r str) -> Self {
        let mut by_namespace: HashMap<&str, Chosen<'_>> = HashMap::new();
        for resource in resources {
            let Spec::RequestAuthentication(authentication) = &resource.spec else { continue };
            if authentication.jwt_rules.is_empty() || authentication.annotations.dry_run {
                continue;
            }
            let chosen = by_namespace.entry(&resource.meta.namespace).or_default();
            match &authentication.target {
                Target::Selector(selector) if !selector.0.is_empty() => {
                    let (names, values) = selector.0.iter().map(|(key, value)| (&**key, &**value)).unzip();
                    chosen.selectors.entry(names).or_default().insert(values);
                }
                _ => chosen.any = true,
            }
        }
        Self { root_namespace, by_namespace }
    }

    /// Reports what the policy asks of tokens that nobody verifies.
    pub(super) fn check(&self, policy: &Policy<'_>, findings: &mut Vec<Finding>) {
        let mut asking = policy
            .rules
            .iter()
            .enumerate()
            .flat_map(|(at, rule)| rule.constraints().map(move |one| (at, one)))
            .filter(|(_, one)| one.field.is_token())
            .peekable();
        if asking.peek().is_some() && !self.may_verify(policy) {
            findings.extend(asking.map(|(rule, constraint)| finding(policy, rule, constraint)));
        }
    }

    /// Whether some RequestAuthentication may be for a workload that the policy is for.
    fn may_verify(&self, policy: &Policy<'_>) -> bool {
        let namespace = &*policy.resource.meta.namespace;
        let labels = match &policy.policy.target {
            Target::Selector(selector) => &selector.0,
            Target::All | Target::Refs(_) => &Labels::new(),
        };
        if namespace == self.root_namespace {
            return self.by_namespace.values().any(|chosen| chosen.may_choose(labels));
        }
        [namespace, self.root_namespace]
            .iter()
            .any(|namespace| self.by_namespace.get(namespace).is_some_and(|chosen| chosen.may_choose(labels)))
    }
}

impl Chosen<'_> {
    /// Whether some workload with these labels, and more, may be chosen.
    fn may_choose(&self, labels: &Labels) -> bool {
        self.any
            || self.selectors.iter().any(|(names, values)| {
                let own: Vec<_> = names.iter().map(|name| labels.get(*name).map(String::as_str)).collect();
                match own.iter().copied().collect::<Option<Vec<_>>>() {
                    Some(own) => values.contains(&own),
                    None => values.iter().any(|values| {
                        values.iter().zip(&own).all(|(value, own)| own.is_none_or(|own| own == *value))
                    }),
                }
            })
    }
}

fn finding(policy: &Policy<'_>, rule: usize, constraint: &Constraint<'_>) -> Finding {
    let (path, holds) = if constraint.values.is_empty() {
        (constraint.not_values_path(rule), "always")
    } else {
        (constraint.values_path(rule), "never")
    };
    let message = format!("this {holds} holds: no RequestAuthentication verifies tokens for these workloads");
    let hint =
        "a RequestAuthentication for the same workloads is needed, in this namespace or the root namespace";
    let code = codes::TOKENS_NOT_VERIFIED;
    Finding::new(code, Level::Warning, policy.resource, &path, message).hint(hint.to_owned())
}
