//! Where routes lead.

use std::collections::{HashMap, HashSet};

use outrigger_api::Resource;
use outrigger_api::node::{Node, Value};
use outrigger_api::types::common::{Destination, GatewayRef};
use outrigger_api::types::virtual_service::{RouteAction, VirtualService};

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::Registry;

/// Looks up the destinations of a VirtualService. `mesh` are the hosts which VirtualServices of the mesh split up.
pub(super) fn check(
    resource: &Resource,
    service: &VirtualService,
    registry: &Registry<'_>,
    mesh: &HashMap<String, &Resource>,
    findings: &mut Vec<Finding>,
) {
    let mut unknown = HashSet::new();
    for (path, destination) in destinations(resource, service) {
        let host = registry.resolve(&destination.host, &resource.meta.namespace);
        let looked_up = Looked { resource, path: &path, destination, host: &host, registry };
        // An unknown host is worth one word for each VirtualService that has it, not for each of its rules.
        if !looked_up.is_known() && unknown.insert(&destination.host) {
            findings.push(looked_up.unknown_host());
        }
        findings.extend(looked_up.port());
        findings.extend(looked_up.subset());
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

    /// A port must be given where there are several, and be one of them.
    fn port(&self) -> Option<Finding> {
        let ports = self.registry.ports(self.host)?;
        let written = &self.destination.host;
        let list = |quote: &str| {
            ports.iter().map(|port| format!("{quote}{port}{quote}")).collect::<Vec<_>>().join(", ")
        };
        match self.destination.port {
            None if ports.len() > 1 => {
                let message =
                    format!("`{written}` has several ports ({}), so `port.number` must be given", list(""));
                Some(self.finding(codes::DESTINATION_PORT_REQUIRED, Level::Error, "host", message))
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
        if known.contains(&subset.as_str()) {
            return (!self.is_known()).then(|| {
                let message = format!(
                    "subset `{subset}` chooses endpoints by label, and nothing says which `{written}` has"
                );
                let hint =
                    format!("`run` needs a ServiceEntry for `{host}` with `endpoints` and their `labels`");
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
                (!known.is_empty()).then(|| format!("it has `{}`", known.join("`, `"))),
            ),
        };
        let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
        Some(self.finding(code, Level::Error, "subset", message).hint(hint))
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
        let places = if rule.mirrors.is_empty() { Vec::new() } else { mirror_paths(resource, at) };
        found.extend(places.into_iter().zip(rule.mirrors.iter().map(|mirror| &mirror.destination)));
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
