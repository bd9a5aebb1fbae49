//! A listener of the measured Envoy.

use anyhow::Result;
use serde_json::{Value, json};

use super::envoy::address;
use super::ours::Ours;
use super::plain;

/// The policies that a listener carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Policies {
    pub(super) jwt: bool,
    pub(super) authz: bool,
    pub(super) fault: bool,
    pub(super) route: bool,
    pub(super) metrics: bool,
}

impl Policies {
    /// Those that Envoy has filters of its own for.
    pub(super) const NATIVE: Self = Self { jwt: true, authz: true, fault: true, route: true, metrics: false };
    /// All five.
    pub(super) const ALL: Self = Self { metrics: true, ..Self::NATIVE };
}

/// A listener and what stands on it.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    /// Where.
    pub(super) port: u16,
    /// What it does.
    pub(super) policies: Policies,
    /// `envoy.config.listener.v3.Listener`
    pub(super) config: Value,
}

/// Who says where a request goes.
pub(super) enum Routes {
    /// Our filter, by the rendered generic route.
    Generic,
    /// Envoy's router.
    Native(Vec<Value>),
    /// The same with several virtual hosts, each with its domains and routes.
    NativeHosts(Vec<Value>),
}

/// A listener as `outrigger render` makes it, but with `filters` and `routes`.
pub(super) fn listener(
    name: &str,
    port: u16,
    policies: Policies,
    ours: &Ours,
    filters: Vec<Value>,
    routes: Routes,
) -> Result<Listener> {
    let mut manager = ours.manager.clone();
    let filters: Vec<_> = filters.into_iter().chain([ours.router.clone()]).collect();
    manager["http_filters"] = filters.into();
    manager["stat_prefix"] = name.into();
    let hosts = match routes {
        Routes::Generic => Vec::new(),
        Routes::Native(routes) => vec![json!({"name": "any", "domains": ["*"], "routes": routes})],
        Routes::NativeHosts(hosts) => hosts,
    };
    if !hosts.is_empty() {
        let mut route_config = json!({"name": name, "virtual_hosts": hosts});
        plain::route(&mut route_config);
        for host in route_config["virtual_hosts"].as_array_mut().into_iter().flatten() {
            host["include_request_attempt_count"] = true.into();
            host["retry_policy"] = ours.retry_policy()?.clone();
        }
        manager["route_config"] = route_config;
    }
    let network = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    let config = json!({"name": name, "address": address(port), "filter_chains": [{"filters": [network]}]});
    Ok(Listener { port, policies, config })
}

/// A route for every request.
pub(super) fn route_to(cluster: &str) -> Value {
    json!({"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}})
}
