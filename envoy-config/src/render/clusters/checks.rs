//! What a traffic policy says that is not carried out: said, with the reason, before anything is rendered.

use outrigger_api::types::destination_rule::{
    HashAlgorithm, LoadBalancerPolicy, LocalityMode, PolicySettings,
};
use outrigger_api::{Problem, Proxy, Role};

use super::balancing::LARGEST_RING;
use super::settings::Policy;
use crate::envoy::cluster::Locality;
use crate::render::problems::{self, unsupported_because};

/// What of `policy` is not carried out by this proxy, which is at `own`.
pub(super) fn check(policy: &Policy<'_>, proxy: &Proxy, own: &Locality) -> Vec<Problem> {
    let mut problems = Vec::new();
    let at = |field: &str| format!("{}.{field}", policy.path);
    if policy.value.tunnel.is_some() {
        let why = "a `tunnel` carries bytes of TCP routes alone, and those are sent on without one";
        problems.push(unsupported_because(policy.resource, &at("tunnel"), why.to_owned()));
    }
    let ports = policy.value.port_level_settings.iter().enumerate();
    let ports = ports.map(|(index, port)| (format!("portLevelSettings[{index}]."), &port.settings));
    for (prefix, settings) in std::iter::once((String::new(), &policy.value.settings)).chain(ports) {
        balancer(policy, &prefix, settings, (proxy, own), &mut problems);
    }
    problems
}

fn balancer(
    policy: &Policy<'_>,
    prefix: &str,
    settings: &PolicySettings,
    (proxy, own): (&Proxy, &Locality),
    problems: &mut Vec<Problem>,
) {
    let Some(balancer) = &settings.load_balancer else { return };
    let path = |field: &str| format!("{}.{prefix}loadBalancer.{field}", policy.path);
    match &balancer.policy {
        LoadBalancerPolicy::ConsistentHash {
            algorithm: HashAlgorithm::RingHash { minimum_ring_size },
            ..
        } if *minimum_ring_size > LARGEST_RING => {
            let why = format!("Envoy makes no ring of more than {LARGEST_RING} points");
            problems.push(unsupported_because(policy.resource, &path("consistentHash"), why));
        }
        LoadBalancerPolicy::ConsistentHash {
            algorithm: HashAlgorithm::Maglev { table_size: 0 | 1 }, ..
        } => {
            let why = "Envoy makes no table of less than two entries".to_owned();
            problems.push(unsupported_because(policy.resource, &path("consistentHash"), why));
        }
        LoadBalancerPolicy::Passthrough if proxy.role == Role::Gateway => {
            let why = "`PASSTHROUGH` sends a request where its client sent it, which is this gateway itself";
            problems.push(unsupported_because(policy.resource, &path("simple"), why.to_owned()));
        }
        _ => {}
    }
    if balancer.warmup.as_ref().is_some_and(|warmup| !warmup.aggression.is_finite()) {
        let why = "Envoy takes finite numbers alone".to_owned();
        problems.push(unsupported_because(policy.resource, &path("warmup.aggression"), why));
    }
    let by_place = balancer.locality.as_ref().is_some_and(|locality| {
        let asks = match &locality.mode {
            LocalityMode::Distribute(_) | LocalityMode::Failover(_) => true,
            LocalityMode::FailoverPriority { regions, .. } => !regions.is_empty(),
            LocalityMode::Default => false,
        };
        asks && locality.enabled != Some(false)
    });
    if by_place && own.region.is_empty() {
        let message = "this depends on where the proxy is, and nothing says that".to_owned();
        let hint = Some("give it `--locality region/zone/subzone`".to_owned());
        let problem = policy.resource.error(&path("localityLbSetting"), problems::UNKNOWN_LOCALITY, message);
        problems.push(Problem { hint, ..problem });
    }
}
