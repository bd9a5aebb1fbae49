//! Servers that are asked about requests.

use outrigger_api::types::extension_provider::ProviderKind;

use super::provider::{self, Asked, custom};
use super::{Guard, Scope, ext_authz};
use crate::envoy::Any;
use crate::envoy::http::HttpFilter;
use crate::envoy::rbac::RbacRules;
use crate::render::rbac::{Layer, rbac};

/// For each server a filter that finds out whether it is to be asked, and one that asks. What nobody can be asked about
/// is refused first.
pub(in crate::render) fn on_requests(scope: &Scope<'_>) -> Guard<HttpFilter> {
    let custom = custom(scope);
    let mut filters = Vec::new();
    if !custom.refused.is_empty() {
        let mapping = provider::mapping(scope.proxy, Layer::Http);
        let rules = rbac(&custom.refused, mapping, provider::refused_name);
        filters.push(filter(RbacRules { rules: Some(rules), ..RbacRules::default() }));
    }
    let mut servers = Vec::new();
    for asked in &custom.asked {
        filters.push(filter(matching(asked, scope)));
        let asks = Any::HttpExtAuthz(Box::new(ext_authz::of_requests(asked)));
        filters.push(HttpFilter::new("envoy.filters.http.ext_authz", asks));
        servers.push(asked.server(matches!(asked.provider.kind, ProviderKind::ExtAuthzGrpc(_))));
    }
    Guard { filters, servers }
}

/// A match is told in metadata, by which the next filter knows.
fn matching(asked: &Asked<'_>, scope: &Scope<'_>) -> RbacRules {
    let mapping = provider::mapping(scope.proxy, Layer::Http);
    let rules = rbac(&asked.policies, mapping, |resource, rule| asked.rule_name(resource, rule));
    RbacRules {
        rules: None,
        shadow_rules: Some(rules),
        shadow_rules_stat_prefix: ext_authz::stat_prefix(asked),
    }
}

fn filter(rules: RbacRules) -> HttpFilter {
    HttpFilter::new("envoy.filters.http.rbac", Any::HttpRbac(Box::new(rules)))
}
