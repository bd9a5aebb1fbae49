//! Policies on connections whose bytes are passed on.

use outrigger_api::types::authorization_policy::Action;

use super::provider::{self, Asked, custom};
use super::{Guard, Scope, ext_authz};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::rbac::{NetworkRbac, RbacAction, RbacRules};
use crate::render::rbac::{Applied, Layer, Mapping, rbac, rule_name};

/// Istio's prefix of the statistics.
const STAT_PREFIX: &str = "tcp.";

/// Network filters in Istio's order: CUSTOM, AUDIT, DENY, ALLOW.
pub(in crate::render) fn on_connections(scope: &Scope<'_>) -> Guard<Extension> {
    let custom = custom(scope);
    let mut guard = Guard { filters: Vec::new(), servers: Vec::new() };
    if !custom.refused.is_empty() {
        let mapping = provider::mapping(scope.proxy, Layer::Tcp);
        let rules = rbac(&custom.refused, mapping, provider::refused_name);
        guard.filters.push(filter(RbacRules { rules: Some(rules), ..RbacRules::default() }));
    }
    for asked in &custom.asked {
        let Some(asks) = ext_authz::of_connections(asked) else { continue };
        guard.filters.push(filter(matching(asked, scope)));
        let asks = Any::NetworkExtAuthz(Box::new(asks));
        guard.filters.push(Extension::new("envoy.filters.network.ext_authz", asks));
        guard.servers.push(asked.server(true));
    }
    let policies = scope.policies();
    for (action, kind, prefix) in [
        (Action::Audit, RbacAction::Log, ""),
        (Action::Deny, RbacAction::Deny, "istio_dry_run_deny_"),
        (Action::Allow, RbacAction::Allow, "istio_dry_run_allow_"),
    ] {
        let of = |dry_run: bool| -> Vec<Applied<'_>> {
            let policies = policies.iter().copied();
            policies.filter(|(_, policy)| policy.action == action && policy.dry_run == dry_run).collect()
        };
        let mapping = Mapping { layer: Layer::Tcp, action: kind, proxy: scope.proxy };
        // A policy counts even if none of its rules can be carried out here: an ALLOW policy then refuses.
        let rules =
            |policies: Vec<Applied<'_>>| (!policies.is_empty()).then(|| rbac(&policies, mapping, rule_name));
        let (enforced, tried) = (rules(of(false)), rules(of(true)));
        if enforced.is_some() || tried.is_some() {
            guard.filters.push(filter(RbacRules {
                shadow_rules_stat_prefix: if tried.is_some() { prefix } else { "" },
                rules: enforced,
                shadow_rules: tried,
            }));
        }
    }
    guard
}

fn matching(asked: &Asked<'_>, scope: &Scope<'_>) -> RbacRules {
    let mapping = provider::mapping(scope.proxy, Layer::Tcp);
    let rules = rbac(&asked.policies, mapping, |resource, rule| asked.rule_name(resource, rule));
    RbacRules {
        rules: None,
        shadow_rules: Some(rules),
        shadow_rules_stat_prefix: ext_authz::stat_prefix(asked),
    }
}

fn filter(rules: RbacRules) -> Extension {
    let filter = NetworkRbac { rules, stat_prefix: STAT_PREFIX };
    Extension::new("envoy.filters.network.rbac", Any::NetworkRbac(Box::new(filter)))
}
