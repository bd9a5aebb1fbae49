//! What of a rule only requests have.

use outrigger_api::types::authorization_policy::{Condition, Rule};

/// The fields of the rule at `index` that nothing is known of on a connection, by their paths.
pub(in crate::render) fn http_only(rule: &Rule, index: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |place: String, field: &str, is_empty: [bool; 2]| {
        let [values, not_values] = is_empty;
        let mut letters = field.chars();
        let first = letters.next().unwrap_or_default().to_ascii_uppercase();
        let not_field = format!("not{first}{}", letters.as_str());
        if !values {
            found.push(format!("spec.rules[{index}].{place}.{field}"));
        }
        if !not_values {
            found.push(format!("spec.rules[{index}].{place}.{not_field}"));
        }
    };
    for (at, from) in rule.from.iter().enumerate() {
        let lists = &from.request_principals;
        let empty = [lists.values.is_empty(), lists.not_values.is_empty()];
        look(format!("from[{at}].source"), "requestPrincipals", empty);
    }
    for (at, to) in rule.to.iter().enumerate() {
        for (field, lists) in [("hosts", &to.hosts), ("methods", &to.methods)] {
            let empty = [lists.values.is_empty(), lists.not_values.is_empty()];
            look(format!("to[{at}].operation"), field, empty);
        }
        let empty = [to.paths.values.is_empty(), to.paths.not_values.is_empty()];
        look(format!("to[{at}].operation"), "paths", empty);
    }
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

/// Whether a rule asks who the client is by its certificate.
pub(in crate::render) fn asks_for_peer(rule: &Rule) -> bool {
    let by_source = rule.from.iter().any(|from| {
        !(from.principals.is_empty()
            && from.namespaces.is_empty()
            && from.service_accounts.is_empty()
            && from.trust_domains.is_empty())
    });
    let by_condition = rule.when.iter().any(|condition| {
        matches!(
            condition,
            Condition::SourcePrincipal(_)
                | Condition::SourceNamespace(_)
                | Condition::SourceServiceAccount(_)
                | Condition::SourceTrustDomain(_)
        )
    });
    by_source || by_condition
}
