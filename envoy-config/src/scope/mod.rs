//! What of the mesh a sidecar knows, as the Sidecar that is for it says: services and VirtualServices that its `egress`
//! imports. For the rest there is the outbound traffic policy.

#[cfg(test)]
mod tests;
mod trim;

use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::select::sidecar::Imports;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::sidecar::{CaptureMode, EgressListener, OutboundTrafficPolicy, Sidecar};
use outrigger_api::types::virtual_service::{RouteAction, VirtualService};
use outrigger_api::{Proxy, Resource, Spec};
use outrigger_core::route::Destination;

use crate::mesh_config::{MeshConfig, OutboundTraffic};

/// What becomes of an application's requests for hosts that it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// `ALLOW_ANY`: they go where they were headed.
    PassThrough,
    /// `REGISTRY_ONLY`: they are answered with 502.
    Refuse,
    /// `ALLOW_ANY` with an `egressProxy`: they go to that service.
    Proxy(Destination),
}

/// A port where an application sends requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listener<'s> {
    /// The one that is for all requests, by `Host`.
    All,
    /// One of the Sidecar's own.
    Port(&'s EgressListener),
}

/// The `egress` of a Sidecar, for one proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'s> {
    egress: &'s [EgressListener],
    proxy: &'s Proxy,
}

/// What becomes of requests for unknown hosts: the Sidecar's word, or else the mesh's.
pub(crate) fn outbound_policy(
    sidecar: Option<(&Resource, &Sidecar)>,
    proxy: &Proxy,
    mesh: &MeshConfig,
) -> Unknown {
    let own =
        sidecar.and_then(|(resource, sidecar)| Some((resource, sidecar.outbound_traffic_policy.as_ref()?)));
    match own {
        None => match mesh.outbound_traffic {
            OutboundTraffic::AllowAny => Unknown::PassThrough,
            OutboundTraffic::RegistryOnly => Unknown::Refuse,
        },
        Some((_, OutboundTrafficPolicy::RegistryOnly)) => Unknown::Refuse,
        Some((_, OutboundTrafficPolicy::AllowAny { egress_proxy: None })) => Unknown::PassThrough,
        Some((resource, OutboundTrafficPolicy::AllowAny { egress_proxy: Some(proxy_host) })) => {
            let host = resolve_short_name(&proxy_host.host, &resource.meta.namespace, &proxy.cluster_domain);
            Unknown::Proxy(Destination {
                host: host.to_ascii_lowercase(),
                subset: proxy_host.subset.clone(),
                // The decoder has asked for one.
                port: proxy_host.port.unwrap_or_default(),
            })
        }
    }
}

impl<'s> Scope<'s> {
    /// `None`: the Sidecar does not speak of egress, and everything is known.
    pub(crate) fn new(sidecar: &'s Sidecar, proxy: &'s Proxy) -> Option<Self> {
        (!sidecar.egress.is_empty()).then_some(Self { egress: &sidecar.egress, proxy })
    }

    /// The resources that matter on `listener`. What names a service that is not known there is left out.
    pub(crate) fn resources(&self, resources: &[Resource], listener: &Listener<'_>) -> Vec<Resource> {
        let routed: Vec<HostPattern> = resources
            .iter()
            .filter_map(|resource| match &resource.spec {
                Spec::VirtualService(service) if self.routes(resource, service, listener) => {
                    Some((resource, service))
                }
                _ => None,
            })
            .flat_map(|(resource, service)| destinations(service).map(|host| self.full(host, resource)))
            .collect();
        let mut kept = Vec::with_capacity(resources.len());
        for resource in resources {
            match &resource.spec {
                Spec::ServiceEntry(entry) => {
                    kept.extend(trim::entry(resource, entry, |host, port| {
                        self.serves(&resource.meta.namespace, host, Some(port), listener)
                    }));
                }
                Spec::Service(service) => {
                    let host = self.full(&resource.meta.name, resource);
                    kept.extend(trim::service(resource, service, |port| {
                        self.serves(&resource.meta.namespace, &host, Some(port), listener)
                    }));
                }
                Spec::VirtualService(service) => {
                    if service.is_delegate() || self.routes(resource, service, listener) {
                        kept.push(resource.clone());
                    }
                }
                Spec::DestinationRule(rule) => {
                    let host = rule.host.resolve(&resource.meta.namespace, &self.proxy.cluster_domain);
                    let known = host.is_wildcard()
                        || routed.contains(&host)
                        || self.names(resources, &resource.meta.namespace, &host, listener);
                    if known {
                        kept.push(resource.clone());
                    }
                }
                _ => kept.push(resource.clone()),
            }
        }
        kept
    }

    /// Whether a service is imported, on whichever port.
    pub(crate) fn imports_service(&self, namespace: &str, host: &HostPattern) -> bool {
        self.egress.iter().any(|listener| self.imports(listener).service(namespace, host))
    }

    fn full(&self, host: &str, by: &Resource) -> HostPattern {
        HostPattern::parse(&resolve_short_name(host, &by.meta.namespace, &self.proxy.cluster_domain))
    }

    fn imports(&self, listener: &'s EgressListener) -> Imports<'s> {
        Imports::new(listener, &self.proxy.namespace)
    }

    /// Whether a port of a service is known; without a port, whether any could be.
    fn serves(&self, namespace: &str, host: &HostPattern, port: Option<u16>, at: &Listener<'_>) -> bool {
        match at {
            Listener::Port(listener) => {
                let number = listener.port.as_ref().map_or(0, |port| port.number);
                (number == 0 || port.is_none_or(|port| port == number))
                    && Imports::new(listener, &self.proxy.namespace).service(namespace, host)
            }
            Listener::All => {
                let own = port.and_then(|port| self.egress.iter().find(|one| number(one) == Some(port)));
                match own {
                    // Its requests go to that port itself.
                    Some(listener) if listener.capture_mode == CaptureMode::None => false,
                    Some(listener) => self.imports(listener).service(namespace, host),
                    None => self.for_all(port.is_none()).any(|one| one.service(namespace, host)),
                }
            }
        }
    }

    /// What is imported on the port for all requests. With `all`, also what is imported for single ports.
    fn for_all(&self, all: bool) -> impl Iterator<Item = Imports<'s>> {
        let counts = move |listener: &&EgressListener| {
            listener.port.is_none()
                || (all && listener.capture_mode != CaptureMode::None && number(listener) != Some(0))
        };
        let (egress, proxy) = (self.egress, self.proxy);
        egress.iter().filter(counts).map(|listener| Imports::new(listener, &proxy.namespace))
    }

    /// Whether a VirtualService routes requests of `listener`.
    fn routes(&self, resource: &Resource, service: &VirtualService, listener: &Listener<'_>) -> bool {
        let imported = |imports: Imports<'_>| {
            service.hosts.iter().any(|host| {
                let host = host.resolve(&resource.meta.namespace, &self.proxy.cluster_domain);
                imports.virtual_service(&resource.meta.namespace, &host)
            })
        };
        service.gateways.contains(&GatewayRef::Mesh)
            && match listener {
                Listener::All => self.for_all(true).any(imported),
                Listener::Port(listener) => imported(Imports::new(listener, &self.proxy.namespace)),
            }
    }

    /// Whether the host that a DestinationRule of `namespace` names is known. One that nobody declares is of the
    /// namespace in its name, or else of the DestinationRule's.
    fn names(&self, resources: &[Resource], namespace: &str, host: &HostPattern, at: &Listener<'_>) -> bool {
        let mut declared = resources
            .iter()
            .filter_map(|resource| match &resource.spec {
                Spec::ServiceEntry(entry) => {
                    let named = entry.hosts.iter().find(|pattern| host.is_subset_of(pattern))?;
                    Some((resource.meta.namespace.as_str(), named.clone()))
                }
                Spec::Service(_) => {
                    let named = self.full(&resource.meta.name, resource);
                    (named == *host).then_some((resource.meta.namespace.as_str(), named))
                }
                _ => None,
            })
            .peekable();
        if declared.peek().is_some() {
            return declared.any(|(namespace, named)| self.serves(namespace, &named, None, at));
        }
        let text = host.to_string();
        let in_name = text
            .strip_suffix(&format!(".svc.{}", self.proxy.cluster_domain))
            .and_then(|name| name.rsplit_once('.'))
            .map(|(_, namespace)| namespace);
        self.serves(in_name.unwrap_or(namespace), host, None, at)
    }
}

/// The port of a listener of its own.
fn number(listener: &EgressListener) -> Option<u16> {
    listener.port.as_ref().map(|port| port.number)
}

/// The hosts, as written, that a VirtualService sends requests and their copies to.
fn destinations(service: &VirtualService) -> impl Iterator<Item = &str> {
    service.http.iter().flat_map(|rule| {
        let routed = match &rule.action {
            RouteAction::Route(destinations) => destinations.as_slice(),
            _ => &[],
        };
        let routed = routed.iter().map(|routed| routed.destination.host.as_str());
        routed.chain(rule.copies().map(|(to, _)| to.host.as_str()))
    })
}
