//! Which of our modules make sense where, and why.

use outrigger_api::{Proxy, Resource, Role, Spec};

use super::error::Error;
use super::left_out;
use crate::modules::Module;
use crate::render::part::may_be_for;
use crate::render::routed::Routed;

/// The value of `--modules`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// What makes sense there and has something to do.
    #[default]
    Sensible,
    /// All five policies in one module.
    Suite,
    /// A module for each, of those that can work there.
    Separate,
    /// These.
    Named(Vec<Module>),
}

/// Who configures the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    /// istiod
    Istio,
    /// Envoy Gateway
    EnvoyGateway,
    /// Its owner.
    Envoy,
}

/// The modules that are chosen, and what should be said about the others.
#[derive(Debug)]
pub(super) struct Chosen {
    /// In the order in which requests meet them.
    pub(super) modules: Vec<Module>,
    /// For people.
    pub(super) notes: Vec<String>,
}

/// The module of a name.
pub(super) fn named(name: &str) -> Result<Module, String> {
    Module::ALL.into_iter().find(|module| module.name() == name).ok_or_else(|| {
        format!("`{name}` is none of our modules: suite, jwt-authn, authz, fault, router, metrics")
    })
}

impl Choice {
    /// Reads `suite`, `separate` or names with commas between.
    ///
    /// # Errors
    /// A name that none of our modules has.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "suite" => Ok(Self::Suite),
            "separate" => Ok(Self::Separate),
            names => {
                let named: Vec<_> =
                    names.split(',').map(|name| named(name.trim())).collect::<Result<_, _>>()?;
                if named.contains(&Module::Suite) {
                    return Err("`suite` has all five policies: it is chosen alone".to_owned());
                }
                // In the order in which requests have to meet them, each once.
                let in_order = Module::SEPARATE.into_iter().filter(|module| named.contains(module));
                Ok(Self::Named(in_order.collect()))
            }
        }
    }

    /// The modules for `proxy`.
    ///
    /// # Errors
    /// One is asked for that can't work there, or none makes sense.
    pub(super) fn choose(
        &self,
        platform: Platform,
        resources: &[Resource],
        proxy: &Proxy,
    ) -> Result<Chosen, Error> {
        let refusal = |module| refusal(module, platform, proxy.role);
        let asked = |modules: Vec<Module>| match modules.iter().find_map(|module| refusal(*module)) {
            Some(why) => Err(Error::Asked(why)),
            None => Ok(Chosen { modules, notes: Vec::new() }),
        };
        match self {
            Self::Suite => asked(vec![Module::Suite]),
            Self::Named(modules) => asked(modules.clone()),
            Self::Separate => {
                let (modules, others): (Vec<_>, Vec<_>) =
                    Module::SEPARATE.into_iter().partition(|module| refusal(*module).is_none());
                let notes = others.into_iter().filter_map(refusal).collect();
                Ok(Chosen { modules, notes })
            }
            Self::Sensible if platform == Platform::Envoy => asked(vec![Module::Suite]),
            Self::Sensible => sensible(platform, resources, proxy),
        }
    }
}

fn sensible(platform: Platform, resources: &[Resource], proxy: &Proxy) -> Result<Chosen, Error> {
    let routed = Routed::new(resources, proxy);
    let has = |wanted: fn(&Spec) -> bool| {
        resources
            .iter()
            .any(|resource| wanted(&resource.spec) && may_be_for(resource, proxy, &routed) != Some(false))
    };
    let mut modules = Vec::new();
    if has(|spec| matches!(spec, Spec::RequestAuthentication(_))) {
        modules.push(Module::JwtAuthn);
    }
    if has(|spec| matches!(spec, Spec::AuthorizationPolicy(_))) {
        modules.push(Module::Authz);
    }
    if routed.has_faults() {
        modules.push(Module::Fault);
    }
    if modules.is_empty() {
        let others = left_out::virtual_services(resources, proxy, &routed, &has_faults);
        let others: String = others.into_iter().map(|note| format!("\nnote: {note}")).collect();
        return Err(Error::Refused(format!(
            "nothing to render: no RequestAuthentication or AuthorizationPolicy is for this proxy, and no \
             VirtualService for it has faults{others}\n\
             hint: say who the proxy is with `--namespace`, `--selector` or `--label`; or name modules with `--modules`"
        )));
    }
    let controller = match platform {
        Platform::EnvoyGateway => "Envoy Gateway",
        Platform::Istio | Platform::Envoy => "istiod",
    };
    let mut notes = Vec::new();
    if modules.contains(&Module::Fault) {
        notes.push(format!("routes are {controller}'s: of VirtualServices only faults are rendered"));
    }
    Ok(Chosen { modules, notes })
}

/// Whether it is a VirtualService with faults.
pub(super) fn has_faults(resource: &Resource) -> bool {
    match &resource.spec {
        Spec::VirtualService(service) => service.http.iter().any(|rule| rule.fault.is_some()),
        _ => false,
    }
}

/// Why a module can't work there; `None`: it can.
fn refusal(module: Module, platform: Platform, role: Role) -> Option<String> {
    let why = match (module, platform, role) {
        (_, Platform::EnvoyGateway, Role::Sidecar) => {
            "Envoy Gateway has no sidecars; leave `--role sidecar` out"
        }
        (Module::Router, Platform::EnvoyGateway, _) => {
            "it needs a route by `cluster_header`, which the Gateway API can't say; route with HTTPRoutes"
        }
        (Module::Suite, Platform::EnvoyGateway, _) => {
            "it routes, and routes are HTTPRoutes there; `--modules separate` has the others"
        }
        (Module::Router, Platform::Istio, Role::Sidecar) => {
            "a sidecar's outbound routes are istiod's, one table for each port; apply the VirtualServices instead"
        }
        _ => return None,
    };
    Some(format!("`{}` can't work there: {why}", module.name()))
}

/// What a module is for where a controller carries out the same resources, and what must not be done besides.
pub(super) fn reason(module: Module, platform: Platform) -> &'static str {
    match (module, platform) {
        (Module::JwtAuthn, Platform::Istio) => {
            "istiod carries out RequestAuthentications too. This is for what it lacks: dry runs, keys that are kept \
             while their server is down, a cache of tokens. Don't apply the same resources to the cluster: each \
             token would be verified twice, and what a dry run lets pass refused."
        }
        (Module::Authz, Platform::Istio) => {
            "istiod carries out AuthorizationPolicies too. This is for what it lacks: a record of which rule has \
             decided, counters of what dry runs would have changed, templates, a cost that does not grow with the \
             rules. Don't apply the same resources to the cluster: both would decide. It knows tokens only from our \
             own jwt-authn."
        }
        (Module::Fault, Platform::Istio) => {
            "istiod injects faults too. This is for what it lacks: dry runs, caps, expiry, sampling by header. Apply \
             the VirtualServices to the cluster without `fault`: each fault would be drawn twice."
        }
        (Module::Router, Platform::Istio) => {
            "istiod routes too. This is for weights that keep a caller at one side, and for tables whose cost does \
             not grow. Don't apply the same VirtualServices to the cluster. It sends requests to clusters that \
             istiod makes of Services, ServiceEntries and DestinationRules: apply those."
        }
        (Module::Metrics, Platform::Istio) => {
            "istiod's proxies count requests too, under the same names. This is for bounded series and path \
             templates. Turn Istio's own off by a Telemetry, or each request is counted twice."
        }
        (Module::Suite, Platform::Istio) => {
            "istiod carries out the same resources. Don't apply RequestAuthentications, AuthorizationPolicies and \
             VirtualServices to the cluster as well, and turn Istio's own metrics off by a Telemetry, or each \
             request is counted twice."
        }
        (Module::JwtAuthn, _) => {
            "Envoy Gateway verifies tokens by SecurityPolicy. This is for RequestAuthentications as they are, dry \
             runs and a cache of tokens. Use one of the two."
        }
        (Module::Authz, _) => {
            "Envoy Gateway authorizes by SecurityPolicy. This is for AuthorizationPolicies as they are, a record of \
             which rule has decided, and counters of what dry runs would have changed."
        }
        (Module::Fault, _) => {
            "Envoy Gateway injects faults by BackendTrafficPolicy. This is for dry runs, caps, expiry and sampling \
             by header. Use one of the two."
        }
        (Module::Metrics, _) => {
            "Istio's metrics, which Envoy Gateway has not. Their labels need `stats_tags` in the bootstrap of an \
             EnvoyProxy; `outrigger render --to envoy --snippet --modules metrics` prints them."
        }
        (Module::Router | Module::Suite, _) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        assert_eq!(Choice::parse("suite"), Ok(Choice::Suite));
        let named = Choice::parse("fault, jwt-authn,fault").unwrap();
        assert_eq!(named, Choice::Named(vec![Module::JwtAuthn, Module::Fault]));
        for bad in ["", "jwt", "suite,authz", "authz,"] {
            assert!(Choice::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_can_not_work_is_refused_by_name() {
        let sidecar = Proxy { role: Role::Sidecar, ..Proxy::default() };
        for (choice, platform, proxy, name) in [
            (Choice::Named(vec![Module::Router]), Platform::EnvoyGateway, &Proxy::default(), "`router`"),
            (Choice::Suite, Platform::EnvoyGateway, &Proxy::default(), "`suite`"),
            (Choice::Named(vec![Module::Router]), Platform::Istio, &sidecar, "`router`"),
        ] {
            let said = choice.choose(platform, &[], proxy).unwrap_err().to_string();
            assert!(said.starts_with(name), "{said}");
        }
        let chosen = Choice::Separate.choose(Platform::EnvoyGateway, &[], &Proxy::default()).unwrap();
        assert_eq!(chosen.modules, [Module::JwtAuthn, Module::Authz, Module::Fault, Module::Metrics],);
        assert_eq!(chosen.notes.len(), 1);
        assert!(Choice::Sensible.choose(Platform::Istio, &[], &Proxy::default()).is_err());
    }
}
