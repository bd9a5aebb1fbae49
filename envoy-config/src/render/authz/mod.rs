//! AuthorizationPolicies that Envoy's own filters carry out: all of them on connections whose bytes are passed on, and
//! those with `action: CUSTOM` on requests, before the filters of ours.

mod ext_authz;
mod http;
mod provider;
mod tcp;
#[cfg(test)]
mod tests;
mod warnings;

use outrigger_api::types::authorization_policy::Action;
use outrigger_api::{Proxy, Resource, Spec, select};
use outrigger_core::route::Destination;

pub(crate) use self::provider::{Unusable, custom, destination, reachable, refused_name, usable};
pub(super) use self::{http::on_requests, tcp::on_connections, warnings::of_server};
pub(crate) use super::rbac::Applied;
use super::rbac::peers;
use crate::mesh_config::MeshConfig;

/// For whom policies are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// All resources.
    pub(crate) resources: &'s [Resource],
    /// The proxy, with the port that this is about.
    pub(crate) proxy: &'s Proxy,
    /// What the mesh has in common.
    pub(crate) mesh: &'s MeshConfig,
}

/// Filters and what they need beside them.
#[derive(Debug)]
pub(super) struct Guard<F> {
    /// In order.
    pub(super) filters: Vec<F>,
    /// The servers that they ask.
    pub(super) servers: Vec<Server>,
}

/// A server that is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Server {
    /// Where it is.
    pub(super) destination: Destination,
    /// It speaks gRPC, whatever the name of its port says.
    pub(super) grpc: bool,
}

impl Server {
    /// By which cluster it is asked. By gRPC that is one of its own: it speaks HTTP/2, and requests to the same port may be
    /// for HTTP/1.
    pub(super) fn cluster_name(&self) -> String {
        let name = self.destination.cluster_name();
        if self.grpc { format!("{name}|grpc") } else { name }
    }
}

impl<'s> Scope<'s> {
    /// The policies that hold for the proxy.
    fn policies(&self) -> Vec<Applied<'s>> {
        if !self.proxy.receives() {
            return Vec::new();
        }
        let applying = self.resources.iter().filter_map(|resource| match &resource.spec {
            Spec::AuthorizationPolicy(policy) => {
                select::applies(&policy.target, &resource.meta.namespace, self.proxy)
                    .then_some((resource, policy))
            }
            _ => None,
        });
        applying.collect()
    }
}

/// Whether a rule on connections asks who the client is by its certificate.
pub(super) fn ask_for_peers(scope: &Scope<'_>) -> bool {
    let asks = |rule| !peers(rule, 0).is_empty();
    scope.policies().iter().any(|(_, policy)| policy.rules.iter().flatten().any(asks))
}

/// Whether a resource is a policy that no filter of ours gets: a server decides.
pub(crate) fn is_custom(resource: &Resource) -> bool {
    matches!(&resource.spec, Spec::AuthorizationPolicy(policy) if matches!(policy.action, Action::Custom { .. }))
}
