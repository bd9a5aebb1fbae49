//! From a [`Node`] to a typed resource. Nothing stops at the first mistake: a decoder reports what is wrong to a
//! [`Sink`] and goes on, with a placeholder if it must. A resource with an error reported is thrown away whole,
//! so no placeholder is ever seen outside.

mod authorization_policy;
mod authorization_values;
mod certificates;
mod connection_pool;
mod connection_routes;
mod cursor;
mod destination_rule;
mod fault;
mod gateway;
mod headers;
mod http_action;
mod http_match;
mod http_retry;
mod http_route;
mod kubernetes;
mod load_balancer;
#[cfg(feature = "yaml")]
pub(crate) mod mesh_config;
mod object;
mod peer_authentication;
mod request_authentication;
mod scalar;
mod service_entry;
mod shared;
mod sidecar;
mod sink;
mod suggest;
mod target;
mod telemetry;
mod telemetry_tracing;
mod virtual_service;
mod workload_entry;

pub(crate) use cursor::{Cursor, shorten};
pub(crate) use object::Object;
pub(crate) use sink::{Context, Sink};
pub(crate) use suggest::nearest as suggest_nearest;

use crate::resource::{Kind, Spec};

/// Decodes the spec of a resource. `root` is the resource, for the kinds which keep their fields elsewhere.
pub(crate) fn spec(kind: Kind, root: &Object<'_>) -> Option<Spec> {
    match kind {
        Kind::Deployment | Kind::Pod => kubernetes::workload(kind, root).map(Spec::Workload),
        Kind::EndpointSlice => kubernetes::endpoint_slice(root).map(Spec::EndpointSlice),
        Kind::Namespace => {
            root.skip("spec");
            Some(Spec::Namespace)
        }
        _ => root.or_empty("spec", |spec| istio(kind, spec)),
    }
}

fn istio(kind: Kind, spec: &Object<'_>) -> Option<Spec> {
    match kind {
        Kind::AuthorizationPolicy => authorization_policy::decode(spec).map(Spec::AuthorizationPolicy),
        Kind::DestinationRule => {
            destination_rule::decode(spec).map(|rule| Spec::DestinationRule(Box::new(rule)))
        }
        Kind::Gateway => gateway::decode(spec).map(Spec::Gateway),
        Kind::PeerAuthentication => peer_authentication::decode(spec).map(Spec::PeerAuthentication),
        Kind::RequestAuthentication => request_authentication::decode(spec).map(Spec::RequestAuthentication),
        Kind::Service => kubernetes::service(spec).map(Spec::Service),
        Kind::ServiceEntry => service_entry::decode(spec).map(Spec::ServiceEntry),
        Kind::Sidecar => sidecar::decode(spec).map(Spec::Sidecar),
        Kind::Telemetry => telemetry::decode(spec).map(Spec::Telemetry),
        Kind::VirtualService => virtual_service::decode(spec).map(Spec::VirtualService),
        Kind::WorkloadEntry => workload_entry::decode(spec).map(Spec::WorkloadEntry),
        Kind::Deployment | Kind::EndpointSlice | Kind::Namespace | Kind::Pod => None,
    }
}
