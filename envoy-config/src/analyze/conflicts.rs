//! Resources that are right by themselves and contradict each other.

use std::collections::HashMap;

use outrigger_api::types::common::{ExportTo, GatewayRef, Labels, Protocol, WorkloadSelector};
use outrigger_api::types::virtual_service::VirtualService;
use outrigger_api::{Kind, Proxy, Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};
use super::registry::Registry;

/// Looks for contradictions.
pub(super) fn check(
    resources: &[Resource],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    duplicates(resources, findings);
    mesh_hosts(resources, registry, findings);
    gateways(resources, proxy, findings);
    entries(resources, findings);
    namespace_wide(resources, findings);
}

/// `file:line` of a resource, for messages about another one.
pub(crate) fn place(resource: &Resource) -> String {
    match (&resource.source.file, resource.position("")) {
        (Some(file), Some(position)) => format!("{file}:{}", position.line),
        (Some(file), None) => file.to_string(),
        _ => resource.id(),
    }
}

fn duplicates(resources: &[Resource], findings: &mut Vec<Finding>) {
    let mut first: HashMap<(Kind, &str, &str), &Resource> = HashMap::new();
    for resource in resources {
        let key = (resource.kind, &*resource.meta.namespace, &*resource.meta.name);
        if let Some(first) = first.get(&key) {
            let message =
                format!("{} `{}` is defined twice, first at {}", resource.kind, resource.id(), place(first));
            let hint = "in a cluster the later one would replace the first; remove one of them".to_owned();
            let code = codes::DUPLICATE_RESOURCE;
            // Nothing is carried out of these: they say which names and labels there are.
            let only_said = matches!(resource.kind, Kind::Deployment | Kind::Namespace);
            let level = if only_said { Level::Warning } else { Level::Error };
            findings.push(Finding::new(code, level, resource, "metadata.name", message).hint(hint));
        } else {
            first.insert(key, resource);
        }
    }
}

/// One host on the mesh can't have two VirtualServices.
fn mesh_hosts(resources: &[Resource], registry: &Registry<'_>, findings: &mut Vec<Finding>) {
    let mut claimed: HashMap<String, Vec<(&Resource, &VirtualService)>> = HashMap::new();
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        if !service.gateways.contains(&GatewayRef::Mesh) {
            continue;
        }
        for (n, host) in service.hosts.iter().enumerate() {
            let full = registry.resolve(&host.to_string(), &resource.meta.namespace);
            let others = claimed.entry(full).or_default();
            let seen = |other: &VirtualService| see_each_other(&service.export_to, &other.export_to);
            if let Some((other, _)) = others.iter().find(|(_, other)| seen(other)) {
                let path = format!("spec.hosts[{n}]");
                let message = format!(
                    "VirtualService `{}` routes the host `{host}` of the mesh already ({})",
                    other.id(),
                    place(other)
                );
                let hint = "put the routes into one VirtualService: of several the oldest counts".to_owned();
                let code = codes::CONFLICTING_MESH_HOSTS;
                findings.push(Finding::new(code, Level::Error, resource, &path, message).hint(hint));
            }
            others.push((resource, service));
        }
    }
}

/// Whether some namespace sees what is exported so.
fn see_each_other(one: &ExportTo, other: &ExportTo) -> bool {
    match (one, other) {
        (ExportTo::None, _) | (_, ExportTo::None) => false,
        (ExportTo::Namespaces(one), ExportTo::Namespaces(other)) => {
            one.iter().any(|name| other.contains(name))
        }
        _ => true,
    }
}

/// Of ServiceEntries for one host and port the best one says what is spoken there.
fn entries(resources: &[Resource], findings: &mut Vec<Finding>) {
    let mut said: HashMap<_, Vec<(&Resource, Protocol, &ExportTo)>> = HashMap::new();
    for resource in resources {
        let Spec::ServiceEntry(entry) = &resource.spec else { continue };
        for (at, port) in entry.ports.iter().enumerate() {
            for host in &entry.hosts {
                let others = said.entry((host, port.number)).or_default();
                let conflict = others.iter().find(|(_, protocol, export_to)| {
                    *protocol != port.protocol && see_each_other(export_to, &entry.export_to)
                });
                if let Some((other, ..)) = conflict {
                    let message = format!(
                        "ServiceEntry `{}` gives port {} of `{host}` another protocol ({})",
                        other.id(),
                        port.number,
                        place(other)
                    );
                    let path = format!("spec.ports[{at}].protocol");
                    let code = codes::CONFLICTING_ENTRY_PROTOCOLS;
                    findings.push(Finding::new(code, Level::Warning, resource, &path, message));
                }
                others.push((resource, port.protocol, &entry.export_to));
            }
        }
    }
}

/// Two Gateways for the same proxies can't both serve a host on one port.
fn gateways(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    let proxies = Proxies::new(resources, proxy);
    let mut served: HashMap<_, Vec<_>> = HashMap::new();
    for resource in resources {
        let Spec::Gateway(gateway) = &resource.spec else { continue };
        for (at, server) in gateway.servers.iter().enumerate() {
            for (n, host) in server.hosts.iter().enumerate() {
                let key = (server.port.number, server.bind.as_deref(), host.host.to_string());
                let others = served.entry(key).or_default();
                let conflict = others.iter().find(
                    |(other, selector, scope, _): &&(&Resource, &WorkloadSelector, _, _)| {
                        other.id() != resource.id()
                            && *scope == &host.scope
                            && proxies.may_share(selector, &gateway.selector)
                    },
                );
                if let Some((other, _, _, also_plain)) = conflict {
                    let path = format!("spec.servers[{at}].hosts[{n}]");
                    let message = format!(
                        "Gateway `{}` serves the host `{}` on port {} for the same proxies already ({})",
                        other.id(),
                        host.host,
                        server.port.number,
                        place(other)
                    );
                    let code = codes::CONFLICTING_GATEWAYS;
                    // Plain HTTP is told apart by nothing else, and merges as under Istio.
                    let merges = server.port.protocol.is_http() && *also_plain;
                    let finding = |level| Finding::new(code, level, resource, &path, message.clone());
                    findings.push(if merges {
                        let hint = "the host gets the routes of both, those of the older Gateway first";
                        finding(Level::Warning).hint(hint.to_owned())
                    } else {
                        finding(Level::Error)
                    });
                }
                others.push((resource, &gateway.selector, &host.scope, server.port.protocol.is_http()));
            }
        }
    }
}

/// Workloads that Gateways may choose: of all namespaces, as in Istio unless it is told otherwise.
struct Proxies<'r>(Vec<&'r Labels>);

impl<'r> Proxies<'r> {
    fn new(resources: &'r [Resource], proxy: &'r Proxy) -> Self {
        let workloads = resources.iter().filter_map(|resource| match &resource.spec {
            Spec::Workload(workload) => Some(&workload.labels),
            _ => None,
        });
        Self(workloads.chain([&proxy.labels]).collect())
    }

    /// Whether a workload is chosen by both: any by the same selector, and one of those that are known by two.
    fn may_share(&self, one: &WorkloadSelector, other: &WorkloadSelector) -> bool {
        one == other || self.0.iter().any(|labels| one.matches(labels) && other.matches(labels))
    }
}

/// Of some kinds only one without a selector counts in a namespace.
fn namespace_wide(resources: &[Resource], findings: &mut Vec<Finding>) {
    use outrigger_api::types::common::Target;
    let mut first: HashMap<(Kind, &str), &Resource> = HashMap::new();
    for resource in resources {
        let (code, whole) = match &resource.spec {
            Spec::Sidecar(sidecar) => (codes::MULTIPLE_SIDECARS, sidecar.workload_selector.is_none()),
            Spec::Telemetry(telemetry) => (codes::MULTIPLE_TELEMETRIES, telemetry.target == Target::All),
            _ => continue,
        };
        if !whole {
            continue;
        }
        let key = (resource.kind, &*resource.meta.namespace);
        if let Some(first) = first.get(&key) {
            let message = format!(
                "namespace `{}` has a {} without a selector already: `{}` ({})",
                resource.meta.namespace,
                resource.kind,
                first.id(),
                place(first)
            );
            let hint =
                "of several the oldest counts, and of these the first by name: put all into one".to_owned();
            findings.push(Finding::new(code, Level::Warning, resource, "metadata.name", message).hint(hint));
        } else {
            first.insert(key, resource);
        }
    }
}
