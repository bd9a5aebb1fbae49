//! How the endpoints of a cluster are chosen. What a consistent hash is made of stands on the cluster, where Envoy takes
//! it instead of a route's: so each destination of a rule has its own, and the generic routes none.

use outrigger_api::types::destination_rule::{HashAlgorithm, HashKey, LoadBalancer, LoadBalancerPolicy};

use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::cluster::{
    Balancing, BalancingExtension, ConsistentHashing, CookieAttribute, HashCookie, HashPolicy, LbPolicy,
    LoadBalancingPolicy,
};
use crate::envoy::scalars::Seconds;

/// The most points that Envoy makes a ring of.
pub(super) const LARGEST_RING: u64 = 8 * 1024 * 1024;

/// Envoy's way for what a DestinationRule says.
pub(super) fn balancing(balancer: Option<&LoadBalancer>) -> Balancing {
    Balancing::LbPolicy(match balancer.map(|balancer| &balancer.policy) {
        Some(LoadBalancerPolicy::ConsistentHash { key, algorithm }) => return hash(key, *algorithm),
        Some(LoadBalancerPolicy::RoundRobin) => LbPolicy::RoundRobin,
        Some(LoadBalancerPolicy::Random) => LbPolicy::Random,
        // The last has been refused.
        None
        | Some(
            LoadBalancerPolicy::Unspecified
            | LoadBalancerPolicy::LeastRequest
            | LoadBalancerPolicy::Passthrough,
        ) => LbPolicy::LeastRequest,
    })
}

fn hash(key: &HashKey, algorithm: HashAlgorithm) -> Balancing {
    let consistent_hashing_lb_config = ConsistentHashing { hash_policy: vec![policy(key)] };
    let (name, typed_config) = match algorithm {
        HashAlgorithm::RingHash { minimum_ring_size } => {
            ("ring_hash", Any::RingHash { minimum_ring_size, consistent_hashing_lb_config })
        }
        HashAlgorithm::Maglev { table_size } => {
            ("maglev", Any::Maglev { table_size, consistent_hashing_lb_config })
        }
    };
    let typed_extension_config =
        Extension::new(format!("envoy.load_balancing_policies.{name}"), typed_config);
    Balancing::LoadBalancingPolicy(LoadBalancingPolicy {
        policies: vec![BalancingExtension { typed_extension_config }],
    })
}

fn policy(key: &HashKey) -> HashPolicy {
    match key {
        HashKey::Header(name) => HashPolicy::Header { header_name: name.clone() },
        HashKey::Cookie { name, path, ttl, attributes } => HashPolicy::Cookie(HashCookie {
            name: name.clone(),
            ttl: ttl.map(Seconds),
            path: path.clone(),
            attributes: attributes
                .iter()
                .map(|(name, value)| CookieAttribute { name: name.clone(), value: value.clone() })
                .collect(),
        }),
        HashKey::SourceIp => HashPolicy::ConnectionProperties { source_ip: true },
        HashKey::QueryParameter(name) => HashPolicy::QueryParameter { name: name.clone() },
    }
}
