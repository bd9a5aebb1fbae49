//! Rules that have no effect because of how they delegate, or are delegated to.

use std::collections::HashSet;

use outrigger_api::delegate::{Delegates, DropReason, Dropped};
use outrigger_api::types::virtual_service::RouteAction;
use outrigger_api::{Proxy, Resource, Spec};

use super::codes;
use super::conflicts::place;
use super::finding::{Finding, Level};
use super::registry::{Registry, closest, did_you_mean};

/// Looks at every VirtualService that delegates, and at every delegate.
pub(super) fn check(
    resources: &[Resource],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    let delegates = Delegates::new(resources);
    let mut named = HashSet::new();
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        if service.is_delegate() {
            continue;
        }
        for route in &service.http {
            if let RouteAction::Delegate(delegate) = &route.action {
                named.insert((delegate.namespace.as_str(), delegate.name.as_str()));
            }
        }
        let (_, dropped) = delegates.routes(resource, service, &proxy.cluster_domain);
        findings.extend(dropped.iter().filter_map(|dropped| finding(dropped, resources, registry)));
    }
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        let name = (resource.meta.namespace.as_str(), resource.meta.name.as_str());
        if service.is_delegate() && !named.contains(&name) && !registry.any_broken(&["VirtualService"]) {
            let message =
                "no VirtualService delegates to it, so it has no effect: it has no `hosts`".to_owned();
            findings.push(Finding::new(codes::UNUSED_DELEGATE, Level::Warning, resource, "spec", message));
        }
    }
}

fn finding(dropped: &Dropped<'_>, resources: &[Resource], registry: &Registry<'_>) -> Option<Finding> {
    let (root, delegate) = (&dropped.root, dropped.delegate);
    let name = format!("{}/{}", delegate.namespace, delegate.name);
    let path = format!("spec.http[{}].delegate", root.index);
    let of_root = |message| {
        let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
        Finding::new(code, Level::Error, root.resource, &path, message)
    };
    Some(match &dropped.reason {
        DropReason::Missing if registry.is_broken("VirtualService", &delegate.namespace, &delegate.name) => {
            return None;
        }
        DropReason::Missing => {
            let others = resources.iter().filter_map(|other| match &other.spec {
                Spec::VirtualService(service) if service.is_delegate() => Some(&other.meta),
                _ => None,
            });
            let mut elsewhere = others.clone().filter(|meta| meta.name == delegate.name);
            let hint = match elsewhere.next() {
                Some(meta) => {
                    Some(format!("there is one in namespace `{0}`: write `namespace: {0}`", meta.namespace))
                }
                None => {
                    let near = others.filter(|meta| meta.namespace == delegate.namespace);
                    did_you_mean(closest(&delegate.name, near.map(|meta| meta.name.as_str())))
                }
            };
            of_root(format!("there is no VirtualService `{name}` to delegate to, so the rule has no effect"))
                .hint(hint)
        }
        DropReason::HasHosts(other) => of_root(format!(
            "VirtualService `{name}` ({}) has `hosts`, so it is no delegate and the rule has no effect",
            place(other)
        ))
        .hint("take its `hosts` and `gateways` out".to_owned()),
        DropReason::NotVisible(other) => of_root(format!(
            "`exportTo` of VirtualService `{name}` ({}) leaves out namespace `{}`, so the rule has no effect",
            place(other),
            root.resource.meta.namespace
        ))
        .hint(format!("add `{}` to its `exportTo`", root.resource.meta.namespace)),
        DropReason::Conflict { resource, index, conflict } => {
            let path = format!("spec.http[{index}].{conflict}");
            let at = root.resource.position(&format!("spec.http[{}]", root.index));
            let root_place = match (&root.resource.source.file, at) {
                (Some(file), Some(position)) => format!(" ({file}:{})", position.line),
                _ => String::new(),
            };
            let message = format!(
                "the rule has no effect where spec.http[{}] of `{}`{root_place} delegates to it: `{}` is not within \
                 what is matched there",
                root.index,
                root.resource.id(),
                conflict.field,
            );
            let hint = "a delegate's match must be the same as, or begin with, the one it is delegated by; regexes can't \
                        be put together"
                .to_owned();
            Finding::new(codes::DELEGATE_CONFLICT, Level::Warning, resource, &path, message).hint(hint)
        }
    })
}
