//! By whom: `from`, and the conditions on the client.

use outrigger_api::types::authorization_policy::{Condition, Rule, Source};

use outrigger_core::authz::trust_domain;

use super::clause::{Parts, alternatives};
use super::{Mapping, text};
use crate::envoy::rbac::Principal;
use crate::envoy::route::HeaderMatcher;
use crate::envoy::scalars::StringMatcher;

/// One for each entry of `from`, and whether something about HTTP had to be left out.
pub(super) fn principals(rule: &Rule, mapping: Mapping<'_>) -> (Vec<Principal>, bool) {
    alternatives(&rule.from, |from: &Source| {
        let mut parts = Parts::new(mapping.layer);
        parts.add_many(&from.principals, |principal| {
            let all = trust_domain::of_mesh(principal, mapping.proxy);
            all.iter().map(|principal| authenticated(text::principal(principal))).collect()
        });
        parts.leave_out(&from.request_principals);
        parts.add(&from.service_accounts, |account| authenticated(text::account(account)));
        parts.add_many(&from.trust_domains, |domain| {
            let all = trust_domain::with_aliases(domain, mapping.proxy);
            all.iter().map(|domain| authenticated(text::trust_domain(domain))).collect()
        });
        parts.add(&from.namespaces, |namespace| authenticated(text::namespace(namespace)));
        parts.add(&from.remote_ip_blocks, |block| Principal::RemoteIp((*block).into()));
        parts.add(&from.ip_blocks, |block| Principal::DirectRemoteIp((*block).into()));
        rule.when.iter().for_each(|entry| condition(entry, &mut parts, mapping));
        parts.finish()
    })
}

/// Those about the connection's end here are permissions. Of tokens nothing is known: a connection has none, and a server
/// is asked before they are verified.
fn condition(condition: &Condition, parts: &mut Parts<Principal>, mapping: Mapping<'_>) {
    match condition {
        Condition::RequestHeader(name, lists) => parts.add_http(lists, |value| {
            Principal::Header(HeaderMatcher::new(name.clone(), text::header(value)))
        }),
        Condition::SourceIp(lists) => parts.add(lists, |block| Principal::DirectRemoteIp((*block).into())),
        Condition::RemoteIp(lists) => parts.add(lists, |block| Principal::RemoteIp((*block).into())),
        Condition::SourceNamespace(lists) => {
            parts.add(lists, |namespace| authenticated(text::namespace(namespace)));
        }
        Condition::SourceServiceAccount(lists) => {
            parts.add(lists, |account| authenticated(text::account(account)));
        }
        Condition::SourceTrustDomain(lists) => parts.add_many(lists, |domain| {
            let all = trust_domain::with_aliases(domain, mapping.proxy);
            all.iter().map(|domain| authenticated(text::trust_domain(domain))).collect()
        }),
        Condition::SourcePrincipal(lists) => parts.add_many(lists, |principal| {
            let all = trust_domain::of_mesh(principal, mapping.proxy);
            all.iter().map(|principal| authenticated(text::principal(principal))).collect()
        }),
        Condition::RequestPrincipal(lists) => parts.leave_out(lists),
        Condition::RequestAudiences(lists)
        | Condition::RequestPresenter(lists)
        | Condition::RequestClaim(_, lists) => parts.leave_out(lists),
        Condition::DestinationIp(_)
        | Condition::DestinationPort(_)
        | Condition::ConnectionSni(_)
        | Condition::EnvoyMetadata { .. } => {}
    }
}

fn authenticated(principal_name: StringMatcher) -> Principal {
    Principal::Authenticated { principal_name }
}
