//! Services cut down to the hosts and ports that are known: in what they mean, and in what is written to a filter.

use std::sync::Arc;

use outrigger_api::host::HostPattern;
use outrigger_api::node::{Node, Value};
use outrigger_api::types::kubernetes::Service;
use outrigger_api::types::service_entry::ServiceEntry;
use outrigger_api::{Resource, Spec};

/// The ServiceEntry as it is if all of it is known; else one for each host of which something is.
pub(super) fn entry(
    resource: &Resource,
    entry: &ServiceEntry,
    known: impl Fn(&HostPattern, u16) -> bool,
) -> Vec<Resource> {
    let ports = |host| entry.ports.iter().map(|port| known(host, port.number)).collect::<Vec<_>>();
    let by_host: Vec<_> = entry.hosts.iter().map(ports).collect();
    if by_host.iter().flatten().all(|known| *known) {
        return vec![resource.clone()];
    }
    let mut kept = Vec::new();
    for (at, (host, ports)) in entry.hosts.iter().zip(&by_host).enumerate() {
        if !ports.contains(&true) {
            continue;
        }
        let mut trimmed = entry.clone();
        trimmed.hosts = vec![host.clone()];
        retain(&mut trimmed.ports, ports);
        let only: Vec<_> = (0..entry.hosts.len()).map(|host| host == at).collect();
        let node = cut(&resource.node, &[("hosts", &only), ("ports", ports)]);
        kept.push(Resource { spec: Spec::ServiceEntry(trimmed), node, ..resource.clone() });
    }
    kept
}

/// The Service with the ports that are known. `None`: no port is.
pub(super) fn service(
    resource: &Resource,
    service: &Service,
    known: impl Fn(u16) -> bool,
) -> Option<Resource> {
    let ports: Vec<_> = service.ports.iter().map(|port| known(port.port)).collect();
    if ports.iter().all(|known| *known) {
        return Some(resource.clone());
    }
    if !ports.contains(&true) {
        return None;
    }
    let mut trimmed = service.clone();
    retain(&mut trimmed.ports, &ports);
    let node = cut(&resource.node, &[("ports", &ports)]);
    Some(Resource { spec: Spec::Service(trimmed), node, ..resource.clone() })
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| keep.next().copied().unwrap_or_default());
}

/// The resource as it was read, with fewer elements in these lists of its `spec`.
fn cut(node: &Node, lists: &[(&str, &[bool])]) -> Arc<Node> {
    let mut node = node.clone();
    for (name, keep) in lists {
        let list = field(&mut node, "spec").and_then(|spec| field(spec, name));
        if let Some(Node { value: Value::Sequence(items), .. }) = list {
            retain(items, keep);
        }
    }
    Arc::new(node)
}

fn field<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Mapping(entries) => {
            entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, value)| value)
        }
        _ => None,
    }
}
