//! One object for several Gateways has one configuration: it can be right for all of them only if the same counts at each.

use std::collections::BTreeSet;

use outrigger_api::types::common::{Labels, WorkloadSelector};
use outrigger_api::{Kind, Proxy, Resource, Spec};

use super::Input;
use super::error::Error;
use super::modules::{Choice, Platform};
use super::target_ref::TargetRef;
use crate::render::part::{may_be_for, reads};
use crate::render::routed::Routed;

/// The label by which a proxy says which Gateway of the Gateway API it serves.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// So many objects Kubernetes takes as targets of one.
const MOST: usize = 16;

/// Refuses targets that one object can't be for.
pub(super) fn alike(
    input: Input<'_>,
    targets: &[TargetRef],
    (choice, platform): (&Choice, Platform),
) -> Result<(), Error> {
    if targets.len() > MOST {
        return Err(Error::Asked(format!(
            "{} of `--target-ref` are given, and an object takes at most {MOST}\n\
             hint: render several, each with a `--name` of its own",
            targets.len()
        )));
    }
    let places = places(input.proxy, targets);
    let mut kinds = BTreeSet::new();
    for (_, proxy) in &places {
        // What is for none of them is told where it is rendered.
        let Ok(chosen) = choice.choose(platform, input.resources, proxy) else { continue };
        let read = |kind: &Kind| chosen.modules.iter().any(|module| reads(*module, *kind));
        kinds.extend(input.resources.iter().map(|resource| resource.kind).filter(read));
    }
    let routed: Vec<_> = places.iter().map(|(_, proxy)| Routed::new(input.resources, proxy)).collect();
    for resource in input.resources.iter().filter(|resource| kinds.contains(&resource.kind)) {
        let counts = |((_, proxy), routed): (&(String, Proxy), &Routed<'_>)| counts(resource, proxy, routed);
        let here: Vec<_> = places.iter().zip(&routed).map(counts).collect();
        let named = format!("{} {}/{}", resource.kind, resource.meta.namespace, resource.meta.name);
        let with = |wanted| {
            let found = here.iter().position(|here| *here == wanted)?;
            places.get(found).map(|(called, _)| called)
        };
        let why = match (with(true), with(false)) {
            (Some(one), Some(other)) => format!("{named} is for {one}, and not for {other}"),
            (Some(_), None) if places.len() > 1 && asks_for_label(resource) => {
                format!("{named} asks for the label `{GATEWAY_NAME}`, which differs from one to the other")
            }
            _ => continue,
        };
        return Err(Error::Asked(format!(
            "one object can't be for all that `--target-ref` names: {why}\n\
             hint: render each by itself, with a `--name` of its own"
        )));
    }
    Ok(())
}

/// The proxy as it is at each Gateway, and at routes, which may be at any.
fn places(proxy: &Proxy, targets: &[TargetRef]) -> Vec<(String, Proxy)> {
    let mut places: Vec<(String, Proxy)> = Vec::new();
    for target in targets {
        let mut proxy = proxy.clone();
        let called = match target.is_gateway() {
            true => {
                proxy.labels.insert(GATEWAY_NAME.to_owned(), target.name.as_str().to_owned());
                format!("Gateway `{}`", target.name.as_str())
            }
            false => {
                // The label comes from a Gateway among the targets, or was given for this.
                if targets.iter().any(TargetRef::is_gateway) {
                    proxy.labels.remove(GATEWAY_NAME);
                }
                format!("`{}`, which may be at another Gateway", target.name.as_str())
            }
        };
        if !places.iter().any(|(_, known)| known.labels == proxy.labels) {
            places.push((called, proxy));
        }
    }
    places
}

fn counts(resource: &Resource, proxy: &Proxy, routed: &Routed<'_>) -> bool {
    match &resource.spec {
        Spec::Gateway(gateway) => gateway.selector.matches(&proxy.labels),
        _ => may_be_for(resource, proxy, routed) != Some(false),
    }
}

/// Whether parts of it count only for proxies of one Gateway.
fn asks_for_label(resource: &Resource) -> bool {
    let asks = |labels: &Labels| labels.contains_key(GATEWAY_NAME);
    let selects = |selector: &WorkloadSelector| asks(&selector.0);
    match &resource.spec {
        Spec::VirtualService(service) => {
            service.http.iter().flat_map(|rule| &rule.matches).any(|entry| asks(&entry.source_labels))
        }
        Spec::DestinationRule(rule) => rule.workload_selector.as_ref().is_some_and(selects),
        _ => false,
    }
}
