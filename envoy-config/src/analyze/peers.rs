//! PeerAuthentications and Sidecars that do not mean what they seem to.

use std::collections::HashMap;

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicies, PeerScope, applying, peer_scope};
use outrigger_api::select::{by_age, sidecar::sidecar};
use outrigger_api::types::sidecar::{CaptureMode, Sidecar};
use outrigger_api::{Proxy, Resource, Role, Spec};

use super::codes;
use super::conflicts::place;
use super::finding::{Finding, Level};

/// Looks at each, and at those of this proxy together.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    ignored(resources, proxy, findings);
    outdone(resources, proxy, findings);
    if let Some((resource, sidecar)) = sidecar(resources, proxy) {
        capture_modes(resource, sidecar, findings);
        own_tls(resources, resource, sidecar, proxy, findings);
    }
}

/// Istio ignores a PeerAuthentication of the root namespace that has a selector.
fn ignored(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    for resource in resources {
        let Spec::PeerAuthentication(authentication) = &resource.spec else { continue };
        if peer_scope(resource, authentication, &proxy.root_namespace).is_none() {
            let message = format!(
                "this PeerAuthentication is for nobody: in the root namespace `{}` one with a selector is ignored",
                proxy.root_namespace
            );
            let hint = "put it into the namespace of the workload, or leave the selector out".to_owned();
            let code = codes::IGNORED_PEER_AUTHENTICATION;
            findings.push(Finding::new(code, Level::Warning, resource, "spec.selector", message).hint(hint));
        }
    }
}

/// Of several for the same workloads only the oldest counts.
fn outdone(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    let mut oldest: HashMap<&str, &Resource> = HashMap::new();
    let mut wide: Vec<&Resource> = resources
        .iter()
        .filter(|resource| match &resource.spec {
            Spec::PeerAuthentication(authentication) => {
                let scope = peer_scope(resource, authentication, &proxy.root_namespace);
                matches!(scope, Some(PeerScope::Mesh | PeerScope::Namespace))
            }
            _ => false,
        })
        .collect();
    wide.sort_by(|one, other| by_age(one, other));
    for resource in wide {
        match oldest.get(resource.meta.namespace.as_str()) {
            Some(older) => {
                let whose = format!("namespace `{}`", resource.meta.namespace);
                findings.push(outdone_by(resource, older, &whose));
            }
            None => drop(oldest.insert(&resource.meta.namespace, resource)),
        }
    }
    if proxy.role != Role::Sidecar {
        return;
    }
    let mine = applying(resources, &proxy.namespace, &proxy.labels, &proxy.root_namespace);
    let mut mine = mine.into_iter().filter(|(scope, ..)| *scope == PeerScope::Workload);
    if let Some((_, older, _)) = mine.next() {
        findings.extend(mine.map(|(_, resource, _)| outdone_by(resource, older, "this workload")));
    }
}

fn outdone_by(resource: &Resource, older: &Resource, whose: &str) -> Finding {
    let message = format!("{whose} follows the PeerAuthentication `{}` ({})", older.id(), place(older));
    let hint = "of several the oldest counts, without a `creationTimestamp` the first by name; remove one"
        .to_owned();
    let code = codes::CONFLICTING_PEER_AUTHENTICATIONS;
    Finding::new(code, Level::Warning, resource, "metadata.name", message).hint(hint)
}

/// Nothing diverts connections to the proxy here.
fn capture_modes(resource: &Resource, sidecar: &Sidecar, findings: &mut Vec<Finding>) {
    let ingress = sidecar.ingress.iter().map(|listener| listener.capture_mode).enumerate();
    let egress = sidecar.egress.iter().map(|listener| listener.capture_mode).enumerate();
    let all = ingress.map(|mode| ("ingress", mode)).chain(egress.map(|mode| ("egress", mode)));
    for (list, (at, _)) in all.filter(|(_, (_, mode))| *mode == CaptureMode::Iptables) {
        let path = format!("spec.{list}[{at}].captureMode");
        let (message, hint) = match list {
            "ingress" => (
                "nothing diverts connections to this proxy: a port that no `--app-port` names is opened itself",
                "name it by `--app-port` to have it come in on 15006",
            ),
            _ => (
                "nothing diverts connections to this proxy: its application sends these requests to 15001",
                "`captureMode: NONE` opens the port itself",
            ),
        };
        let finding = Finding::new(codes::CAPTURE_MODE, Level::Warning, resource, &path, message.to_owned());
        findings.push(finding.hint(hint.to_owned()));
    }
}

/// TLS of an ingress listener and mutual TLS of the mesh exclude each other: Istio prefers the latter.
fn own_tls(
    resources: &[Resource],
    resource: &Resource,
    sidecar: &Sidecar,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    let policies = PeerPolicies::of(resources, &proxy.namespace, &proxy.labels, &proxy.root_namespace);
    for (at, listener) in sidecar.ingress.iter().enumerate().filter(|(_, listener)| listener.tls.is_some()) {
        let mode = policies.of_port(listener.port.number).mode;
        if mode == PeerMode::Disable {
            continue;
        }
        let path = format!("spec.ingress[{at}].tls");
        let message = format!(
            "`tls` has no effect on port {}: mutual TLS of the mesh is {} there",
            listener.port.number,
            mode.as_str()
        );
        let hint = format!(
            "a PeerAuthentication with `portLevelMtls: {{{}: {{mode: DISABLE}}}}` makes room for it",
            listener.port.number
        );
        let finding = Finding::new(codes::TLS_WITHOUT_EFFECT, Level::Warning, resource, &path, message);
        findings.push(finding.hint(hint));
    }
}
