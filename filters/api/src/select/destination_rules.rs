//! The DestinationRules of a host, as a client in the proxy's namespace sees them.

use super::{by_age, is_visible};
use crate::config::Proxy;
use crate::host::HostPattern;
use crate::ordered;
use crate::resource::{Resource, Spec};
use crate::types::common::ExportTo;
use crate::types::destination_rule::{DestinationRule, PolicySettings, Subset, TrafficPolicy};

/// Rules for one host, which Istio merges: the first traffic policy counts, subsets are added up.
#[derive(Debug, Default)]
pub struct DestinationRules<'r>(Vec<(&'r Resource, &'r DestinationRule)>);

impl<'r> DestinationRules<'r> {
    /// The rules for `host`, fully qualified, whose service is of the namespace that the resources say.
    pub fn find(resources: &'r [Resource], proxy: &Proxy, host: &str) -> Self {
        Self::of_service(resources, proxy, host, namespace_of(resources, proxy, host))
    }

    /// The rules of the first of these namespaces that has some: the proxy's own, the service's, the root; there those
    /// with the most specific host. What the root namespace exports is for the whole mesh, so it comes last for a proxy
    /// of the root namespace, too. Where no resource declares the service, it is of the namespace in its name.
    pub fn of_service(resources: &'r [Resource], proxy: &Proxy, host: &str, namespace: Option<&str>) -> Self {
        let root = proxy.root_namespace.as_str();
        let in_name = || name_in_mesh(proxy, host).map(|(_, namespace)| namespace);
        let places = [
            Some((proxy.namespace.as_str(), proxy.namespace == root)),
            namespace.or_else(in_name).map(|namespace| (namespace, false)),
            Some((root, false)),
        ];
        let found = places.into_iter().flatten().map(|place| Self::of(resources, proxy, host, place));
        found.into_iter().find(|rules| !rules.0.is_empty()).unwrap_or_default()
    }

    /// `private`: of those for nobody else.
    fn of(resources: &'r [Resource], proxy: &Proxy, host: &str, (namespace, private): (&str, bool)) -> Self {
        let mut rules = Vec::new();
        for resource in resources.iter().filter(|resource| resource.meta.namespace == namespace) {
            let Spec::DestinationRule(rule) = &resource.spec else { continue };
            let pattern = rule.host.resolve(namespace, &proxy.cluster_domain);
            let selected = rule
                .workload_selector
                .as_ref()
                .is_none_or(|selector| namespace == proxy.namespace && selector.matches(&proxy.labels));
            let visible = is_visible(&rule.export_to, namespace, &proxy.namespace)
                && (!private || is_private(rule, namespace));
            if pattern.covers(host) && visible && selected {
                rules.push((pattern, (resource, &**rule)));
            }
        }
        // A rule that selects the proxy comes before those for all, then the oldest.
        ordered::sort_by(&mut rules, |(one, (of, rule)), (other, (from, second))| {
            let for_all = |rule: &DestinationRule| rule.workload_selector.is_none();
            one.by_specificity(other).then(for_all(rule).cmp(&for_all(second))).then_with(|| by_age(of, from))
        });
        let mut found: Vec<(&Resource, &DestinationRule)> = Vec::new();
        let mut best = None;
        for (pattern, (resource, rule)) in rules {
            let fits = found.first().is_none_or(|(_, first)| {
                // With one that selects the proxy Istio merges what is for its own namespace as well, and nothing else.
                best.as_ref() == Some(&pattern)
                    && match (&first.workload_selector, &rule.workload_selector) {
                        (None, _) => true,
                        (Some(_), None) => is_private(rule, namespace),
                        (Some(one), Some(other)) => one.matches(&other.0) && other.matches(&one.0),
                    }
            });
            if fits {
                found.push((resource, rule));
                best = Some(pattern);
            }
        }
        Self(found)
    }

    /// The subset of this name.
    pub fn subset(&self, name: &str) -> Option<&'r Subset> {
        self.0.iter().flat_map(|(_, rule)| &rule.subsets).find(|subset| subset.name == name)
    }

    /// The traffic policy for the whole host, with its resource.
    pub fn policy(&self) -> Option<(&'r Resource, &'r TrafficPolicy)> {
        self.0.iter().find_map(|(resource, rule)| Some((*resource, rule.traffic_policy.as_ref()?)))
    }

    /// Where a subset stands: its resource, and its place in the list there.
    pub fn place(&self, subset: &Subset) -> Option<(&'r Resource, usize)> {
        self.0.iter().find_map(|(resource, rule)| {
            let index = rule.subsets.iter().position(|one| std::ptr::eq(one, subset))?;
            Some((*resource, index))
        })
    }

    /// The rules' resources.
    pub fn resources(&self) -> impl Iterator<Item = &'r Resource> {
        self.0.iter().map(|(resource, _)| *resource)
    }

    /// What is said for a port of a subset, field by field the first that says something. What is said for a single
    /// port takes the place of what the same policy says for all; where a subset says something for it, nothing else
    /// counts.
    pub fn settings(&self, port: u16, subset: Option<&'r Subset>) -> Vec<&'r PolicySettings> {
        let of_port = |policy: &'r TrafficPolicy| {
            let found = policy.port_level_settings.iter().find(|one| one.port == port);
            found.map_or((&policy.settings, false), |one| (&one.settings, true))
        };
        let own = subset.and_then(|subset| subset.traffic_policy.as_ref()).map(of_port);
        let whole = self.policy().map(|(_, policy)| of_port(policy).0);
        match own {
            Some((own, true)) => vec![own],
            Some((own, false)) => std::iter::once(own).chain(whole).collect(),
            None => whole.into_iter().collect(),
        }
    }
}

/// Whether a rule of `namespace` is for clients there alone.
fn is_private(rule: &DestinationRule, namespace: &str) -> bool {
    rule.workload_selector.is_some()
        || matches!(&rule.export_to, ExportTo::Namespaces(names) if names.iter().all(|name| name == namespace))
}

/// The namespace of the Service with this host, or else of the ServiceEntry that names it best, where the proxy's own comes
/// first, then the oldest.
fn namespace_of<'r>(resources: &'r [Resource], proxy: &Proxy, host: &str) -> Option<&'r str> {
    let mut best: Option<(&HostPattern, &Resource)> = None;
    for resource in resources {
        let namespace = resource.meta.namespace.as_str();
        match &resource.spec {
            Spec::Service(_) if name_in_mesh(proxy, host) == Some((&resource.meta.name, namespace)) => {
                return Some(namespace);
            }
            Spec::ServiceEntry(entry) if is_visible(&entry.export_to, namespace, &proxy.namespace) => {
                let hosts = entry.hosts.iter().filter(|pattern| pattern.covers(host));
                let named = hosts.min_by(|one, other| one.by_specificity(other));
                let foreign = |resource: &Resource| resource.meta.namespace != proxy.namespace;
                let better = |named: &HostPattern, (best, of): (&HostPattern, &Resource)| {
                    let order = named.by_specificity(best).then(foreign(resource).cmp(&foreign(of)));
                    order.then_with(|| by_age(resource, of)).is_lt()
                };
                if let Some(named) = named.filter(|named| best.is_none_or(|best| better(named, best))) {
                    best = Some((named, resource));
                }
            }
            _ => {}
        }
    }
    best.map(|(_, resource)| resource.meta.namespace.as_str())
}

/// The name and namespace in the host of a Service.
fn name_in_mesh<'h>(proxy: &Proxy, host: &'h str) -> Option<(&'h str, &'h str)> {
    let name = host.strip_suffix(proxy.cluster_domain.as_str())?.strip_suffix(".svc.")?;
    name.rsplit_once('.')
}
