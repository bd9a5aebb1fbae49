//! What VirtualServices and DestinationRules name but nobody defines.

use outrigger_api::types::common::Target;
use std::collections::HashSet;

use outrigger_api::types::common::{Destination, GatewayRef};
use outrigger_api::types::virtual_service::{HeaderKey, RouteAction, VirtualService};
use outrigger_api::{Proxy, Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};
use super::registry::{Registry, closest};

/// Looks up every reference.
pub(super) fn check(
    resources: &[Resource],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    for resource in resources {
        match &resource.spec {
            Spec::VirtualService(service) => {
                gateways(resource, service, registry, findings);
                let mut unknown = HashSet::new();
                for (path, destination) in destinations(service) {
                    // An unknown host is worth one word for each VirtualService that has it, not for each of its rules.
                    if !is_known(resource, destination, registry) && unknown.insert(&destination.host) {
                        findings.push(unknown_host(resource, &path, destination, registry));
                    }
                    check_destination(resource, &path, destination, registry, findings);
                }
                claims(resource, service, resources, registry, proxy, findings);
            }
            Spec::DestinationRule(rule) if !rule.host.is_wildcard() => {
                let host = registry.resolve(&rule.host.to_string(), &resource.meta.namespace);
                for (at, subset) in rule.subsets.iter().enumerate() {
                    if registry.chooses_nothing(&host, &subset.labels) {
                        let code = codes::SUBSET_SELECTS_NOTHING;
                        let path = format!("spec.subsets[{at}].labels");
                        let message = format!(
                            "no endpoint of `{}` has the labels of subset `{}`",
                            rule.host, subset.name
                        );
                        findings.push(Finding::new(code, Level::Error, resource, &path, message));
                    }
                }
                let known = registry.services().next().is_some();
                if known && !registry.has_service(&host) && !registry.any_broken(&["Service", "ServiceEntry"])
                {
                    let code = codes::UNKNOWN_DESTINATION_RULE_HOST;
                    let message = format!("no Service or ServiceEntry has the host `{}`", rule.host);
                    let near = suggestion(&host, registry);
                    findings
                        .push(Finding::new(code, Level::Warning, resource, "spec.host", message).hint(near));
                }
            }
            _ => {}
        }
    }
}

/// Every destination with the path of its field.
fn destinations(service: &VirtualService) -> Vec<(String, &Destination)> {
    let mut found = Vec::new();
    for (at, rule) in service.http.iter().enumerate() {
        if let RouteAction::Route(routes) = &rule.action {
            let at = routes
                .iter()
                .enumerate()
                .map(|(n, route)| (format!("spec.http[{at}].route[{n}].destination"), &route.destination));
            found.extend(at);
        }
        for (n, mirror) in rule.mirrors.iter().enumerate() {
            // `mirror` is the older, single form.
            let field = if rule.mirrors.len() == 1 { "mirror" } else { "mirrors" };
            let path = match field {
                "mirror" => format!("spec.http[{at}].mirror"),
                _ => format!("spec.http[{at}].mirrors[{n}].destination"),
            };
            found.push((path, &mirror.destination));
        }
    }
    let connections = service.tls.iter().map(|route| &route.route).enumerate().map(|r| ("tls", r));
    for (list, (at, routes)) in
        connections.chain(service.tcp.iter().map(|route| &route.route).enumerate().map(|r| ("tcp", r)))
    {
        for (n, route) in routes.iter().enumerate() {
            found.push((format!("spec.{list}[{at}].route[{n}].destination"), &route.destination));
        }
    }
    found
}

fn is_known(resource: &Resource, destination: &Destination, registry: &Registry<'_>) -> bool {
    let host = registry.resolve(&destination.host, &resource.meta.namespace);
    registry.has_service(&host) || registry.any_broken(&["Service", "ServiceEntry"])
}

fn unknown_host(
    resource: &Resource,
    path: &str,
    destination: &Destination,
    registry: &Registry<'_>,
) -> Finding {
    let host = registry.resolve(&destination.host, &resource.meta.namespace);
    let message =
        format!("no Service or ServiceEntry has the host `{}`, so it is looked up in DNS", destination.host);
    let (code, path) = (codes::REFERENCED_RESOURCE_NOT_FOUND, format!("{path}.host"));
    Finding::new(code, Level::Warning, resource, &path, message).hint(suggestion(&host, registry))
}

fn check_destination(
    resource: &Resource,
    path: &str,
    destination: &Destination,
    registry: &Registry<'_>,
    findings: &mut Vec<Finding>,
) {
    let host = registry.resolve(&destination.host, &resource.meta.namespace);
    let written = &destination.host;
    let mut report = |code, level, field: &str, message, hint: Option<String>| {
        let path = format!("{path}.{field}");
        findings.push(Finding::new(code, level, resource, &path, message).hint(hint));
    };
    if let (Some(ports), None) = (registry.ports(&host), destination.port)
        && ports.len() > 1
    {
        let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let message = format!("`{written}` has several ports ({list}), so `port.number` must be given");
        report(codes::DESTINATION_PORT_REQUIRED, Level::Error, "host", message, None);
    }
    if let (Some(ports), Some(port)) = (registry.ports(&host), destination.port)
        && !ports.is_empty()
        && !ports.contains(&port)
    {
        let list = ports.iter().map(|port| format!("`{port}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{written}` has no port {port}");
        let hint = Some(format!("its ports are {list}"));
        report(codes::REFERENCED_RESOURCE_NOT_FOUND, Level::Error, "port.number", message, hint);
    }
    if let Some(subset) = &destination.subset
        && !registry.any_broken(&["DestinationRule"])
    {
        let subsets = registry.subsets(&host);
        let known = subsets.as_deref().unwrap_or_default();
        if !known.contains(&subset.as_str()) {
            let (message, hint) = match subsets {
                None => (
                    format!("no DestinationRule is about `{written}`, so it has no subset `{subset}`"),
                    Some(format!(
                        "define it: a DestinationRule with `host: {written}` and a subset `{subset}`"
                    )),
                ),
                Some(_) => (
                    format!("the DestinationRule of `{written}` has no subset `{subset}`"),
                    (!known.is_empty()).then(|| format!("it has `{}`", known.join("`, `"))),
                ),
            };
            report(codes::REFERENCED_RESOURCE_NOT_FOUND, Level::Error, "subset", message, hint);
        } else if !is_known(resource, destination, registry) {
            let message = format!(
                "subset `{subset}` chooses endpoints by label, and nothing says which `{written}` has"
            );
            let hint = format!("`run` needs a ServiceEntry for `{host}` with `endpoints` and their `labels`");
            report(codes::UNKNOWN_ENDPOINTS, Level::Warning, "subset", message, Some(hint));
        }
    }
}

/// Gateways which are absent, and hosts which are not on the ones that are there.
fn gateways(
    resource: &Resource,
    service: &VirtualService,
    registry: &Registry<'_>,
    findings: &mut Vec<Finding>,
) {
    let lists = service.http.iter().enumerate().flat_map(|(rule, route)| {
        route
            .matches
            .iter()
            .enumerate()
            .map(move |(n, entry)| (format!("spec.http[{rule}].match[{n}].gateways"), &entry.gateways))
    });
    let own = std::iter::once(("spec.gateways".to_owned(), &service.gateways));
    for (path, gateways) in own.chain(lists) {
        for (at, gateway) in gateways.iter().enumerate() {
            let GatewayRef::Named { namespace, name } = gateway else { continue };
            match registry.gateway(namespace, name) {
                None if !registry.is_broken("Gateway", namespace, name) => {
                    let path = format!("{path}[{at}]");
                    let message = format!("there is no Gateway `{namespace}/{name}`");
                    let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
                    let hint = gateway_hint(namespace, name, registry);
                    findings.push(Finding::new(code, Level::Error, resource, &path, message).hint(hint));
                }
                Some(found) if path == "spec.gateways" => {
                    for (n, host) in service.hosts.iter().enumerate() {
                        let served = found.servers.iter().flat_map(|server| &server.hosts).any(|server| {
                            use outrigger_api::types::gateway::NamespaceScope;
                            let visible = match &server.scope {
                                NamespaceScope::Any => true,
                                NamespaceScope::Namespace(only) => *only == resource.meta.namespace,
                            };
                            visible && server.host.intersects(host)
                        });
                        if !served {
                            let path = format!("spec.hosts[{n}]");
                            let message = format!(
                                "no server of Gateway `{namespace}/{name}` has the host `{host}` for namespace `{}`",
                                resource.meta.namespace
                            );
                            let code = codes::HOST_NOT_IN_GATEWAY;
                            findings.push(Finding::new(code, Level::Warning, resource, &path, message));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// The same name in another namespace, or a similar one in this.
fn gateway_hint(namespace: &str, name: &str, registry: &Registry<'_>) -> Option<String> {
    let mut elsewhere: Vec<_> = registry.gateways().filter(|(_, other)| *other == name).collect();
    elsewhere.sort_unstable();
    if let Some((other, _)) = elsewhere.first() {
        return Some(format!("there is one in namespace `{other}`: write `{other}/{name}`"));
    }
    let near = registry.gateways().filter(|(other, _)| *other == namespace).map(|(_, name)| name);
    did_you_mean(closest(name, near))
}

/// Routes by claims of a token which no RequestAuthentication verifies.
fn claims(
    resource: &Resource,
    service: &VirtualService,
    resources: &[Resource],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    let selects = |labels: &outrigger_api::types::common::Labels| {
        resources.iter().any(|other| match &other.spec {
            Spec::RequestAuthentication(authentication) => match &authentication.target {
                Target::All | Target::Refs(_) => true,
                Target::Selector(selector) => selector.matches(labels) || selector.matches(&proxy.labels),
            },
            _ => false,
        })
    };
    if registry.any_broken(&["RequestAuthentication"]) {
        return;
    }
    let verified = service.gateways.iter().all(|gateway| match gateway {
        GatewayRef::Mesh => true,
        GatewayRef::Named { namespace, name } => {
            registry.gateway(namespace, name).is_none_or(|gateway| selects(&gateway.selector.0))
        }
    });
    if verified {
        return;
    }
    for (rule, route) in service.http.iter().enumerate() {
        for (n, entry) in route.matches.iter().enumerate() {
            let lists = [("headers", &entry.headers), ("withoutHeaders", &entry.without_headers)];
            for (field, list) in lists {
                if list.iter().any(|(key, _)| matches!(key, HeaderKey::Claim(_))) {
                    let path = format!("spec.http[{rule}].match[{n}].{field}");
                    let message = "the route asks for a claim, but no RequestAuthentication is for this gateway, so \
                                   it never matches";
                    let code = codes::CLAIM_ROUTE_WITHOUT_AUTHENTICATION;
                    findings.push(Finding::new(code, Level::Error, resource, &path, message.to_owned()));
                }
            }
        }
    }
}

fn suggestion(host: &str, registry: &Registry<'_>) -> Option<String> {
    let first = |host: &str| host.split('.').next().unwrap_or_default().to_owned();
    let same_name = registry.services().find(|other| first(other) == first(host));
    did_you_mean(closest(host, registry.services()).or(same_name))
}

pub(super) fn did_you_mean(name: Option<&str>) -> Option<String> {
    name.map(|name| format!("did you mean `{name}`?"))
}
