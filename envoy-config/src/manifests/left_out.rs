//! What was given and is not rendered, so that nobody takes it for carried out.

use std::collections::BTreeSet;

use outrigger_api::types::common::GatewayRef;
use outrigger_api::{Kind, Proxy, Resource, Role, Spec};

use super::Input;
use super::modules::{Platform, has_faults};
use crate::modules::Module;
use crate::render::part::{may_be_for, reads};
use crate::render::routed::Routed;

/// So many names are told.
const NAMES: usize = 5;

/// Kinds that somebody carries out.
const KINDS: [Kind; 9] = [
    Kind::AuthorizationPolicy,
    Kind::DestinationRule,
    Kind::Gateway,
    Kind::PeerAuthentication,
    Kind::RequestAuthentication,
    Kind::ServiceEntry,
    Kind::Sidecar,
    Kind::Telemetry,
    Kind::VirtualService,
];

/// Notes about policies for other workloads, and about kinds that none of `modules` reads.
pub(super) fn notes(input: Input<'_>, modules: &[Module], platform: Platform) -> Vec<String> {
    let read = |kind| modules.iter().any(|module| reads(*module, kind));
    let mut notes = Vec::new();
    let routed = Routed::new(input.resources, input.proxy);
    let others = input.resources.iter().filter(|resource| {
        resource.kind != Kind::VirtualService
            && read(resource.kind)
            && may_be_for(resource, input.proxy, &routed) == Some(false)
    });
    let others: Vec<_> = others.collect();
    if !others.is_empty() {
        notes.push(format!("for other workloads, and left out: {}", listed(&others)));
    }
    let wanted = |resource: &Resource| read(resource.kind) || has_faults(resource);
    notes.extend(virtual_services(input.resources, input.proxy, &routed, &wanted));
    let kinds: BTreeSet<String> = input
        .resources
        .iter()
        .filter(|resource| KINDS.contains(&resource.kind) && !carried_out(resource.kind, platform, &read))
        .map(|resource| resource.kind.to_string())
        .collect();
    if !kinds.is_empty() {
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
        notes.push(match platform {
            Platform::Istio => format!("left to istiod, so apply them to the cluster: {kinds}"),
            Platform::EnvoyGateway => format!("not carried out by these filters: {kinds}"),
            Platform::Envoy => {
                format!("not part of this snippet: {kinds}; `render --to envoy -o DIR` has all of it")
            }
        });
    }
    notes
}

/// Notes about VirtualServices among the `wanted` that do not count at the proxy.
pub(super) fn virtual_services(
    resources: &[Resource],
    proxy: &Proxy,
    routed: &Routed<'_>,
    wanted: &dyn Fn(&Resource) -> bool,
) -> Vec<String> {
    let (mut others, mut notes) = (Vec::new(), Vec::new());
    for resource in resources.iter().filter(|resource| wanted(resource) && !routed.has(resource)) {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        let absent = service.gateways.iter().find_map(|gateway| match gateway {
            GatewayRef::Named { namespace, name } if !is_there(resources, namespace, name) => {
                Some(format!("{namespace}/{name}"))
            }
            GatewayRef::Named { .. } | GatewayRef::Mesh => None,
        });
        match absent.filter(|_| proxy.role == Role::Gateway && !service.is_delegate()) {
            Some(gateway) => notes.push(format!(
                "left out, since Gateway {gateway} is not among the files: {}; give that too, which says what \
                 proxies it is for",
                listed(&[resource])
            )),
            None => others.push(resource),
        }
    }
    if !others.is_empty() {
        let why = match proxy.role {
            Role::Sidecar => "they are not for `mesh`, or not for this namespace".to_owned(),
            Role::Gateway => {
                let labels = proxy.labels.iter().map(|(key, value)| format!("`{key}={value}`"));
                let labels = labels.collect::<Vec<_>>().join(", ");
                format!(
                    "at no Gateway that this proxy serves by its labels ({labels}; others are said with `--label`)"
                )
            }
        };
        notes.push(format!("for other proxies, and left out: {}: {why}", listed(&others)));
    }
    notes
}

fn is_there(resources: &[Resource], namespace: &str, name: &str) -> bool {
    let named = |one: &Resource| one.meta.namespace == namespace && one.meta.name == name;
    resources.iter().any(|one| one.kind == Kind::Gateway && named(one))
}

/// Some of them by name, and how many more there are.
fn listed(resources: &[&Resource]) -> String {
    let named = |one: &&Resource| format!("{} {}/{}", one.kind, one.meta.namespace, one.meta.name);
    let first = resources.iter().take(NAMES).map(named).collect::<Vec<_>>().join(", ");
    match resources.len().saturating_sub(NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn carried_out(kind: Kind, platform: Platform, read: &dyn Fn(Kind) -> bool) -> bool {
    // They say which listeners there are, which a filter only looks up.
    let listens = platform == Platform::Envoy && kind == Kind::Gateway;
    read(kind) && !listens
}
