//! Which server policies with `action: CUSTOM` ask.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::host::resolve_short_name;
use outrigger_api::types::authorization_policy::{Action, AuthorizationPolicy};
use outrigger_api::types::extension_provider::{ExtensionProvider, ServiceName};
use outrigger_api::{Proxy, Resource, Spec};
use outrigger_core::route::Destination;

use super::{Scope, Server};
use crate::envoy::rbac::RbacAction;
use crate::render::rbac::{Applied, Layer, Mapping, rule_name};

/// What Istio's names of such rules begin with.
const PREFIX: &str = "istio-ext-authz";

/// What becomes of the policies of a proxy with `action: CUSTOM`.
#[derive(Debug)]
pub(crate) struct Custom<'c> {
    /// Servers that are asked, in order.
    pub(crate) asked: Vec<Asked<'c>>,
    /// Policies of which nobody can be asked: what they match is refused.
    pub(crate) refused: Vec<Applied<'c>>,
}

/// A server and the policies that name it.
#[derive(Debug)]
pub(crate) struct Asked<'c> {
    pub(crate) provider: &'c ExtensionProvider,
    pub(crate) policies: Vec<Applied<'c>>,
    /// By annotation: the server is asked, and its answers are only counted.
    pub(crate) dry_run: bool,
}

/// Why a provider can't be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// The mesh configuration has none of that name.
    Unknown,
    /// Its service can't be told.
    Misconfigured(String),
}

/// Istio's rules: one server for a workload, and nobody passes if that can't be had. What is tried out never refuses.
pub(crate) fn custom<'c>(scope: &Scope<'c>) -> Custom<'c> {
    let (mut enforced, mut tried) = (BTreeMap::new(), BTreeMap::new());
    for (resource, policy) in scope.policies() {
        let Action::Custom { provider } = &policy.action else { continue };
        let by_provider: &mut BTreeMap<&str, Vec<_>> =
            if policy.dry_run { &mut tried } else { &mut enforced };
        by_provider.entry(provider.as_str()).or_default().push((resource, policy));
    }
    let mut custom = Custom { asked: Vec::new(), refused: Vec::new() };
    let several = enforced.len() > 1;
    for (name, policies) in enforced {
        match usable(scope, name) {
            Ok(provider) if !several => custom.asked.push(Asked { provider, policies, dry_run: false }),
            _ => custom.refused.extend(policies),
        }
    }
    for (name, policies) in tried {
        if let Ok(provider) = usable(scope, name) {
            custom.asked.push(Asked { provider, policies, dry_run: true });
        }
    }
    custom
}

/// The provider of that name.
///
/// # Errors
/// It can't be asked.
pub(crate) fn usable<'c>(scope: &Scope<'c>, name: &str) -> Result<&'c ExtensionProvider, Unusable> {
    let provider = scope.mesh.extension_providers.iter().find(|provider| provider.name == name);
    let provider = provider.ok_or(Unusable::Unknown)?;
    let check = provider.check();
    reachable(scope.resources, &scope.proxy.cluster_domain, &check.service, check.port)
        .map_err(Unusable::Misconfigured)?;
    Ok(provider)
}

/// Whether it can be told where a provider's service is.
///
/// # Errors
/// Why not.
pub(crate) fn reachable(
    resources: &[Resource],
    domain: &str,
    service: &ServiceName,
    port: u16,
) -> Result<(), String> {
    let known = named(resources, &service.host, domain);
    let namespaces: BTreeSet<_> = known.iter().map(|resource| resource.meta.namespace.as_str()).collect();
    let among = namespaces.iter().copied().collect::<Vec<_>>().join("`, `");
    match &service.namespace {
        // A host that nobody names is looked up in DNS.
        _ if known.is_empty() => return Ok(()),
        Some(namespace) if !namespaces.contains(namespace.as_str()) => {
            return Err(format!("`{}` is not in namespace `{namespace}` but in `{among}`", service.host));
        }
        None if namespaces.len() > 1 => {
            return Err(format!(
                "`{}` is in several namespaces (`{among}`): say which by `namespace/host`",
                service.host
            ));
        }
        _ => {}
    }
    if known.iter().any(|resource| has_port(resource, port)) {
        Ok(())
    } else {
        Err(format!("`{}` has no port {port}", service.host))
    }
}

/// What is defined under exactly this host.
fn named<'r>(resources: &'r [Resource], host: &str, domain: &str) -> Vec<&'r Resource> {
    let names = |resource: &&Resource| match &resource.spec {
        Spec::ServiceEntry(entry) => {
            entry.hosts.iter().any(|known| known.to_string().eq_ignore_ascii_case(host))
        }
        Spec::Service(_) => {
            let full = resolve_short_name(&resource.meta.name, &resource.meta.namespace, domain);
            full.eq_ignore_ascii_case(host)
        }
        _ => false,
    };
    resources.iter().filter(names).collect()
}

fn has_port(resource: &Resource, number: u16) -> bool {
    match &resource.spec {
        Spec::ServiceEntry(entry) => entry.ports.iter().any(|port| port.number == number),
        Spec::Service(service) => service.ports.iter().any(|port| port.port == number),
        _ => false,
    }
}

impl Asked<'_> {
    /// Where the server is.
    pub(super) fn server(&self, grpc: bool) -> Server {
        let check = self.provider.check();
        Server { destination: destination(&check.service, check.port), grpc }
    }

    /// Istio's name of a rule; by its beginning the server's filter knows which requests it is to ask about.
    pub(super) fn rule_name(&self, resource: &Resource, rule: usize) -> String {
        name(&self.provider.name, resource, rule)
    }

    /// What the names of all its rules begin with, and of no other's: the bracket ends the provider's.
    pub(super) fn rule_prefix(&self) -> String {
        format!("{PREFIX}-{}-ns[", self.provider.name)
    }
}

/// Istio's name of a rule that refuses since nobody can be asked.
pub(crate) fn refused_name(resource: &Resource, rule: usize) -> String {
    let provider = match &resource.spec {
        Spec::AuthorizationPolicy(AuthorizationPolicy { action: Action::Custom { provider }, .. }) => {
            provider
        }
        _ => "",
    };
    format!("{}-deny-due-to-bad-CUSTOM-action", name(provider, resource, rule))
}

fn name(provider: &str, resource: &Resource, rule: usize) -> String {
    format!("{PREFIX}-{provider}-{}", rule_name(resource, rule))
}

/// Where a server is.
pub(crate) fn destination(service: &ServiceName, port: u16) -> Destination {
    Destination { host: service.host.to_ascii_lowercase(), subset: None, port }
}

/// How the rules of policies with `action: CUSTOM` are translated: a match is told, and does nothing by itself.
pub(super) fn mapping<'m>(proxy: &'m Proxy, layer: Layer) -> Mapping<'m> {
    Mapping { layer, action: RbacAction::Deny, proxy }
}
