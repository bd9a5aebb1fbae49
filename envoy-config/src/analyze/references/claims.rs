//! Routes by claims of a token which no RequestAuthentication verifies.

use outrigger_api::select::applies;
use outrigger_api::types::common::{GatewayRef, Labels, Target, TargetKind, WorkloadSelector};
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest, VirtualService};
use outrigger_api::{Proxy, Resource, Role, Spec};

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::Registry;

/// For which workloads tokens are verified.
pub(super) struct Verified<'r> {
    /// The namespace and the target of each RequestAuthentication that verifies any.
    policies: Vec<(&'r str, &'r Target)>,
    registry: &'r Registry<'r>,
    proxy: &'r Proxy,
}

impl<'r> Verified<'r> {
    pub(super) fn new(resources: &'r [Resource], registry: &'r Registry<'r>, proxy: &'r Proxy) -> Self {
        let policies = resources.iter().filter_map(|resource| match &resource.spec {
            Spec::RequestAuthentication(authentication)
                if !authentication.jwt_rules.is_empty() && !authentication.annotations.dry_run =>
            {
                Some((&*resource.meta.namespace, &authentication.target))
            }
            _ => None,
        });
        Self { policies: policies.collect(), registry, proxy }
    }

    /// Reports the matches by claims of a VirtualService that is for a gateway without tokens.
    pub(super) fn check(&self, resource: &Resource, service: &VirtualService, findings: &mut Vec<Finding>) {
        let mut asking = Vec::new();
        for (rule, route) in service.http.iter().enumerate() {
            for (n, entry) in route.matches.iter().enumerate() {
                asking.extend(fields(entry).map(|field| format!("spec.http[{rule}].match[{n}].{field}")));
            }
        }
        if asking.is_empty()
            || self.registry.any_broken(&["RequestAuthentication"])
            || service.gateways.iter().all(|gateway| self.verifies(gateway))
        {
            return;
        }
        for path in asking {
            let message = "the route asks for a claim, but no RequestAuthentication is for this gateway, so it never \
                           matches";
            let code = codes::CLAIM_ROUTE_WITHOUT_AUTHENTICATION;
            findings.push(Finding::new(code, Level::Error, resource, &path, message.to_owned()));
        }
    }

    fn verifies(&self, gateway: &GatewayRef) -> bool {
        let GatewayRef::Named { namespace, name } = gateway else { return true };
        self.registry
            .gateway(namespace, name)
            .is_none_or(|gateway| self.selects(namespace, &gateway.selector))
    }

    /// Whether one is for the proxies of a Gateway of this namespace. If this proxy is one of them, it decides, and beside it a
    /// policy in the Gateway's own namespace, where another of them may be. Of others no more is known than their labels.
    fn selects(&self, gateway_namespace: &str, selector: &WorkloadSelector) -> bool {
        let own = self.proxy.role == Role::Gateway && selector.matches(&self.proxy.labels);
        let elsewhere =
            |namespace: &str| !own || (namespace == gateway_namespace && namespace != self.proxy.namespace);
        self.policies.iter().any(|(namespace, target)| {
            own && applies(target, namespace, self.proxy)
                || elsewhere(namespace) && self.may_select(target, &selector.0)
        })
    }

    fn may_select(&self, target: &Target, labels: &Labels) -> bool {
        match target {
            Target::All => true,
            Target::Selector(selector) => selector.matches(labels) || selector.matches(&self.proxy.labels),
            Target::Refs(refs) => refs.iter().any(|target| target.kind == TargetKind::Gateway),
        }
    }
}

/// The fields of a match that ask for a claim.
fn fields(entry: &HttpMatchRequest) -> impl Iterator<Item = &'static str> {
    let lists = [("headers", &entry.headers), ("withoutHeaders", &entry.without_headers)];
    let asks = |key: &HeaderKey| matches!(key, HeaderKey::Claim(_));
    lists.into_iter().filter(move |(_, list)| list.iter().any(|(key, _)| asks(key))).map(|(field, _)| field)
}
