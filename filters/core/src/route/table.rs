//! The routes of one proxy, and the way from a request to its route.

use std::collections::BTreeSet;

use outrigger_api::{Problem, Proxy, Resource};

use super::choice::Route;
use super::compile::compile;
use super::destination::{Destination, Target};
use super::profile::Profile;
use super::retries::Retries;
use super::rule::Rule;
use super::virtual_host::{Failure, VirtualHost};
use crate::matching::hosts::HostMap;
use crate::{Attributes, Request, RuleRef};

/// Compiled routes of one proxy.
#[derive(Debug)]
pub struct Table {
    pub(super) rules: Vec<Rule>,
    pub(super) virtual_hosts: Vec<VirtualHost>,
    pub(super) scope: Scope,
    /// Sorted, each once.
    pub(super) destinations: Vec<Destination>,
    /// What the rules' header changes and the annotations ask of a request.
    pub(super) attributes: Attributes,
    pub(super) expire: bool,
    pub(super) mesh_retries: Retries,
    pub(super) no_retries: Retries,
    pub(super) reads_claims: bool,
    pub(super) changes_responses: bool,
    /// Hosts of ServiceEntries, sorted, and their namespaces.
    pub(super) entries: Vec<(String, String)>,
}

/// Where the virtual hosts stand. Both kinds name a virtual host by its number in the table.
#[derive(Debug)]
pub(super) enum Scope {
    /// By the port of the Gateway's servers.
    Gateway(Vec<(u16, HostMap<usize>)>),
    /// All services of the mesh.
    Sidecar(HostMap<Site>),
}

/// A host that a sidecar knows.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The port of a request that names none.
    pub(super) default_port: u16,
    /// Its ports, each with its default route if there is a service, and no rule for that port.
    pub(super) ports: std::sync::Arc<[(u16, Option<Target>)]>,
    pub(super) virtual_host: Option<usize>,
}

/// A `match` entry that a request did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection<'e> {
    /// The rule.
    pub rule: &'e RuleRef,
    /// Which of its `match` entries; `None` if it has none.
    pub match_index: Option<usize>,
    /// The first condition that failed.
    pub failure: Failure,
}

/// The rules that a request is up against.
enum Found<'e> {
    VirtualHost(&'e VirtualHost, Option<u16>),
    Default(&'e Target),
    Passthrough,
}

impl Table {
    /// Compiles every VirtualService that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path.
    pub fn compile(resources: &[Resource], proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        compile(resources, proxy)
    }

    /// The namespace of the ServiceEntry that declares a service; `None`: none does.
    pub fn entry_namespace(&self, host: &str) -> Option<&str> {
        let place = self.entries.binary_search_by(|(known, _)| known.as_str().cmp(host)).ok()?;
        self.entries.get(place).map(|(_, namespace)| namespace.as_str())
    }

    /// What the rules ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = self.attributes;
        if matches!(&self.scope, Scope::Gateway(ports) if ports.len() > 1) {
            attributes |= Attributes::DESTINATION_PORT;
        }
        if self.reads_claims {
            attributes |= Attributes::CLAIMS;
        }
        attributes
    }

    /// Whether a decision depends on the time: faults that end one day.
    pub fn needs_time(&self) -> bool {
        self.expire
    }

    /// Whether some rule changes headers of responses.
    pub fn changes_responses(&self) -> bool {
        self.changes_responses
    }

    /// The route that `request` takes: the first rule that matches, in Istio's order. `None`: there is none, and
    /// Envoy answers 404, for a sidecar by [`crate::header_names::NO_ROUTE`].
    pub fn find<'e>(&'e self, request: &Request<'_>) -> Option<Route<'e>> {
        match self.look_up(request)? {
            Found::VirtualHost(virtual_host, port) => {
                let entry = virtual_host.first(request, port)?;
                Some(Route::Rule { rule: self.rules.get(entry.rule)?, entry, port })
            }
            Found::Default(target) => Some(Route::Default(target, &self.mesh_retries)),
            Found::Passthrough => Some(Route::Passthrough(&self.no_retries)),
        }
    }

    /// Whether requests for unknown hosts may pass, as Envoy's own last route says.
    pub fn lets_pass(&self) -> bool {
        matches!(self.scope, Scope::Sidecar(_))
    }

    /// Whether no request has a rule.
    pub fn is_empty(&self) -> bool {
        self.virtual_hosts.is_empty()
    }

    /// Why the entries before the one that [`Table::find`] yields did not match; all of them if it yields none.
    pub fn explain<'e>(&'e self, request: &Request<'_>) -> Vec<Rejection<'e>> {
        let Some(Found::VirtualHost(virtual_host, port)) = self.look_up(request) else { return Vec::new() };
        let failures = virtual_host.entries().map_while(|entry| {
            let failure = entry.failure(request, port)?;
            let rule = &self.rules.get(entry.rule)?.reference;
            Some(Rejection { rule, match_index: entry.match_index, failure })
        });
        failures.collect()
    }

    /// Every destination that a request can be sent to, in order and without duplicates: each needs a cluster.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.destinations.iter()
    }

    /// What needs a generic route of its own.
    pub fn profiles(&self) -> BTreeSet<Profile> {
        self.rules.iter().filter_map(Rule::profile).cloned().collect()
    }

    /// Every rule.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    fn look_up(&self, request: &Request<'_>) -> Option<Found<'_>> {
        match &self.scope {
            Scope::Gateway(ports) => {
                let (port, hosts) = match ports.as_slice() {
                    [only] => only,
                    several => {
                        several.iter().find(|(port, _)| Some(*port) == request.connection.destination_port)?
                    }
                };
                let virtual_host = self.virtual_hosts.get(*hosts.find(request.host())?)?;
                Some(Found::VirtualHost(virtual_host, Some(*port)))
            }
            Scope::Sidecar(sites) => {
                let Some(site) = sites.find(request.host()) else { return Some(Found::Passthrough) };
                let port = request.authority_port().unwrap_or(site.default_port);
                let Some((_, target)) = site.ports.iter().find(|(known, _)| *known == port) else {
                    return Some(Found::Passthrough);
                };
                match (target, site.virtual_host) {
                    (Some(target), _) => Some(Found::Default(target)),
                    (None, Some(number)) => {
                        Some(Found::VirtualHost(self.virtual_hosts.get(number)?, Some(port)))
                    }
                    (None, None) => Some(Found::Passthrough),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
