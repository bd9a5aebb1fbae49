//! Services of Kubernetes: what is spoken at their ports, whom they are for, and who else has their names.

use std::collections::HashMap;

use outrigger_api::host::{HostPattern, resolve_short_name};
use outrigger_api::types::kubernetes::ServicePort;
use outrigger_api::types::service_entry::ServiceEntry;
use outrigger_api::{Proxy, Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};

/// Prefixes of port names that Istio knows.
const PROTOCOLS: [&str; 11] =
    ["grpc", "grpc-web", "http", "http2", "https", "mongo", "mysql", "redis", "tcp", "tls", "udp"];

/// Istio's annotation for whom a Service is there.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// How Istio is told to prefer near endpoints of one service.
const TRAFFIC_DISTRIBUTION: &str = "networking.istio.io/traffic-distribution";

/// Looks at the names of all service ports, at annotations, and at ServiceEntries of Services' hosts.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    let services = resources.iter().filter(|resource| matches!(resource.spec, Spec::Service(_)));
    let services: HashMap<_, _> = services
        .map(|resource| {
            let (name, namespace) = (&resource.meta.name, &resource.meta.namespace);
            (resolve_short_name(name, namespace, &proxy.cluster_domain), resource)
        })
        .collect();
    for resource in resources {
        if let Spec::ServiceEntry(entry) = &resource.spec {
            findings.extend(without_effect(resource, entry, proxy, &services));
            findings.extend(distribution(resource));
        }
        let Spec::Service(service) = &resource.spec else { continue };
        findings.extend(exported(resource));
        findings.extend(distribution(resource));
        for (at, port) in service.ports.iter().enumerate().filter(|(_, port)| !says_protocol(port)) {
            let path = format!("spec.ports[{at}]");
            let message = match port.name.as_str() {
                "" => format!("port {} has no name, so nothing says its protocol", port.port),
                name => format!("the name `{name}` of port {} does not begin with a protocol", port.port),
            };
            let hint = format!("name it like `http` or `http-{}`, or set `appProtocol`", resource.meta.name);
            findings.push(Finding::new(codes::PORT_NAME, Level::Info, resource, &path, message).hint(hint));
        }
    }
}

/// Every Service is known everywhere.
fn exported(resource: &Resource) -> Option<Finding> {
    resource.meta.annotations.get(EXPORT_TO).filter(|namespaces| namespaces.trim() != "*")?;
    let message = format!("`{EXPORT_TO}` does nothing: this Service is known in every namespace");
    let hint =
        "the `egress` of Sidecars says what workloads know, and `exportTo` of a ServiceEntry for whom it is";
    let path = format!("metadata.annotations[\"{EXPORT_TO}\"]");
    let code = codes::ANNOTATION_WITHOUT_EFFECT;
    Some(Finding::new(code, Level::Warning, resource, &path, message).hint(hint.to_owned()))
}

/// A Service keeps its name, whatever ServiceEntries of other namespaces say of it. The proxy's own namespace may have its way.
fn without_effect(
    resource: &Resource,
    entry: &ServiceEntry,
    proxy: &Proxy,
    services: &HashMap<String, &Resource>,
) -> Option<Finding> {
    let namespace = &resource.meta.namespace;
    let (at, service) = entry.hosts.iter().enumerate().find_map(|(at, host)| match host {
        HostPattern::Exact(host) => services.get(host).map(|service| (at, *service)),
        _ => None,
    })?;
    let taken = *namespace != service.meta.namespace && *namespace != proxy.namespace;
    taken.then(|| {
        let message = format!(
            "this is the host of Service `{}`: what an entry of another namespace says of it does nothing",
            service.id()
        );
        let hint = format!("put it into namespace `{}`, or choose a host of its own", service.meta.namespace);
        let (code, path) = (codes::HOST_OF_A_SERVICE, format!("spec.hosts[{at}]"));
        Finding::new(code, Level::Warning, resource, &path, message).hint(hint)
    })
}

/// Endpoints are preferred by where they are only as DestinationRules say.
fn distribution(resource: &Resource) -> Option<Finding> {
    let field = resource.node.get("spec").and_then(|spec| spec.get("trafficDistribution"));
    let path = match resource.meta.annotations.get(TRAFFIC_DISTRIBUTION) {
        _ if field.is_some_and(|field| !field.is_null()) => "spec.trafficDistribution".to_owned(),
        Some(_) => format!("metadata.annotations[\"{TRAFFIC_DISTRIBUTION}\"]"),
        None => return None,
    };
    let message = "this does nothing: near endpoints and far ones get the same share".to_owned();
    let hint = "a DestinationRule with `outlierDetection` prefers near ones".to_owned();
    Some(Finding::new(codes::UNSUPPORTED, Level::Warning, resource, &path, message).hint(hint))
}

fn says_protocol(port: &ServicePort) -> bool {
    let name = port.name.to_ascii_lowercase();
    let prefix = name.split('-').next().unwrap_or_default();
    port.protocol == "UDP" || port.app_protocol.is_some() || PROTOCOLS.contains(&prefix)
}
