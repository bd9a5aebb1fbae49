//! What the filters of a chain get of the resources: its own servers, as if a Gateway had no others, and the
//! VirtualServices on them. So a host of another server has no route on this chain, as under Istio, and a change of one
//! server's rules touches no other's filter.

use std::sync::Arc;

use outrigger_api::node::{Node, Value};
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::virtual_service::VirtualService;
use outrigger_api::{Proxy, select};

use super::guarded;
use super::server::Served;

/// The resources for a chain with the servers `open`, and with those of `by_https`, whose rules are for requests that
/// came to a proxy in front of this one by HTTPS.
pub(super) fn resources(
    all: &[Resource],
    proxy: &Proxy,
    open: &[&Served<'_>],
    by_https: &[&Served<'_>],
) -> Vec<Resource> {
    let servers = [open, by_https].concat();
    let hosts = |servers: &[&Served<'_>], resource: &Resource, service: &VirtualService| {
        let on = servers.iter().filter(|served| service.gateways.contains(&served.gateway()));
        let of = |served: &&Served<'_>| {
            let (namespace, domain) = (&resource.meta.namespace, &proxy.cluster_domain);
            select::attached_hosts(served.server, service, namespace, domain)
        };
        on.flat_map(of).collect::<Vec<_>>()
    };
    let kept = all.iter().flat_map(|resource| match &resource.spec {
        Spec::Gateway(_) => narrowed(resource, &servers).into_iter().collect(),
        Spec::VirtualService(service) if !service.is_delegate() => {
            match (hosts(open, resource, service), hosts(by_https, resource, service)) {
                (open, closed) if closed.is_empty() => {
                    (!open.is_empty()).then(|| resource.clone()).into_iter().collect()
                }
                (open, _) if open.is_empty() => vec![guarded::by_https(resource.clone())],
                // No host is on servers of both kinds, which is refused.
                (open, closed) => vec![
                    guarded::on_hosts(resource.clone(), &open),
                    guarded::by_https(guarded::on_hosts(resource.clone(), &closed)),
                ],
            }
        }
        _ => vec![resource.clone()],
    });
    kept.collect()
}

/// A Gateway with those of its servers that are among `servers`; `None` if there is none.
fn narrowed(resource: &Resource, servers: &[&Served<'_>]) -> Option<Resource> {
    let mine: Vec<_> = servers
        .iter()
        .filter(|served| std::ptr::eq(served.resource, resource))
        .map(|served| served.index)
        .collect();
    let Spec::Gateway(gateway) = &resource.spec else { return None };
    if mine.is_empty() {
        return None;
    }
    if mine.len() == gateway.servers.len() {
        return Some(resource.clone());
    }
    let mut gateway = gateway.clone();
    keep(&mut gateway.servers, &mine);
    let mut node = (*resource.node).clone();
    if let Some(Value::Sequence(items)) =
        get_mut(&mut node, "spec").and_then(|spec| get_mut(spec, "servers")).map(|servers| &mut servers.value)
    {
        keep(items, &mine);
    }
    Some(Resource { spec: Spec::Gateway(gateway), node: Arc::new(node), ..resource.clone() })
}

fn keep<T>(items: &mut Vec<T>, places: &[usize]) {
    let mut place = 0usize..;
    items.retain(|_| place.next().is_some_and(|place| places.contains(&place)));
}

pub(super) fn get_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Mapping(entries) => {
            entries.iter_mut().find(|(name, _)| name.name == key).map(|(_, value)| value)
        }
        _ => None,
    }
}
