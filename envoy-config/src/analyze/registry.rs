//! What the resources name, so that references can be looked up.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::select::is_visible;
use outrigger_api::types::common::Labels;
use outrigger_api::types::{
    destination_rule::{DestinationRule, Subset},
    gateway::Gateway,
    workload_entry::WorkloadEntry,
};
use outrigger_api::{Problem, Proxy, Resource, Spec};

use super::broken::Broken;
use super::unplaced;
use crate::locality;

/// Services, subsets and gateways by name.
#[derive(Debug)]
pub(super) struct Registry<'r> {
    cluster_domain: &'r str,
    services: BTreeMap<String, BTreeSet<u16>>,
    /// Suffixes of hosts with wildcards.
    wildcards: HashSet<String>,
    /// Of both those that are exported to the proxy's namespace.
    visible: (HashSet<String>, HashSet<String>),
    namespace: &'r str,
    /// Labels of the endpoints of a host, with those of their places; `None` where some of them are not in a ServiceEntry.
    endpoints: HashMap<String, Option<Vec<Labels>>>,
    /// Services that only DNS knows the endpoints of.
    unplaced: HashSet<String>,
    gateways: HashMap<(&'r str, &'r str), &'r Gateway>,
    rules: HashMap<String, Vec<&'r DestinationRule>>,
    /// Those for wildcards.
    wildcard_rules: Vec<&'r DestinationRule>,
    broken: Broken<'r>,
    /// How many names may still be compared for suggestions: a wrong name is worth that, thousands are not.
    comparisons: Cell<usize>,
}

/// Enough for a slip in a mesh of a thousand services, and a fraction of a second.
const COMPARISONS: usize = 200_000;

impl<'r> Registry<'r> {
    /// Collects what `resources` name. What `problems` made unusable counts as there.
    pub(super) fn new(resources: &'r [Resource], problems: &'r [Problem], proxy: &'r Proxy) -> Self {
        let mut registry = Self {
            cluster_domain: &proxy.cluster_domain,
            services: BTreeMap::new(),
            wildcards: HashSet::new(),
            visible: Default::default(),
            namespace: &proxy.namespace,
            endpoints: HashMap::new(),
            unplaced: unplaced::services(resources, &proxy.cluster_domain),
            gateways: HashMap::new(),
            rules: HashMap::new(),
            wildcard_rules: Vec::new(),
            broken: Broken::of(problems),
            comparisons: Cell::new(COMPARISONS),
        };
        for resource in resources {
            registry.add(resource);
        }
        registry
    }

    fn add(&mut self, resource: &'r Resource) {
        let (namespace, name) = (&*resource.meta.namespace, &*resource.meta.name);
        match &resource.spec {
            Spec::Service(service) => {
                let host = format!("{name}.{namespace}.svc.{}", self.cluster_domain);
                self.endpoints.insert(host.clone(), None);
                self.visible.0.insert(host.clone());
                self.services.entry(host).or_default().extend(service.ports.iter().map(|port| port.port));
            }
            Spec::ServiceEntry(entry) => {
                for host in &entry.hosts {
                    let known = self.endpoints.entry(host.to_string()).or_insert_with(|| Some(Vec::new()));
                    match known {
                        Some(labels) if !entry.endpoints.is_empty() => {
                            labels.extend(entry.endpoints.iter().map(with_place));
                        }
                        unknown => *unknown = None,
                    }
                    let ports = entry.ports.iter().map(|port| port.number);
                    let (hosts, suffixes) = &mut self.visible;
                    let seen = is_visible(&entry.export_to, namespace, self.namespace);
                    match host {
                        HostPattern::Exact(host) => {
                            self.services.entry(host.clone()).or_default().extend(ports);
                            hosts.extend(seen.then(|| host.clone()));
                        }
                        HostPattern::Suffix(suffix) => {
                            self.wildcards.insert(suffix.clone());
                            suffixes.extend(seen.then(|| suffix.clone()));
                        }
                        HostPattern::Any => {}
                    }
                }
            }
            Spec::Gateway(gateway) => {
                self.gateways.insert((namespace, name), gateway);
            }
            Spec::DestinationRule(rule) => {
                let host = self.resolve(&rule.host.to_string(), namespace);
                self.rules.entry(host).or_default().push(rule);
                if rule.host.is_wildcard() {
                    self.wildcard_rules.push(rule);
                }
            }
            _ => {}
        }
    }

    /// The full name of a host which a resource of `namespace` names.
    pub(super) fn resolve(&self, host: &str, namespace: &str) -> String {
        resolve_short_name(&host.to_ascii_lowercase(), namespace, self.cluster_domain)
    }

    /// Whether a service of this full name is known.
    pub(super) fn has_service(&self, host: &str) -> bool {
        self.services.contains_key(host) || covered(host, &self.wildcards)
    }

    /// Whether it is, and the proxy is not to know of it.
    pub(super) fn is_hidden(&self, host: &str) -> bool {
        let (hosts, suffixes) = &self.visible;
        self.has_service(host) && !hosts.contains(host) && !covered(host, suffixes)
    }

    /// The ports of the service of this full name, if it is known by name.
    pub(super) fn ports(&self, host: &str) -> Option<&BTreeSet<u16>> {
        self.services.get(host)
    }

    /// Full names of all services.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Whether no endpoint of the service of this full name has `labels`. `false` also if not all are known.
    pub(super) fn chooses_nothing(&self, host: &str, labels: &Labels) -> bool {
        let Some(Some(endpoints)) = self.endpoints.get(host) else { return false };
        let fits = |endpoint: &Labels| labels.iter().all(|(key, value)| endpoint.get(key) == Some(value));
        !endpoints.iter().any(fits)
    }

    /// Whether nothing tells the endpoints of this host apart.
    pub(super) fn is_left_to_dns(&self, host: &str) -> bool {
        !self.has_service(host) || self.unplaced.contains(host)
    }

    /// The subsets of the service of this full name. `None`: no DestinationRule is about it.
    pub(super) fn subsets(&self, host: &str) -> Option<Vec<&'r Subset>> {
        let rules: Vec<_> = match self.rules.get(host) {
            Some(rules) => rules.clone(),
            // A rule for a wildcard counts where none names the host.
            None => self.wildcard_rules.iter().copied().filter(|rule| rule.host.covers(host)).collect(),
        };
        (!rules.is_empty()).then(|| rules.iter().flat_map(|rule| &rule.subsets).collect())
    }

    /// A hint for a host that no service has.
    pub(super) fn suggest(&self, host: &str) -> Option<String> {
        let short = host.split('.').next().unwrap_or_default();
        if host.ends_with(self.cluster_domain) && self.services.contains_key(short) {
            return Some(format!(
                "a name without a dot is that of a service in the same namespace, `{host}`: give the ServiceEntry's host \
                 a dot, or this one"
            ));
        }
        let left = self.comparisons.get().checked_sub(self.services.len())?;
        self.comparisons.set(left);
        let first = |host: &str| host.split('.').next().unwrap_or_default().to_owned();
        let same_name = || self.services().find(|other| first(other) == first(host));
        did_you_mean(closest(host, self.services()).or_else(same_name))
    }

    /// A Gateway.
    pub(super) fn gateway(&self, namespace: &str, name: &str) -> Option<&'r Gateway> {
        self.gateways.get(&(namespace, name)).copied()
    }

    /// Namespace and name of every Gateway.
    pub(super) fn gateways(&self) -> impl Iterator<Item = (&'r str, &'r str)> {
        self.gateways.keys().copied()
    }

    /// Whether this very resource was there, or may have been, but with errors.
    pub(super) fn is_broken(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.broken.may_be(kind, namespace, name)
    }

    /// Whether some resource of one of `kinds` has errors, or may have: what it names is not known, so nothing is called
    /// absent for it.
    pub(super) fn any_broken(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| self.broken.has_kind(kind))
    }
}

/// Whether the host ends with one of these, and has more in front.
fn covered(host: &str, suffixes: &HashSet<String>) -> bool {
    let mut ends = host.char_indices().skip(1).filter_map(|(at, _)| host.get(at..));
    !suffixes.is_empty() && ends.any(|end| suffixes.contains(end))
}

pub(super) fn did_you_mean(name: Option<&str>) -> Option<String> {
    name.map(|name| format!("did you mean `{name}`?"))
}

/// The candidate that `name` was probably meant to be.
pub(super) fn closest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let near = candidates.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    let (distance, candidate) = near.min()?;
    (distance <= 1.max(name.chars().count() / 4).min(3)).then_some(candidate)
}

/// The labels of an endpoint, among which the place where it is counts.
fn with_place(endpoint: &WorkloadEntry) -> Labels {
    let locality = endpoint.locality.as_deref().map(locality::parse).unwrap_or_default();
    locality::with_place(&endpoint.labels, &locality, endpoint.network.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_suggested() {
        let names = ["reviews", "ratings", "v1"];
        assert_eq!(closest("reveiws", names.into_iter()), Some("reviews"));
        assert_eq!(closest("v2", names.into_iter()), Some("v1"));
        assert_eq!(closest("details", names.into_iter()), None);
        assert_eq!(closest("x", std::iter::empty()), None);
    }
}
