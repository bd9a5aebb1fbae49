//! The DestinationRules of a host, as a client in the proxy's namespace sees them.

use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::destination_rule::{DestinationRule, PolicySettings, Subset, TrafficPolicy};
use outrigger_api::{Problem, Proxy};

use super::endpoints::visible;
use super::policy::check;

/// Rules for one host, which Istio merges: the first traffic policy counts, subsets are added up.
#[derive(Debug, Default)]
pub(super) struct Rules<'r>(Vec<(&'r Resource, &'r DestinationRule)>);

impl<'r> Rules<'r> {
    /// The rules of the first of these namespaces that has some: the proxy's own, the service's, the root; there those
    /// with the most specific host.
    pub(super) fn find(resources: &'r [Resource], proxy: &Proxy, host: &str) -> Self {
        let in_mesh =
            host.strip_suffix(proxy.cluster_domain.as_str()).and_then(|name| name.strip_suffix(".svc."));
        let service = in_mesh.and_then(|name| name.rsplit_once('.')).map(|(_, namespace)| namespace);
        let entry = || {
            resources.iter().find_map(|resource| match &resource.spec {
                Spec::ServiceEntry(entry) if entry.hosts.iter().any(|pattern| pattern.covers(host)) => {
                    Some(resource.meta.namespace.as_str())
                }
                _ => None,
            })
        };
        let namespaces =
            [Some(proxy.namespace.as_str()), service.or_else(entry), Some(proxy.root_namespace.as_str())];
        let found =
            namespaces.into_iter().flatten().map(|namespace| Self::of(resources, proxy, host, namespace));
        found.into_iter().find(|rules| !rules.0.is_empty()).unwrap_or_default()
    }

    fn of(resources: &'r [Resource], proxy: &Proxy, host: &str, namespace: &str) -> Self {
        let mut rules: Vec<_> = resources
            .iter()
            .filter(|resource| resource.meta.namespace == namespace)
            .filter_map(|resource| match &resource.spec {
                Spec::DestinationRule(rule) => {
                    let pattern = rule.host.resolve(namespace, &proxy.cluster_domain);
                    let selected = rule.workload_selector.as_ref().is_none_or(|selector| {
                        namespace == proxy.namespace && selector.matches(&proxy.labels)
                    });
                    (pattern.covers(host) && visible(&rule.export_to, proxy) && selected)
                        .then_some((pattern, (resource, &**rule)))
                }
                _ => None,
            })
            .collect();
        rules.sort_by(|(one, _), (other, _)| one.by_specificity(other));
        let best = rules.first().map(|(pattern, _)| pattern.clone());
        Self(
            rules
                .into_iter()
                .filter(|(pattern, _)| Some(pattern) == best.as_ref())
                .map(|(_, rule)| rule)
                .collect(),
        )
    }

    /// The subset of this name.
    pub(super) fn subset(&self, name: &str) -> Option<&'r Subset> {
        self.0.iter().flat_map(|(_, rule)| &rule.subsets).find(|subset| subset.name == name)
    }

    /// What is said for a port of a subset. A subset overrides field by field; what is said for the port, by the
    /// subset or else by the rule, takes the place of everything that is not.
    ///
    /// # Errors
    /// What is not carried out.
    pub(super) fn settings(
        &self,
        port: u16,
        subset: Option<&Subset>,
    ) -> Result<PolicySettings, Vec<Problem>> {
        let mut problems = Vec::new();
        let top = self.0.iter().find_map(|(resource, rule)| {
            let policy = rule.traffic_policy.as_ref()?;
            problems.append(&mut check(resource, "spec.trafficPolicy", policy));
            Some(policy)
        });
        let own = subset.and_then(|subset| {
            let policy = subset.traffic_policy.as_ref()?;
            let place = self.0.iter().find_map(|(resource, rule)| {
                let index = rule.subsets.iter().position(|one| std::ptr::eq(one, subset))?;
                Some((resource, format!("spec.subsets[{index}].trafficPolicy")))
            });
            if let Some((resource, path)) = place {
                problems.append(&mut check(resource, &path, policy));
            }
            Some(policy)
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let of_port = |policy: Option<&TrafficPolicy>| {
            let settings = &policy?.port_level_settings;
            settings.iter().find(|one| one.port == port).map(|one| one.settings.clone())
        };
        let of_all = |policy: Option<&TrafficPolicy>| policy.map(|policy| policy.settings.clone());
        let (own_port, top_port) = (of_port(own), of_port(top));
        Ok(if own_port.is_some() || top_port.is_some() {
            merge(own_port, top_port)
        } else {
            merge(of_all(own), of_all(top))
        })
    }
}

fn merge(over: Option<PolicySettings>, under: Option<PolicySettings>) -> PolicySettings {
    let (over, under) = (over.unwrap_or_default(), under.unwrap_or_default());
    PolicySettings {
        load_balancer: over.load_balancer.or(under.load_balancer),
        connection_pool: over.connection_pool.or(under.connection_pool),
        outlier_detection: over.outlier_detection.or(under.outlier_detection),
        tls: over.tls.or(under.tls),
    }
}
