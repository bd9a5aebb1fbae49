//! Where routes lead.

use std::collections::{BTreeSet, HashMap, HashSet};

use outrigger_api::node::{Node, Value};
use outrigger_api::select::DestinationRules;
use outrigger_api::types::common::{Destination, GatewayRef};
use outrigger_api::types::virtual_service::{RouteAction, VirtualService};
use outrigger_api::{Proxy, Resource, Role};
use outrigger_core::route;

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::Registry;

/// What destinations are looked up in.
pub(super) struct Known<'k> {
    pub(super) registry: &'k Registry<'k>,
    /// The hosts which VirtualServices of the mesh split up.
    pub(super) mesh: &'k HashMap<String, &'k Resource>,
    /// Whether this proxy has the VirtualService.
    pub(super) here: bool,
    /// Those that this proxy has no cluster for.
    pub(super) unserved: &'k BTreeSet<route::Destination>,
    /// All of them, and the proxy.
    pub(super) world: (&'k [Resource], &'k Proxy),
}

/// Looks up the destinations of a VirtualService.
pub(super) fn check(
    resource: &Resource,
    service: &VirtualService,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) {
    let Known { registry, mesh, .. } = known;
    let mut unknown = HashSet::new();
    for (path, destination) in destinations(resource, service) {
        let host = registry.resolve(&destination.host, &resource.meta.namespace);
        let looked_up = Looked { resource, path: &path, destination, host: &host, registry };
        // An unknown host is worth one word for each VirtualService that has it, not for each of its rules.
        if !looked_up.is_known() && unknown.insert(&destination.host) {
            findings.push(looked_up.unknown_host());
        } else if known.here && registry.is_hidden(&host) && unknown.insert(&destination.host) {
            findings.push(looked_up.hidden_host(known.world.1));
        }
        let (port, subset) = (looked_up.port(known), looked_up.subset());
        if port.is_none() && subset.is_none() {
            findings.extend(looked_up.nowhere(known));
        }
        findings.extend(port.into_iter().chain(subset));
        let at_gateway = service.gateways.iter().any(|gateway| *gateway != GatewayRef::Mesh);
        if let Some(other) = mesh.get(&host).filter(|_| at_gateway && path.contains(".route[")) {
            findings.extend(looked_up.not_split(other));
        }
    }
}

/// A destination with what its host is called in full.
struct Looked<'r> {
    resource: &'r Resource,
    path: &'r str,
    destination: &'r Destination,
    host: &'r str,
    registry: &'r Registry<'r>,
}

impl Looked<'_> {
    fn finding(&self, code: &'static str, level: Level, field: &str, message: String) -> Finding {
        Finding::new(code, level, self.resource, &format!("{}.{field}", self.path), message)
    }

    fn is_known(&self) -> bool {
        self.registry.has_service(self.host) || self.registry.any_broken(&["Service", "ServiceEntry"])
    }

    fn unknown_host(&self) -> Finding {
        let host = &self.destination.host;
        let message = format!("no Service or ServiceEntry has the host `{host}`, so it is looked up in DNS");
        self.finding(codes::REFERENCED_RESOURCE_NOT_FOUND, Level::Warning, "host", message)
            .hint(self.registry.suggest(self.host))
    }

    fn hidden_host(&self, proxy: &Proxy) -> Finding {
        let (host, namespace) = (&self.destination.host, &proxy.namespace);
        let message = format!(
            "the ServiceEntry of `{host}` is not exported to the namespace of this proxy, `{namespace}`, so the host is \
             looked up in DNS"
        );
        self.finding(codes::REFERENCED_RESOURCE_NOT_FOUND, Level::Warning, "host", message)
            .hint(format!("add `{namespace}` to its `exportTo`"))
    }

    /// A port must be given where there are several, and be one of them. Where it is not, it is the one that a request to a
    /// sidecar is for, and at a gateway the server's.
    fn port(&self, known: &Known<'_>) -> Option<Finding> {
        let ports = self.registry.ports(self.host)?;
        let written = &self.destination.host;
        let list = |quote: &str| {
            ports.iter().map(|port| format!("{quote}{port}{quote}")).collect::<Vec<_>>().join(", ")
        };
        match self.destination.port {
            None if ports.len() > 1 => {
                let at_gateway = known.world.1.role == Role::Gateway;
                let mut unserved = known.unserved.iter().filter(|one| one.host == self.host);
                let nowhere = at_gateway && unserved.any(|one| !ports.contains(&one.port));
                let (level, then) = match nowhere {
                    true => (Level::Error, "the Gateway's own port is none of them"),
                    false => (
                        Level::Warning,
                        "a sidecar sends each request to the one that it is for, a gateway to the one that is its own",
                    ),
                };
                let message =
                    format!("`{written}` has several ports ({}), and none is chosen: {then}", list(""));
                let hint = "choose one by `port.number`".to_owned();
                Some(self.finding(codes::DESTINATION_PORT_REQUIRED, level, "host", message).hint(hint))
            }
            Some(port) if !ports.is_empty() && !ports.contains(&port) => {
                let message = format!("`{written}` has no port {port}");
                let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
                let hint = format!("its ports are {}", list("`"));
                Some(self.finding(code, Level::Error, "port.number", message).hint(hint))
            }
            _ => None,
        }
    }

    fn subset(&self) -> Option<Finding> {
        let subset = self.destination.subset.as_ref()?;
        if self.registry.any_broken(&["DestinationRule"]) {
            return None;
        }
        let (written, host) = (&self.destination.host, self.host);
        let subsets = self.registry.subsets(host);
        let known = subsets.as_deref().unwrap_or_default();
        if let Some(chosen) = known.iter().find(|known| known.name == *subset) {
            const KINDS: [&str; 4] = ["Service", "ServiceEntry", "EndpointSlice", "WorkloadEntry"];
            let left_to_dns = self.registry.is_left_to_dns(host) && !self.registry.any_broken(&KINDS);
            return (left_to_dns && !chosen.labels.is_empty()).then(|| {
                let message = format!(
                    "subset `{subset}` chooses endpoints by label, and nothing says which `{written}` has"
                );
                let hint = format!(
                    "`run` needs a ServiceEntry for `{host}` with `endpoints` and their `labels`, or for a Service \
                     its EndpointSlices and their Pods"
                );
                self.finding(codes::UNKNOWN_ENDPOINTS, Level::Warning, "subset", message).hint(hint)
            });
        }
        let (message, hint) = match subsets {
            None => (
                format!("no DestinationRule is about `{written}`, so it has no subset `{subset}`"),
                Some(format!("define it: a DestinationRule with `host: {written}` and a subset `{subset}`")),
            ),
            Some(_) => (
                format!("the DestinationRule of `{written}` has no subset `{subset}`"),
                (!known.is_empty()).then(|| {
                    let names: Vec<_> = known.iter().map(|known| &*known.name).collect();
                    format!("it has `{}`", names.join("`, `"))
                }),
            ),
        };
        let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
        Some(self.finding(code, Level::Error, "subset", message).hint(hint))
    }

    /// What is there by itself and yet not for this proxy: a DestinationRule that is not exported to it, or comes after
    /// another one for the host, a port that only the ServiceEntry for a wildcard could have.
    fn nowhere(&self, known: &Known<'_>) -> Option<Finding> {
        let Destination { host: written, subset, port } = self.destination;
        // One that is not said is one that the host has, or else the same wherever it is not said.
        let ports = self.registry.ports(self.host).filter(|ports| !ports.is_empty());
        let is_port = |number: u16| match port {
            Some(port) => *port == number,
            None => ports.is_none_or(|ports| ports.contains(&number)),
        };
        let is_meant =
            |one: &&route::Destination| one.host == self.host && one.subset == *subset && is_port(one.port);
        let found = known.unserved.iter().find(is_meant)?;
        let (resources, proxy) = known.world;
        let rules = DestinationRules::find(resources, proxy, self.host);
        let (field, what, hint) = match subset.as_ref().filter(|name| rules.subset(name).is_none()) {
            Some(name) => (
                "subset",
                format!("subset `{name}` of `{written}` is in no DestinationRule that counts for this proxy"),
                "of the proxy's own namespace, the service's and the root one the first counts that has a \
                 DestinationRule for the host, as far as `exportTo` and `workloadSelector` let the proxy have it"
                    .to_owned(),
            ),
            None => (
                "host",
                format!("no Service or ServiceEntry for `{written}` that counts for this proxy has a port {}", found.port),
                format!("Envoy has no cluster `{}`: requests would be answered with 503", found.cluster_name()),
            ),
        };
        let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
        Some(self.finding(code, Level::Error, field, what).hint(hint))
    }

    /// A gateway sends to a host as it is: what a VirtualService of the mesh says of that host holds for sidecars only.
    fn not_split(&self, other: &Resource) -> Option<Finding> {
        let own = other.id() == self.resource.id();
        (self.destination.subset.is_none() && !own).then(|| {
            let message = format!(
                "the gateway sends to all of `{}`: the rules of VirtualService `{}`, which choose among its subsets, \
                 hold for the mesh only",
                self.destination.host,
                other.id()
            );
            let hint = "name the subsets here too, or give that VirtualService this gateway".to_owned();
            self.finding(codes::INGRESS_RULES_NOT_AFFECTED, Level::Warning, "host", message).hint(hint)
        })
    }
}

/// Every destination with the path of its field.
fn destinations<'s>(resource: &Resource, service: &'s VirtualService) -> Vec<(String, &'s Destination)> {
    let mut found = Vec::new();
    for (at, rule) in service.http.iter().enumerate() {
        if let RouteAction::Route(routes) = &rule.action {
            let paths = routes
                .iter()
                .enumerate()
                .map(|(n, route)| (format!("spec.http[{at}].route[{n}].destination"), &route.destination));
            found.extend(paths);
        }
        let copies: Vec<_> = rule.copies().collect();
        let places = if copies.is_empty() { Vec::new() } else { mirror_paths(resource, at) };
        found.extend(places.into_iter().zip(copies.into_iter().map(|(to, _)| to)));
    }
    let tls = service.tls.iter().map(|route| &route.route).enumerate().map(|route| ("tls", route));
    let tcp = service.tcp.iter().map(|route| &route.route).enumerate().map(|route| ("tcp", route));
    for (list, (at, routes)) in tls.chain(tcp) {
        for (n, route) in routes.iter().enumerate() {
            found.push((format!("spec.{list}[{at}].route[{n}].destination"), &route.destination));
        }
    }
    found
}

/// Where the mirrors of a rule stand: under `mirror`, or in `mirrors` but for those with a share of zero.
fn mirror_paths(resource: &Resource, rule: usize) -> Vec<String> {
    let list = |node: Option<&Node>| match node.map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.clone(),
        _ => Vec::new(),
    };
    let http = list(resource.node.get("spec").and_then(|spec| spec.get("http")));
    let Some(rule_node) = http.get(rule) else { return Vec::new() };
    if rule_node.get("mirror").is_some_and(|mirror| !mirror.is_null()) {
        return vec![format!("spec.http[{rule}].mirror")];
    }
    let counts = |mirror: &Node| {
        let share = mirror.get("percentage").filter(|share| !share.is_null());
        share.is_none_or(|share| {
            share.get("value").is_some_and(|value| match value.value {
                Value::Number(number) => number.to_string().parse::<f64>().is_ok_and(|share| share >= 0.0001),
                _ => false,
            })
        })
    };
    let mirrors = list(rule_node.get("mirrors"));
    let used = mirrors.iter().enumerate().filter(|(_, mirror)| counts(mirror));
    used.map(|(n, _)| format!("spec.http[{rule}].mirrors[{n}].destination")).collect()
}
