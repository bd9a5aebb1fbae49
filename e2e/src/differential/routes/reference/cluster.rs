//! `GetDestinationCluster`, and the clusters.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::upstream::{EMPTY_SUBSET, Endpoint, SERVICES, Service};
use super::fields::{only, text};

/// The name of a destination's cluster: Istio's, but told apart from the product's.
pub(super) fn cluster_name(destination: &Value, namespace: &str, listener: u16) -> Result<String> {
    only(destination, &["host", "subset", "port"])?;
    let host = text(destination, "host");
    let host =
        if host.contains('.') { host.to_owned() } else { format!("{host}.{namespace}.svc.cluster.local") };
    let service = SERVICES.iter().find(|service| service.host == host);
    let port = match (destination["port"]["number"].as_u64(), service.map(|service| service.ports)) {
        (Some(port), _) => port,
        (None, Some([only])) => u64::from(*only),
        (None, _) => u64::from(listener),
    };
    Ok(name(port, text(destination, "subset"), &host))
}

fn name(port: impl std::fmt::Display, subset: &str, host: &str) -> String {
    format!("native|{port}|{subset}|{host}")
}

/// Whether several endpoints stand behind `destination`.
pub(super) fn has_choice(destination: &Value) -> bool {
    service(destination).is_some_and(|service| service.versions.len() > 1)
        && destination.get("subset").is_none()
}

/// The header by whose hash the DestinationRule of `destination` chooses an endpoint.
pub(super) fn hash(destination: &Value) -> Option<&'static str> {
    service(destination)?.hash
}

fn service(destination: &Value) -> Option<&'static Service> {
    let host = text(destination, "host");
    let named = |service: &&Service| service.host == host || service.host.split('.').next() == Some(host);
    SERVICES.iter().find(named)
}

/// Clusters for every service, port and subset.
pub(in super::super) fn clusters(endpoints: &[Endpoint]) -> Vec<Value> {
    let mut clusters = Vec::new();
    for service in SERVICES {
        for &port in service.ports {
            let here =
                endpoints.iter().filter(|endpoint| endpoint.host == service.host && endpoint.port == port);
            let mut subsets = vec![""];
            // As the DestinationRules have them.
            if service.versions.len() > 1 {
                subsets.extend(service.versions.iter().copied().chain([EMPTY_SUBSET]));
            }
            for subset in subsets {
                let members = here.clone().filter(|endpoint| subset.is_empty() || endpoint.version == subset);
                let mut cluster = cluster(&name(port, subset, service.host), members);
                if service.hash.is_some() {
                    cluster["lb_policy"] = "RING_HASH".into();
                    cluster["ring_hash_lb_config"] = json!({"minimum_ring_size": 1024});
                }
                clusters.push(cluster);
            }
        }
    }
    clusters
}

fn cluster<'e>(name: &str, endpoints: impl Iterator<Item = &'e Endpoint>) -> Value {
    let endpoint = |endpoint: &Endpoint| {
        let address = json!({"address": "127.0.0.1", "port_value": endpoint.real});
        json!({"endpoint": {"address": {"socket_address": address}}})
    };
    let endpoints: Vec<_> = endpoints.map(endpoint).collect();
    let most = u32::MAX;
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "10s", "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {"thresholds": [{
            "max_connections": most, "max_pending_requests": most, "max_requests": most, "max_retries": most,
        }]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    })
}
