//! Which destinations have their endpoint chosen by a consistent hash. The cluster carries it out; a route has to know,
//! since Istio lets its retries go to the same endpoint again.

use outrigger_api::select::DestinationRules;
use outrigger_api::types::destination_rule::{LoadBalancerPolicy, PolicySettings, TrafficPolicy};
use outrigger_api::{Proxy, Resource, Spec};

use super::destination::Destination;
use crate::matching::ByteMap;

/// What is known of the destinations asked for.
#[derive(Debug)]
pub(super) struct Hashed<'r> {
    /// Empty: there is no consistent hash at all.
    resources: &'r [Resource],
    proxy: &'r Proxy,
    /// By the name of the cluster.
    known: ByteMap<bool>,
}

impl<'r> Hashed<'r> {
    pub(super) fn new(resources: &'r [Resource], proxy: &'r Proxy) -> Self {
        let resources = if resources.iter().any(has_hash) { resources } else { &[] };
        Self { resources, proxy, known: ByteMap::default() }
    }

    /// Whether `destination` is chosen so: by the policy for its port and subset, as its cluster is made.
    pub(super) fn contains(&mut self, destination: &Destination) -> bool {
        if self.resources.is_empty() {
            return false;
        }
        let name = destination.cluster_name();
        if let Some(known) = self.known.get(name.as_bytes()) {
            return *known;
        }
        let rules = DestinationRules::find(self.resources, self.proxy, &destination.host);
        let subset = destination.subset.as_deref().and_then(|name| rules.subset(name));
        let layers = rules.settings(destination.port, subset);
        let balancer = layers.iter().find_map(|settings| settings.load_balancer.as_ref());
        let hashed = balancer.is_some_and(|balancer| is_hash(&balancer.policy));
        self.known.insert(name.into_bytes().into(), hashed);
        hashed
    }
}

fn has_hash(resource: &Resource) -> bool {
    let Spec::DestinationRule(rule) = &resource.spec else { return false };
    let own = rule.subsets.iter().filter_map(|subset| subset.traffic_policy.as_ref());
    own.chain(&rule.traffic_policy).any(|policy| settings(policy).any(says_hash))
}

fn settings(policy: &TrafficPolicy) -> impl Iterator<Item = &PolicySettings> {
    std::iter::once(&policy.settings).chain(policy.port_level_settings.iter().map(|port| &port.settings))
}

fn says_hash(settings: &PolicySettings) -> bool {
    settings.load_balancer.as_ref().is_some_and(|balancer| is_hash(&balancer.policy))
}

fn is_hash(policy: &LoadBalancerPolicy) -> bool {
    matches!(policy, LoadBalancerPolicy::ConsistentHash { .. })
}
