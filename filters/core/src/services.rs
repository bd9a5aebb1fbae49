//! The services that are known, from ServiceEntries, Kubernetes Services, and resources that send requests to them.

use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::ordered;
use outrigger_api::select::is_visible;
use outrigger_api::types::common::Destination;
use outrigger_api::types::virtual_service::RouteAction;
use outrigger_api::{Proxy, Resource, Spec};

use crate::matching::ByteMap;

/// The port of a service of which no resource tells one.
pub const DEFAULT_PORT: u16 = 80;

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its host: fully qualified, or a ServiceEntry's wildcard.
    pub host: HostPattern,
    /// Its ports that speak HTTP, or may, ascending.
    pub ports: Vec<u16>,
    /// Its other ports: HTTPS, say, which a rule can send requests to.
    pub other_ports: Vec<u16>,
    /// Istio's `destination_service_name`.
    pub name: String,
    /// Istio's `destination_service_namespace`.
    pub namespace: String,
    /// Whether a resource declares it. `false`: a VirtualService or a DestinationRule merely names it.
    pub declared: bool,
}

impl Service {
    /// Its only port that speaks HTTP, or, if none does, its only one; `None` if it has several.
    pub fn only_port(&self) -> Option<u16> {
        match (self.ports.as_slice(), self.other_ports.as_slice()) {
            ([only], _) | ([], [only]) => Some(*only),
            _ => None,
        }
    }

    /// The port of a request that names none: 80, or the only one that speaks HTTP.
    pub fn default_port(&self) -> u16 {
        match self.ports.as_slice() {
            [only] => *only,
            _ => DEFAULT_PORT,
        }
    }
}

/// Every service that a proxy knows, by host.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// By host as printed, and in that order.
    by_host: ByteMap<Service>,
}

impl Services {
    /// Collects what `proxy` may see.
    pub fn collect(resources: &[Resource], proxy: &Proxy) -> Self {
        let mut services = Self::default();
        for resource in resources {
            services.declare(resource, proxy);
        }
        // Only then: a resource that names a service must not hide what declares it.
        let mut named = ByteMap::<Service>::default();
        for resource in resources {
            for (host, port) in named_by(resource) {
                let host = resolve_short_name(&host, &resource.meta.namespace, &proxy.cluster_domain);
                let host = host.to_ascii_lowercase();
                let make = || {
                    let (name, namespace) = name_of(&host, &proxy.cluster_domain);
                    let (host, ports) = (HostPattern::parse(&host), Vec::new());
                    let other_ports = Vec::new();
                    Service { host, ports, other_ports, name, namespace, declared: false }
                };
                named.change(host.as_bytes().into(), make, |service| service.ports.extend(port));
            }
        }
        for mut service in named.into_values() {
            if service.ports.is_empty() {
                service.ports.push(DEFAULT_PORT);
            }
            services.insert(service);
        }
        let mut sorted = Self::default();
        let (hosts, services) = services.by_host.into_sorted();
        for (host, mut service) in hosts.into_iter().zip(services) {
            service.ports = ordered::distinct(service.ports);
            service.other_ports = ordered::distinct(service.other_ports);
            sorted.by_host.insert(host, service);
        }
        sorted
    }

    /// The service with this host (fully qualified, lower case), or of which this is the wildcard.
    pub fn get(&self, host: &str) -> Option<&Service> {
        self.by_host.get(host.as_bytes())
    }

    /// The service that a request to `host` (fully qualified, lower case) reaches: the one with this host, else the
    /// one with the longest wildcard for it.
    pub fn find(&self, host: &str) -> Option<&Service> {
        self.get(host).or_else(|| {
            let wildcards = self.by_host.values().filter(|service| service.host.is_wildcard());
            let covering = wildcards.filter(|service| service.host.covers(host));
            covering.min_by(|one, other| one.host.by_specificity(&other.host))
        })
    }

    /// Every service, by host.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.by_host.values()
    }

    fn declare(&mut self, resource: &Resource, proxy: &Proxy) {
        let meta = &resource.meta;
        match &resource.spec {
            Spec::ServiceEntry(entry) if is_visible(&entry.export_to, &meta.namespace, &proxy.namespace) => {
                let (mut ports, mut other_ports) = (Vec::new(), Vec::new());
                for port in &entry.ports {
                    let list = if port.protocol.may_be_http() { &mut ports } else { &mut other_ports };
                    list.push(port.number);
                }
                for host in &entry.hosts {
                    self.insert(Service {
                        host: host.clone(),
                        ports: ports.clone(),
                        other_ports: other_ports.clone(),
                        name: host.to_string(),
                        namespace: meta.namespace.clone(),
                        declared: true,
                    });
                }
            }
            Spec::Service(service) => {
                let host = resolve_short_name(&meta.name, &meta.namespace, &proxy.cluster_domain);
                let tcp = service.ports.iter().filter(|port| matches!(port.protocol.as_str(), "" | "TCP"));
                self.insert(Service {
                    host: HostPattern::parse(&host),
                    ports: tcp.map(|port| port.port).collect(),
                    other_ports: Vec::new(),
                    name: meta.name.clone(),
                    namespace: meta.namespace.clone(),
                    declared: true,
                });
            }
            _ => {}
        }
    }

    /// Adds a service. What is declared twice has the ports of both; what is declared stays as declared.
    fn insert(&mut self, mut service: Service) {
        let declared = service.declared;
        let (ports, others) = (std::mem::take(&mut service.ports), std::mem::take(&mut service.other_ports));
        let key = service.host.to_string().into_bytes().into();
        self.by_host.change(
            key,
            || service,
            |known| {
                if known.declared == declared {
                    known.ports.extend(ports);
                    known.other_ports.extend(others);
                }
            },
        );
    }
}

/// The hosts, as written, and ports that requests are sent to by a VirtualService or a DestinationRule.
fn named_by(resource: &Resource) -> Vec<(String, Option<u16>)> {
    match &resource.spec {
        Spec::VirtualService(service) => {
            let mut named = Vec::new();
            let mut name = |to: &Destination| named.push((to.host.clone(), to.port));
            for rule in &service.http {
                if let RouteAction::Route(destinations) = &rule.action {
                    destinations.iter().for_each(|route| name(&route.destination));
                }
                rule.copies().for_each(|(to, _)| name(to));
            }
            named
        }
        Spec::DestinationRule(rule) if !rule.host.is_wildcard() => vec![(rule.host.to_string(), None)],
        _ => Vec::new(),
    }
}

/// Name and namespace of a service that is only known by its host, as Istio derives them for metrics.
fn name_of(host: &str, cluster_domain: &str) -> (String, String) {
    let ending = format!(".svc.{cluster_domain}");
    match host.strip_suffix(&ending).and_then(|short| short.split_once('.')) {
        Some((name, namespace)) => (name.to_owned(), namespace.to_owned()),
        None => (host.to_owned(), "unknown".to_owned()),
    }
}

#[cfg(test)]
mod tests;
