//! How the endpoints of a cluster are chosen. What a consistent hash is made of stands on the cluster, where Envoy takes
//! it instead of a route's: so each destination of a rule has its own, and the generic routes none.

use outrigger_api::types::destination_rule::{
    HashAlgorithm, HashKey, LoadBalancer, LoadBalancerPolicy, Warmup,
};

use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::cluster::{
    Balancing, BalancingExtension, Cluster, ConsistentHashing, CookieAttribute, HashCookie, HashPolicy,
    LbConfig, LbPolicy, LoadBalancingPolicy, RuntimeDouble, SlowStart,
};
use crate::envoy::scalars::{Empty, Percent, Seconds};

/// The most points that Envoy makes a ring of.
pub(super) const LARGEST_RING: u64 = 8 * 1024 * 1024;

/// Sets Envoy's way for what a DestinationRule says. `weighted`: localities are chosen by their weight first.
pub(super) fn apply(cluster: &mut Cluster, balancer: Option<&LoadBalancer>, weighted: bool) {
    let weighted = weighted.then_some(Empty {});
    let slow_start = || balancer.and_then(|balancer| balancer.warmup).map(slow_start);
    let (policy, config) = match balancer.map(|balancer| &balancer.policy) {
        Some(LoadBalancerPolicy::ConsistentHash { key, algorithm }) => {
            cluster.balancing = hash(key, *algorithm, weighted);
            return;
        }
        Some(LoadBalancerPolicy::Random) => (LbPolicy::Random, None),
        Some(LoadBalancerPolicy::RoundRobin) => (
            LbPolicy::RoundRobin,
            slow_start().map(|slow_start_config| LbConfig::RoundRobinLbConfig { slow_start_config }),
        ),
        // Where the last is carried out, the cluster chooses itself.
        None
        | Some(
            LoadBalancerPolicy::Unspecified
            | LoadBalancerPolicy::LeastRequest
            | LoadBalancerPolicy::Passthrough,
        ) => (
            LbPolicy::LeastRequest,
            slow_start().map(|slow_start_config| LbConfig::LeastRequestLbConfig { slow_start_config }),
        ),
    };
    cluster.common_lb_config.locality_weighted_lb_config = weighted;
    cluster.balancing = Balancing::LbPolicy(policy);
    cluster.lb_config = config;
}

fn slow_start(warmup: Warmup) -> SlowStart {
    SlowStart {
        slow_start_window: Seconds(warmup.duration),
        aggression: RuntimeDouble {
            default_value: warmup.aggression,
            runtime_key: "outrigger.warmup.aggression",
        },
        min_weight_percent: Percent { value: warmup.minimum_percent },
    }
}

fn hash(key: &HashKey, algorithm: HashAlgorithm, weighted: Option<Empty>) -> Balancing {
    let consistent_hashing_lb_config = ConsistentHashing { hash_policy: vec![policy(key)] };
    let (name, typed_config) = match algorithm {
        HashAlgorithm::RingHash { minimum_ring_size } => (
            "ring_hash",
            Any::RingHash {
                minimum_ring_size,
                locality_weighted_lb_config: weighted,
                consistent_hashing_lb_config,
            },
        ),
        HashAlgorithm::Maglev { table_size } => (
            "maglev",
            Any::Maglev { table_size, locality_weighted_lb_config: weighted, consistent_hashing_lb_config },
        ),
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
