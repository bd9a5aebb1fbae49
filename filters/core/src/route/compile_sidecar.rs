//! From resources to the hosts that a sidecar knows.

use std::sync::Arc;

use outrigger_api::host::HostPattern;
use outrigger_api::ordered;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::{Resource, select};

use super::compile::Compiler;
use super::destination::{Destination, Target};
use super::table::{Scope, Site};
use crate::matching::ByteMap;
use crate::matching::hosts::HostMapBuilder;
use crate::services::{DEFAULT_PORT, Service};

/// The virtual host of each host that a VirtualService names.
#[derive(Default)]
struct Named {
    /// By the pattern as printed.
    all: ByteMap<(HostPattern, usize)>,
    /// The wildcards among them, the most specific first.
    wildcards: Vec<(HostPattern, usize)>,
}

impl Named {
    /// The oldest VirtualService of a host counts, alone. Those who come first are older.
    fn add(&mut self, host: HostPattern, virtual_host: usize) {
        self.all.insert(host.to_string().into_bytes().into(), (host, virtual_host));
    }

    fn sort(&mut self) {
        self.wildcards = self.all.values().filter(|(host, _)| host.is_wildcard()).cloned().collect();
        ordered::sort_by(&mut self.wildcards, |(one, _), (other, _)| one.by_specificity(other));
    }

    /// The virtual host of a service: by its own name, else by the longest wildcard that covers all of it.
    fn of(&self, host: &HostPattern) -> Option<usize> {
        let own = self.all.get(host.to_string().as_bytes());
        let covering = || self.wildcards.iter().find(|(pattern, _)| host.is_subset_of(pattern));
        own.or_else(covering).map(|(_, virtual_host)| *virtual_host)
    }
}

impl<'r> Compiler<'r> {
    /// One site for each service, and one for each host of a VirtualService that is none.
    pub(super) fn sidecar(&mut self, resources: &'r [Resource]) -> Scope {
        let mut named = Named::default();
        for (resource, spec) in select::virtual_services(resources, &GatewayRef::Mesh, self.proxy) {
            let entries = self.service(resource, spec, &GatewayRef::Mesh, None);
            let Some(virtual_host) = self.virtual_host(entries, &mut ByteMap::default()) else { continue };
            for host in &spec.hosts {
                named.add(host.resolve(&resource.meta.namespace, &self.proxy.cluster_domain), virtual_host);
            }
        }
        named.sort();
        let services: Vec<Service> = self.services.iter().cloned().collect();
        let mut sites: Vec<(HostPattern, Site)> = Vec::new();
        for service in services {
            let site = self.site(&service, named.of(&service.host));
            sites.push((service.host, site));
        }
        let alone = named.all.into_values().into_iter();
        let alone = alone.filter(|(host, _)| self.services.get(&host.to_string()).is_none());
        sites.extend(alone.map(|(host, virtual_host)| {
            let ports = Arc::new([(DEFAULT_PORT, None)]);
            (host, Site { default_port: DEFAULT_PORT, ports, virtual_host: Some(virtual_host) })
        }));
        let mut map = HostMapBuilder::default();
        for (host, site) in &sites {
            map.insert_with(host, || site.clone());
        }
        // Short forms come last: they must not stand before a host that is named so.
        for (host, site) in &sites {
            for alias in self.short_forms(host) {
                map.insert_with(&alias, || site.clone());
            }
        }
        Scope::Sidecar(map.build())
    }

    fn site(&mut self, service: &Service, virtual_host: Option<usize>) -> Site {
        let rules = virtual_host.and_then(|number| self.virtual_hosts.get(number));
        let ruled = |port| rules.is_some_and(|rules| rules.is_for(port));
        let mut ports = Vec::new();
        for port in &service.ports {
            let host = service.host.to_string();
            let destination = Destination { host, subset: None, port: *port };
            // With a VirtualService only its rules decide, on each port that one of them is for.
            let target = (!ruled(*port)).then(|| Target::plain(destination));
            self.destinations.extend(target.as_ref().map(|target| target.destination.clone()));
            ports.push((*port, target));
        }
        // There Istio serves the hosts of VirtualServices even if the service has no such port.
        if !service.ports.contains(&DEFAULT_PORT) && ruled(DEFAULT_PORT) {
            ports.push((DEFAULT_PORT, None));
        }
        Site { default_port: service.default_port(), ports: ports.into(), virtual_host }
    }

    /// `reviews.ns.svc.cluster.local` is also `reviews.ns.svc`, `reviews.ns`, and to its own namespace `reviews`.
    fn short_forms(&self, host: &HostPattern) -> Vec<HostPattern> {
        let HostPattern::Exact(host) = host else { return Vec::new() };
        let Some(short) = host.strip_suffix(&format!(".svc.{}", self.proxy.cluster_domain)) else {
            return Vec::new();
        };
        let own = short.strip_suffix(&format!(".{}", self.proxy.namespace));
        let forms = [Some(format!("{short}.svc")), Some(short.to_owned()), own.map(str::to_owned)];
        forms.into_iter().flatten().map(HostPattern::Exact).collect()
    }
}
