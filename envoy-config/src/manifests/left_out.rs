//! What was given and is not rendered, so that nobody takes it for carried out.

use std::collections::BTreeSet;

use outrigger_api::Kind;

use super::Input;
use super::modules::Platform;
use crate::modules::Module;
use crate::render::part::{may_be_for, reads};

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
    let others = input
        .resources
        .iter()
        .filter(|resource| read(resource.kind) && may_be_for(resource, input.proxy) == Some(false));
    let names: Vec<_> = others
        .map(|resource| format!("{} {}/{}", resource.kind, resource.meta.namespace, resource.meta.name))
        .collect();
    if let Some(first) = names.get(..names.len().min(NAMES)).filter(|first| !first.is_empty()) {
        let more = match names.len() - first.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        notes.push(format!("for other workloads, and left out: {}{more}", first.join(", ")));
    }
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

fn carried_out(kind: Kind, platform: Platform, read: &dyn Fn(Kind) -> bool) -> bool {
    // They say which listeners there are, which a filter only looks up.
    let listens = platform == Platform::Envoy && kind == Kind::Gateway;
    read(kind) && !listens
}
