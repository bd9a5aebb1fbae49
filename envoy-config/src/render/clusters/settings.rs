//! What the DestinationRules of a host say for one of its ports, and where they say it.

use outrigger_api::Resource;
use outrigger_api::select::DestinationRules;
use outrigger_api::types::destination_rule::{
    ClientTls, ConnectionPool, LoadBalancer, OutlierDetection, PolicySettings, ProxyProtocolVersion,
    RetryBudget, Subset, TrafficPolicy,
};

/// What is said for a port of a subset.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings<'r> {
    /// How an endpoint is chosen.
    pub(super) load_balancer: Option<Placed<'r, LoadBalancer>>,
    /// Limits of connections.
    pub(super) pool: Option<Placed<'r, ConnectionPool>>,
    /// When an endpoint is left out.
    pub(super) outliers: Option<Placed<'r, OutlierDetection>>,
    /// TLS with the endpoints.
    pub(super) tls: Option<Placed<'r, ClientTls>>,
    /// The PROXY protocol in front of all that.
    pub(super) proxy_protocol: Option<ProxyProtocolVersion>,
    /// A limit of retries.
    pub(super) retry_budget: Option<RetryBudget>,
}

/// A value with the place where it is written.
#[derive(Debug, Clone)]
pub(super) struct Placed<'r, T> {
    /// The resource.
    pub(super) resource: &'r Resource,
    /// The field.
    pub(super) path: String,
    /// What it says.
    pub(super) value: &'r T,
}

/// A traffic policy and where it is written.
pub(super) type Policy<'r> = Placed<'r, TrafficPolicy>;

/// The traffic policies that are about a subset: its own, then that of the whole host.
pub(super) fn policies<'r>(rules: &DestinationRules<'r>, subset: Option<&'r Subset>) -> Vec<Policy<'r>> {
    let own = subset.and_then(|subset| {
        let (resource, index) = rules.place(subset)?;
        let path = format!("spec.subsets[{index}].trafficPolicy");
        Some(Placed { resource, path, value: subset.traffic_policy.as_ref()? })
    });
    let whole = rules.policy().map(|(resource, value)| Placed {
        resource,
        path: "spec.trafficPolicy".to_owned(),
        value,
    });
    own.into_iter().chain(whole).collect()
}

/// What they say for `port`.
pub(super) fn settings<'r>(
    rules: &DestinationRules<'r>,
    port: u16,
    subset: Option<&'r Subset>,
) -> Settings<'r> {
    let policies = policies(rules, subset);
    let layers: Vec<_> = rules
        .settings(port, subset)
        .into_iter()
        .filter_map(|layer| policies.iter().find_map(|policy| place(policy, layer)))
        .collect();
    // What can't be said of a port counts as long as nothing is said of that port.
    let of_all = policies
        .iter()
        .map(|policy| policy.value)
        .filter(|policy| policy.port_level_settings.iter().all(|one| one.port != port));
    Settings {
        load_balancer: first(&layers, "loadBalancer", |layer| layer.load_balancer.as_ref()),
        pool: first(&layers, "connectionPool", |layer| layer.connection_pool.as_ref()),
        outliers: first(&layers, "outlierDetection", |layer| layer.outlier_detection.as_ref()),
        tls: first(&layers, "tls", |layer| layer.tls.as_ref()),
        proxy_protocol: of_all.clone().find_map(|policy| policy.proxy_protocol),
        retry_budget: of_all.clone().find_map(|policy| policy.retry_budget),
    }
}

/// Where in a policy these settings stand.
fn place<'r>(policy: &Policy<'r>, layer: &'r PolicySettings) -> Option<Placed<'r, PolicySettings>> {
    let (resource, at) = (policy.resource, |path| Placed { resource: policy.resource, path, value: layer });
    if std::ptr::eq(&raw const policy.value.settings, layer) {
        return Some(at(policy.path.clone()));
    }
    let ports = policy.value.port_level_settings.iter();
    let index = ports.enumerate().find(|(_, port)| std::ptr::eq(&raw const port.settings, layer))?.0;
    Some(Placed { resource, path: format!("{}.portLevelSettings[{index}]", policy.path), value: layer })
}

fn first<'r, T>(
    layers: &[Placed<'r, PolicySettings>],
    field: &str,
    get: impl Fn(&'r PolicySettings) -> Option<&'r T>,
) -> Option<Placed<'r, T>> {
    layers.iter().find_map(|layer| {
        let value = get(layer.value)?;
        Some(Placed { resource: layer.resource, path: format!("{}.{field}", layer.path), value })
    })
}
