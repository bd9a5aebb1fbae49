//! From resources to the [`Table`] of one proxy.

use std::sync::Arc;

use outrigger_api::delegate::{Delegates, EffectiveRoute};
use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::ordered;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::virtual_service::{RouteAction, VirtualService};
use outrigger_api::{Problem, Proxy, Resource, Role};

use super::attach::{self, Attachment};
use super::compile_entry::entries;
use super::compile_rule::rule;
use super::condition::Condition;
use super::destination::{Destination, Targets};
use super::extras::AllExtras;
use super::hashed::Hashed;
use super::refusal;
use super::retries::Retries;
use super::rule::Rule;
use super::table::{Scope, Table};
use super::virtual_host::{Entry, VirtualHost};
use crate::Attributes;
use crate::matching::ByteMap;
use crate::matching::hosts::HostMapBuilder;
use crate::services::{self, DEFAULT_PORT, Services};

/// Compiles every VirtualService that applies to `proxy`.
///
/// # Errors
/// What can't be carried out, with its path.
pub(super) fn compile(resources: &[Resource], proxy: &Proxy) -> Result<Table, Vec<Problem>> {
    let mut compiler = Compiler::new(resources, proxy);
    let scope = match proxy.role {
        Role::Gateway => compiler.gateway(attach::gateway_servers(resources, proxy)),
        Role::Sidecar => compiler.sidecar(resources),
    };
    compiler.finish(scope)
}

/// A host and what is served there.
type HostEntries = (HostPattern, Vec<Arc<Entry>>);

/// The parts of a [`Table`], and what is wrong, as they come up.
pub(super) struct Compiler<'r> {
    pub(super) proxy: &'r Proxy,
    delegates: Delegates<'r>,
    pub(super) services: Services,
    pub(super) hashed: Hashed<'r>,
    rules: Vec<Rule>,
    pub(super) virtual_hosts: Vec<VirtualHost>,
    pub(super) destinations: Vec<Destination>,
    pub(super) problems: Vec<Problem>,
    attributes: Attributes,
    /// Whether faults of some rule end one day.
    expire: bool,
}

impl<'r> Compiler<'r> {
    fn new(resources: &'r [Resource], proxy: &'r Proxy) -> Self {
        Self {
            proxy,
            delegates: Delegates::new(resources),
            services: Services::collect(resources, proxy),
            hashed: Hashed::new(resources, proxy),
            rules: Vec::new(),
            virtual_hosts: Vec::new(),
            destinations: Vec::new(),
            problems: Vec::new(),
            attributes: Attributes::none(),
            expire: false,
        }
    }

    fn finish(mut self, scope: Scope) -> Result<Table, Vec<Problem>> {
        // A VirtualService that stands in several places is compiled, and refused, in each of them.
        let mut problems: Vec<Problem> = Vec::new();
        for problem in self.problems {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let attributes = self.rules.iter().fold(Attributes::none(), |all, rule| all | rule.attributes());
        let targets = self.rules.iter().filter_map(Rule::targets).flat_map(Targets::iter);
        self.destinations.extend(targets.map(|target| target.destination.clone()));
        let asks = |entry: &Entry| entry.conditions.iter().any(Condition::reads_claims);
        let reads_claims = self.virtual_hosts.iter().any(|host| host.entries().any(asks));
        let mirrors = self.rules.iter().flat_map(Rule::mirrors);
        self.destinations.extend(mirrors.map(|mirror| mirror.destination.clone()));
        // By this alone they differ from a Kubernetes Service, whose host begins with its name.
        let entries = self.services.iter().filter(|service| service.declared);
        let entries = entries.map(|service| (service.host.to_string(), service));
        let entries = entries.filter(|(host, service)| service.name == *host);
        Ok(Table {
            reads_claims,
            entries: entries.map(|(host, service)| (host, service.namespace.clone())).collect(),
            changes_responses: self.rules.iter().any(Rule::changes_responses),
            rules: self.rules,
            virtual_hosts: self.virtual_hosts,
            scope,
            destinations: ordered::distinct(self.destinations),
            attributes: attributes | self.attributes,
            expire: self.expire,
            mesh_retries: Retries::mesh_default(),
            no_retries: Retries::none(),
        })
    }

    /// Per port the virtual hosts of all servers. VirtualServices that share a host are put one after the other,
    /// and then their catch-alls behind the other rules.
    fn gateway(&mut self, servers: Vec<(u16, Vec<Attachment<'r>>)>) -> Scope {
        let mut ports: Vec<(u16, ByteMap<HostEntries>)> = Vec::new();
        for (port, attachments) in servers {
            let mut hosts = match ports.iter().position(|(known, _)| *known == port) {
                Some(place) => ports.swap_remove(place).1,
                None => ByteMap::default(),
            };
            for attachment in attachments {
                let added =
                    self.service(attachment.resource, attachment.spec, &attachment.gateway, Some(port));
                for host in attachment.hosts {
                    let key = host.to_string().into_bytes().into();
                    let add = |(_, entries): &mut HostEntries| entries.extend(added.iter().cloned());
                    hosts.change(key, || (host, Vec::new()), add);
                }
            }
            ports.push((port, hosts));
        }
        ordered::sort_by(&mut ports, |(one, _), (other, _)| one.cmp(other));
        let tables = ports.into_iter().map(|(port, hosts)| {
            let mut map = HostMapBuilder::default();
            let mut known = ByteMap::default();
            for (host, mut entries) in hosts.into_values() {
                ordered::sort_by(&mut entries, |one, other| one.is_catch_all().cmp(&other.is_catch_all()));
                if let Some(number) = self.virtual_host(entries, &mut known) {
                    map.insert_with(&host, || number);
                }
            }
            (port, map.build())
        });
        Scope::Gateway(tables.collect())
    }

    /// The entries of a VirtualService on `gateway`, in order and up to the first catch-all. `port` is that of the
    /// Gateway's server; a sidecar serves every port.
    pub(super) fn service(
        &mut self,
        resource: &'r Resource,
        spec: &'r VirtualService,
        gateway: &GatewayRef,
        port: Option<u16>,
    ) -> Vec<Arc<Entry>> {
        // At a gateway they are for servers of other protocols, whose connections no filter of ours sees.
        if *gateway == GatewayRef::Mesh {
            for (field, present) in [("spec.tls", !spec.tls.is_empty()), ("spec.tcp", !spec.tcp.is_empty())] {
                if present {
                    self.problems.push(refusal::not_yet(resource, field));
                }
            }
        }
        let mut extras = AllExtras::new(resource, &spec.annotations);
        let mut all: Vec<Arc<Entry>> = Vec::new();
        // What is dropped here Istio drops too; the command tells of it beforehand.
        let (routes, _) = self.delegates.routes(resource, spec, &self.proxy.cluster_domain);
        for effective in &routes {
            let extras = extras.of(effective.resource);
            self.attributes |= extras.attributes();
            self.expire |= extras.expire();
            let open = if port.is_none() { self.open_ports(effective) } else { Vec::new() };
            for listener in open.into_iter().map(Some).chain([port]) {
                // Every rule is compiled, to say everything that is wrong with it at once.
                let number = rule(self, effective, extras, listener).map(|rule| {
                    self.rules.push(rule);
                    self.rules.len().saturating_sub(1)
                });
                let entries = entries(self, effective, gateway, listener, number.unwrap_or_default());
                if all.last().is_some_and(|entry| entry.is_catch_all()) {
                    continue;
                }
                for mut entry in entries {
                    if port.is_none()
                        && let Some(listener) = listener
                    {
                        entry.conditions.push(Condition::port(listener));
                    }
                    let catch_all = entry.is_catch_all();
                    all.push(Arc::new(entry));
                    if catch_all {
                        break;
                    }
                }
            }
        }
        all
    }

    /// The ports of services that a sidecar's rule leaves open: it sends each request to the one that the request is for.
    fn open_ports(&self, effective: &EffectiveRoute<'_>) -> Vec<u16> {
        let EffectiveRoute { resource, route, .. } = effective;
        let RouteAction::Route(destinations) = &route.action else { return Vec::new() };
        let destinations = destinations.iter().map(|route| &route.destination);
        let open = destinations
            .chain(route.copies().map(|(to, _)| to))
            .filter(|to| to.port.is_none())
            .filter_map(|to| self.services.find(&self.host(to, &resource.meta.namespace)))
            .filter(|service| service.only_port().is_none());
        ordered::distinct(open.flat_map(|service| service.ports.iter().copied()).collect())
    }

    fn host(&self, named: &outrigger_api::types::common::Destination, namespace: &str) -> String {
        resolve_short_name(&named.host, namespace, &self.proxy.cluster_domain).to_ascii_lowercase()
    }

    /// Files `entries`, or finds the virtual host that has the same ones. `None`: there are no entries.
    pub(super) fn virtual_host(
        &mut self,
        entries: Vec<Arc<Entry>>,
        known: &mut ByteMap<usize>,
    ) -> Option<usize> {
        if entries.is_empty() {
            return None;
        }
        let identity: Box<[u8]> =
            entries.iter().flat_map(|entry| Arc::as_ptr(entry).addr().to_ne_bytes()).collect();
        if let Some(number) = known.get(&identity) {
            return Some(*number);
        }
        let number = self.virtual_hosts.len();
        // Every regex compiles on its own by now; what is left to fail has been reported.
        self.virtual_hosts.push(VirtualHost::new(entries).ok()?);
        known.insert(identity, number);
        Some(number)
    }

    /// The destination that a resource of `namespace` means, sent from the listener with `port`.
    pub(super) fn destination(
        &self,
        named: &outrigger_api::types::common::Destination,
        namespace: &str,
        port: Option<u16>,
    ) -> Destination {
        let host = self.host(named, namespace);
        let service = self.services.find(&host);
        let listener = port.filter(|port| service.is_some_and(|service| service.ports.contains(port)));
        let port = named
            .port
            .or_else(|| service.and_then(services::Service::only_port))
            .or(listener)
            .or_else(|| service.map(services::Service::default_port));
        Destination { host, subset: named.subset.clone(), port: port.unwrap_or(DEFAULT_PORT) }
    }
}
