//! What one module gets, and what it needs of the Envoy around it, where somebody else configures that Envoy.

use std::collections::BTreeSet;

use outrigger_api::types::extension_provider::ExtensionProvider;
use outrigger_api::{Config, DecisionRecord, Kind, MetricLimits, Problem, Proxy, Resource, Spec, select};
use outrigger_core::jwt::fetch::Source;
use outrigger_core::route::{Destination, Profile, Table};
use outrigger_core::{Attributes, PolicyEngine, PolicySet};

use super::routed::Routed;
use super::{clusters, filters, label_names};
use crate::modules::Module;

/// What `kubectl apply` leaves in a resource: the resource once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A module with its configuration.
#[derive(Debug)]
pub(crate) struct Part {
    /// The module.
    pub(crate) module: Module,
    /// What it gets: of the resources those that it reads and that may be for its proxy.
    pub(crate) config: Config,
    /// What it needs.
    pub(crate) needs: Needs,
}

/// What a filter needs beside it.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Facts of the connection.
    pub(crate) attributes: Attributes,
    /// Clusters that keys of tokens are fetched through.
    pub(crate) keys: BTreeSet<&'static str>,
    /// The servers that it asks about requests.
    pub(crate) providers: Vec<ExtensionProvider>,
    /// Where it sends requests.
    pub(crate) destinations: BTreeSet<Destination>,
    /// The generic routes that it names.
    pub(crate) profiles: BTreeSet<Profile>,
    /// Labels that Telemetries add to metrics.
    pub(crate) labels: BTreeSet<String>,
    /// That messages of gRPC are counted.
    pub(crate) messages: bool,
}

/// What filters get besides resources.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Servers that authorize requests; empty where filters of Envoy's own ask them.
    pub(crate) providers: Vec<ExtensionProvider>,
    /// Where decisions are told.
    pub(crate) record: DecisionRecord,
    /// How much is measured.
    pub(crate) metrics: MetricLimits,
}

/// The part of `module` for `proxy`.
///
/// # Errors
/// What the filter would refuse.
pub(crate) fn part(
    module: Module,
    resources: &[Resource],
    proxy: &Proxy,
    settings: &Settings,
) -> Result<Part, Vec<Problem>> {
    let routed = Routed::new(resources, proxy);
    let read = resources.iter().filter(|resource| {
        reads(module, resource.kind)
            && may_be_for(resource, proxy, &routed) != Some(false)
            && has_rules(resource)
    });
    let mut config = Config {
        proxy: proxy.clone(),
        resources: read.map(lean).collect(),
        decision_record: settings.record.clone(),
        metrics: if counts(module) { settings.metrics } else { MetricLimits::default() },
        extension_providers: Vec::new(),
    };
    if reads(module, Kind::AuthorizationPolicy) {
        config.extension_providers.clone_from(&settings.providers);
    }
    if counts(module) {
        let wrong = label_names::check(&config.resources, proxy);
        if !wrong.is_empty() {
            return Err(wrong);
        }
    }
    let needs = match module {
        Module::Suite => needs::<{ PolicySet::ALL.bits() }>(&config),
        Module::JwtAuthn => needs::<{ PolicySet::JWT.bits() }>(&config),
        Module::Authz => needs::<{ PolicySet::AUTHZ.bits() }>(&config),
        Module::Fault => needs::<{ PolicySet::FAULT.bits() }>(&config),
        Module::Router => needs::<{ PolicySet::ROUTE.bits() }>(&config),
        Module::Metrics => needs::<{ PolicySet::METRICS.bits() }>(&config),
    }?;
    // Of the servers only those that are asked.
    config.extension_providers.retain(|known| needs.providers.contains(known));
    Ok(Part { module, config, needs })
}

/// Whether the module sends requests on, by the generic routes.
pub(crate) fn routes(module: Module) -> bool {
    matches!(module, Module::Suite | Module::Router)
}

/// Whether the module has Istio's metrics.
pub(crate) fn counts(module: Module) -> bool {
    matches!(module, Module::Suite | Module::Metrics)
}

fn needs<const POLICIES: u8>(config: &Config) -> Result<Needs, Vec<Problem>> {
    let engine = PolicyEngine::<POLICIES>::compile(config)?;
    let (table, overrides) = (engine.routes(), engine.overrides());
    let counts = PolicySet::contains_bits(POLICIES, PolicySet::METRICS);
    Ok(Needs {
        attributes: engine.attributes(),
        keys: clusters::jwks::names(engine.key_sources()),
        providers: engine.customs().iter().map(|custom| (*custom.provider).clone()).collect(),
        destinations: table.into_iter().flat_map(Table::destinations).cloned().collect(),
        profiles: table.map(Table::profiles).unwrap_or_default(),
        labels: overrides.added_labels().map(str::to_owned).collect(),
        messages: counts && overrides.counts_messages(),
    })
}

/// The sources of keys that the rules of one RequestAuthentication fetch; errors are told elsewhere.
pub(crate) fn key_sources(resource: &Resource, proxy: &Proxy) -> Vec<Source> {
    let config = Config { proxy: proxy.clone(), resources: vec![resource.clone()], ..Config::default() };
    let engine = PolicyEngine::<{ PolicySet::JWT.bits() }>::compile(&config);
    engine.map(|engine| engine.key_sources().to_vec()).unwrap_or_default()
}

/// What one AuthorizationPolicy asks of a connection; errors are told elsewhere.
pub(crate) fn attributes(resource: &Resource, proxy: &Proxy) -> Attributes {
    let config = Config { proxy: proxy.clone(), resources: vec![resource.clone()], ..Config::default() };
    let engine = PolicyEngine::<{ PolicySet::AUTHZ.bits() }>::compile(&config);
    engine.map(|engine| engine.attributes()).unwrap_or_default()
}

/// Whether a module has a use for resources of this kind: the kinds that its engine has decoders for.
pub(crate) fn reads(module: Module, kind: Kind) -> bool {
    const ROUTES: [Kind; 5] =
        [Kind::DestinationRule, Kind::Gateway, Kind::Service, Kind::ServiceEntry, Kind::VirtualService];
    match module {
        Module::JwtAuthn => kind == Kind::RequestAuthentication,
        Module::Authz => kind == Kind::AuthorizationPolicy,
        Module::Fault | Module::Router => ROUTES.contains(&kind),
        Module::Metrics => kind == Kind::Telemetry,
        Module::Suite => Module::SEPARATE.into_iter().any(|module| reads(module, kind)),
    }
}

/// Whether a policy selects the proxy, or a VirtualService counts there; `None`: it is neither.
pub(crate) fn may_be_for(resource: &Resource, proxy: &Proxy, routed: &Routed<'_>) -> Option<bool> {
    let target = match &resource.spec {
        Spec::AuthorizationPolicy(policy) => &policy.target,
        Spec::RequestAuthentication(policy) => &policy.target,
        Spec::Telemetry(telemetry) => &telemetry.target,
        Spec::VirtualService(_) => return Some(routed.has(resource)),
        _ => return None,
    };
    Some(select::applies(target, &resource.meta.namespace, proxy))
}

/// A Telemetry about logs and traces is not for filters.
fn has_rules(resource: &Resource) -> bool {
    !matches!(&resource.spec, Spec::Telemetry(telemetry) if telemetry.metrics.is_empty())
}

/// Without what filters do not look at.
fn lean(resource: &Resource) -> Resource {
    let mut resource = filters::without_endpoints(resource);
    resource.meta.annotations.remove(LAST_APPLIED);
    resource
}

#[cfg(test)]
mod tests {
    use outrigger_api::parse_yaml;

    use super::*;
    use crate::envoy::wasm::{DataSource, LocalFile};

    const RESOURCES: &str = r#"
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: here
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", a: b}
spec: {action: DENY, rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: elsewhere}
spec: {selector: {matchLabels: {app: other}}, rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec: {jwtRules: [{issuer: "https://idp.example", jwksUri: "https://idp.example/keys"}]}
"#;

    fn settings() -> Settings {
        let (record, metrics) = (DecisionRecord::default(), MetricLimits { max_series: 7 });
        Settings { providers: Vec::new(), record, metrics }
    }

    #[test]
    fn a_module_gets_what_it_reads_and_what_is_for_its_proxy() {
        let resources = parse_yaml(RESOURCES.as_bytes(), "a.yaml", "default").resources;
        let part = |module| part(module, &resources, &Proxy::default(), &settings()).unwrap();
        let authz = part(Module::Authz);
        let json = authz.config.to_json();
        let named: Vec<_> = authz.config.resources.iter().map(|one| one.meta.name.as_str()).collect();
        assert_eq!(named, ["here"]);
        assert_eq!(json["resources"][0]["metadata"]["annotations"], serde_json::json!({"a": "b"}));
        assert!(json.get("metrics").is_none(), "{json}");
        assert!(authz.needs.attributes.contains(Attributes::SOURCE_IP) && authz.needs.keys.is_empty());
        assert!(!authz.needs.messages && part(Module::Suite).needs.messages);
        let tokens = part(Module::JwtAuthn);
        assert_eq!(tokens.needs.keys.into_iter().collect::<Vec<_>>(), ["outrigger-jwks-tls"]);
        assert_eq!(part(Module::Suite).config.to_json()["metrics"]["maxSeries"], 7);
    }

    #[test]
    fn the_filter_reads_what_it_gets() {
        let resources = parse_yaml(RESOURCES.as_bytes(), "a.yaml", "default").resources;
        let part = part(Module::Authz, &resources, &Proxy::default(), &settings()).unwrap();
        let text = part.config.to_json().to_string();
        let read = Config::from_json(text.as_bytes()).unwrap();
        assert_eq!(read.resources.len(), 1);
        let code = DataSource::Local(LocalFile { filename: "/a.wasm".into() });
        assert_eq!(filters::plugin(part.module, &part.config, code).name, "outrigger.authz");
    }
}
