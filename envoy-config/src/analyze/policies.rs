//! AuthorizationPolicies that say something other than their author meant, or nothing at all.

mod claims;
mod contradictions;
mod cover;
mod empty;
mod field;
mod index;
mod key;
mod namespaces;
mod peers;
mod rules;
#[cfg(test)]
mod scale;
mod shadowed;
mod shape;
mod values;

use outrigger_api::{Proxy, Resource};

use super::finding::Finding;
use super::registry::Registry;
use claims::Verified;
use field::TrustDomains;
use namespaces::Namespaces;
use peers::Peers;

/// Looks at each policy by itself, and at all of them together. Returns how many pairs of rules were compared.
pub(super) fn check(
    resources: &[Resource],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) -> usize {
    let policies = rules::policies(resources, TrustDomains::new(proxy));
    if policies.is_empty() {
        return 0;
    }
    let root_namespace = &*proxy.root_namespace;
    // What a broken resource says is not known.
    let verified =
        (!registry.any_broken(&["RequestAuthentication"])).then(|| Verified::new(resources, root_namespace));
    let mut peers =
        (!registry.any_broken(&["PeerAuthentication", "Gateway"])).then(|| Peers::new(resources, proxy));
    let namespaces =
        if registry.any_broken(&["Namespace"]) { None } else { Namespaces::new(resources, proxy) };
    let mut dead = Vec::new();
    for policy in &policies {
        let contradictory = contradictions::check(policy, findings);
        let impossible = values::check(policy, findings);
        let rules: Vec<_> =
            contradictory.iter().zip(&impossible).map(|(one, other)| *one || *other).collect();
        empty::check(policy, &rules, findings);
        if let Some(verified) = &verified {
            verified.check(policy, findings);
        }
        if let Some(peers) = &mut peers {
            peers.check(policy, findings);
        }
        if let Some(namespaces) = &namespaces {
            namespaces.check(policy, findings);
        }
        dead.push(rules);
    }
    shadowed::check(&policies, &dead, root_namespace, findings)
}
