//! Hosts as their users wrote them. A short name is completed with the namespace's domain for matching; looked up in
//! DNS, it is the short one that a compose network or a search list knows.

use std::collections::BTreeMap;

use outrigger_api::host::resolve_short_name;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::Destination;
use outrigger_api::types::virtual_service::RouteAction;
use outrigger_api::{Proxy, types::virtual_service::HttpRoute};

/// Short names by what they stand for.
#[derive(Debug, Default)]
pub(in crate::render::clusters) struct Names(BTreeMap<String, String>);

impl Names {
    /// The short names that VirtualServices send requests to.
    pub(in crate::render::clusters) fn new(resources: &[Resource], proxy: &Proxy) -> Self {
        let mut names = BTreeMap::new();
        for resource in resources {
            let Spec::VirtualService(service) = &resource.spec else { continue };
            let routed = service.tls.iter().flat_map(|route| &route.route);
            let connections = routed.chain(service.tcp.iter().flat_map(|route| &route.route));
            let all = service.http.iter().flat_map(destinations);
            for destination in all.chain(connections.map(|routed| &routed.destination)) {
                let host = &destination.host;
                let full = resolve_short_name(host, &resource.meta.namespace, &proxy.cluster_domain);
                if full != *host {
                    names.insert(full, host.clone());
                }
            }
        }
        Self(names)
    }

    /// What DNS is asked for.
    pub(in crate::render::clusters) fn dns<'n>(&'n self, host: &'n str) -> &'n str {
        self.0.get(host).map_or(host, String::as_str)
    }
}

fn destinations(route: &HttpRoute) -> impl Iterator<Item = &Destination> {
    let routed = match &route.action {
        RouteAction::Route(destinations) => destinations.as_slice(),
        _ => &[],
    };
    let mirrored = route.copies().map(|(to, _)| to);
    routed.iter().map(|routed| &routed.destination).chain(mirrored)
}
