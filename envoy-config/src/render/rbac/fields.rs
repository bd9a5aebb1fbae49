//! Which fields of a rule only requests have, which ask who the client is, and for which ports they are.

use outrigger_api::types::authorization_policy::{Condition, Rule, Values};

/// A field that asks something, by its path, such as `spec.rules[0].from[0].source.notPrincipals`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render) struct Asking {
    pub(in crate::render) path: String,
    /// It holds where none of its values is found.
    pub(in crate::render) negative: bool,
}

/// What is at `place`.
struct Found {
    place: String,
    all: Vec<Asking>,
}

impl Found {
    /// The field and its `not…` twin, as far as they ask something.
    fn look<T>(&mut self, field: &str, lists: &Values<T>) {
        let mut letters = field.chars();
        let first = letters.next().unwrap_or_default().to_ascii_uppercase();
        let not_field = format!("not{first}{}", letters.as_str());
        for (list, name, negative) in [(&lists.values, field, false), (&lists.not_values, &not_field, true)] {
            if !list.is_empty() {
                self.all.push(Asking { path: format!("{}.{name}", self.place), negative });
            }
        }
    }
}

/// Whether a rule can hold for connections to `port`, which is not known of a proxy that has several.
pub(in crate::render) fn is_for(rule: &Rule, port: Option<u16>) -> bool {
    let when = rule.when.iter().all(|condition| match condition {
        Condition::DestinationPort(ports) => includes(ports, port),
        _ => true,
    });
    when && (rule.to.is_empty() || rule.to.iter().any(|operation| includes(&operation.ports, port)))
}

fn includes(ports: &Values<u16>, port: Option<u16>) -> bool {
    port.is_none_or(|port| {
        (ports.values.is_empty() || ports.values.contains(&port)) && !ports.not_values.contains(&port)
    })
}

/// The fields of the rule at `index` that nothing is known of on a connection to `port`, by their paths.
pub(in crate::render) fn http_only(rule: &Rule, index: usize, port: Option<u16>) -> Vec<String> {
    let mut found = Found { place: String::new(), all: Vec::new() };
    for (at, from) in rule.from.iter().enumerate() {
        found.place = format!("spec.rules[{index}].from[{at}].source");
        found.look("requestPrincipals", &from.request_principals);
    }
    for (at, to) in rule.to.iter().enumerate().filter(|(_, to)| includes(&to.ports, port)) {
        found.place = format!("spec.rules[{index}].to[{at}].operation");
        found.look("hosts", &to.hosts);
        found.look("methods", &to.methods);
        found.look("paths", &to.paths);
    }
    let mut found: Vec<_> = found.all.into_iter().map(|asking| asking.path).collect();
    for (at, condition) in rule.when.iter().enumerate() {
        let of_requests = matches!(
            condition,
            Condition::RequestHeader(..)
                | Condition::RequestPrincipal(_)
                | Condition::RequestAudiences(_)
                | Condition::RequestPresenter(_)
                | Condition::RequestClaim(..)
        );
        if of_requests {
            found.push(format!("spec.rules[{index}].when[{at}].key"));
        }
    }
    found
}

/// The fields of the rule at `index` that ask who the client is by its certificate.
pub(in crate::render) fn peers(rule: &Rule, index: usize) -> Vec<Asking> {
    let mut found = Found { place: String::new(), all: Vec::new() };
    for (at, from) in rule.from.iter().enumerate() {
        found.place = format!("spec.rules[{index}].from[{at}].source");
        found.look("principals", &from.principals);
        found.look("namespaces", &from.namespaces);
        found.look("serviceAccounts", &from.service_accounts);
        found.look("trustDomains", &from.trust_domains);
    }
    for (at, condition) in rule.when.iter().enumerate() {
        found.place = format!("spec.rules[{index}].when[{at}]");
        match condition {
            Condition::SourcePrincipal(lists) | Condition::SourceTrustDomain(lists) => {
                found.look("values", lists);
            }
            Condition::SourceNamespace(lists) => found.look("values", lists),
            Condition::SourceServiceAccount(lists) => found.look("values", lists),
            _ => {}
        }
    }
    found.all
}
