//! Rules about the identity of peers that need not show a certificate.

mod report;

use std::collections::HashMap;

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicies, PeerPolicy, PeerScope, peer_scope};
use outrigger_api::types::common::{Labels, Target};
use outrigger_api::types::gateway::{Gateway, Server, ServerTlsMode};
use outrigger_api::{Proxy, Resource, Role, Spec};

use super::rules::Policy;
use crate::analyze::conflicts::place;
use crate::analyze::finding::Finding;

/// What is asked of peers, by PeerAuthentications and Gateways.
pub(super) struct Peers<'r> {
    root_namespace: &'r str,
    /// Whether the resources are meant for a gateway.
    is_gateway: bool,
    by_namespace: HashMap<&'r str, Authentications<'r>>,
    gateways: Vec<&'r Gateway>,
    /// What was found for the workloads of a namespace with some labels.
    known: HashMap<(&'r str, Option<&'r Labels>), Option<Shown>>,
}

/// The PeerAuthentications of a namespace.
#[derive(Default)]
struct Authentications<'r> {
    /// Without a selector.
    wide: Vec<&'r Resource>,
    /// With one, by the first of its labels.
    selecting: HashMap<&'r str, HashMap<&'r str, Vec<&'r Resource>>>,
}

/// What is certain of the peers of every workload that a policy is for, and who says so.
#[derive(Debug, Clone)]
enum Shown {
    /// Some have no certificate.
    Some(String),
    /// None has one: mutual TLS is off.
    None(String),
    /// None has one: no server of the gateway asks for it.
    NoneAtGateway,
}

impl<'r> Peers<'r> {
    pub(super) fn new(resources: &'r [Resource], proxy: &'r Proxy) -> Self {
        let mut by_namespace: HashMap<&str, Authentications<'_>> = HashMap::new();
        let mut gateways = Vec::new();
        for resource in resources {
            match &resource.spec {
                Spec::Gateway(gateway) => gateways.push(gateway),
                Spec::PeerAuthentication(authentication) => {
                    let own = by_namespace.entry(&resource.meta.namespace).or_default();
                    let selector = authentication.selector.as_ref();
                    match selector.and_then(|selector| selector.0.first_key_value()) {
                        Some((key, value)) => {
                            own.selecting.entry(key).or_default().entry(value).or_default().push(resource);
                        }
                        None => own.wide.push(resource),
                    }
                }
                _ => {}
            }
        }
        Self {
            root_namespace: &proxy.root_namespace,
            is_gateway: proxy.role == Role::Gateway,
            by_namespace,
            gateways,
            known: HashMap::new(),
        }
    }

    /// Reports what the policy says about identities in vain.
    pub(super) fn check(&mut self, policy: &Policy<'r>, findings: &mut Vec<Finding>) {
        let named = policy.rules.iter().any(|rule| rule.constraints().any(|one| one.field.is_identity()));
        if !named || policy.policy.dry_run {
            return;
        }
        let labels = match &policy.policy.target {
            Target::All => None,
            Target::Selector(selector) => Some(&selector.0),
            Target::Refs(_) => return,
        };
        let key = (&*policy.resource.meta.namespace, labels);
        let shown = match self.known.get(&key) {
            Some(known) => known.clone(),
            None => {
                let shown = self.shown(key.0, labels.unwrap_or(&Labels::new()));
                self.known.insert(key, shown.clone());
                shown
            }
        };
        findings.extend(shown.and_then(|shown| report::finding(policy, &shown)));
    }

    fn shown(&self, namespace: &str, labels: &Labels) -> Option<Shown> {
        if let Some(certificates) = self.at_gateway(labels) {
            return (!certificates).then_some(Shown::NoneAtGateway);
        }
        // A policy for all workloads is for the gateways, too, which PeerAuthentications say nothing about.
        if labels.is_empty() && self.is_gateway && self.gateways.iter().any(|gateway| asks(&gateway.servers))
        {
            return None;
        }
        // A policy of the whole mesh meets each namespace's own PeerAuthentications.
        let mesh_only = self.by_namespace.keys().all(|namespace| *namespace == self.root_namespace);
        if namespace == self.root_namespace && !mesh_only {
            return None;
        }
        let mesh =
            self.by_namespace.get(self.root_namespace).into_iter().flat_map(|mesh| &mesh.wide).copied();
        let own = self.by_namespace.get(namespace).map(|own| own.of(labels)).unwrap_or_default();
        let resources: Vec<Resource> = mesh.chain(own).cloned().collect();
        let found = PeerPolicies::of(&resources, namespace, labels, self.root_namespace);
        let mode = found.of_workload();
        let ports_agree = found.ports().all(|port| found.of_port(port).mode == mode.mode);
        let others_agree =
            resources.iter().all(|other| agrees(other, labels, mode.mode, self.root_namespace));
        match mode.mode {
            _ if !ports_agree || !others_agree => None,
            PeerMode::Strict => None,
            PeerMode::Permissive => Some(Shown::Some(who(&mode))),
            PeerMode::Disable => Some(Shown::None(who(&mode))),
        }
    }

    /// Whether some server asks clients for certificates, of gateways with these labels. `None`: there is no such.
    fn at_gateway(&self, labels: &Labels) -> Option<bool> {
        let chosen = |gateway: &&&Gateway| {
            let selector = &gateway.selector;
            !labels.is_empty()
                && !selector.0.is_empty()
                && (selector.matches(labels) || is_within(labels, &selector.0))
        };
        let mut servers = self.gateways.iter().filter(chosen).flat_map(|gateway| &gateway.servers).peekable();
        servers.peek()?;
        Some(asks(servers))
    }
}

/// Whether some server asks clients for certificates.
fn asks<'s>(servers: impl IntoIterator<Item = &'s Server>) -> bool {
    use ServerTlsMode::{AutoPassthrough, IstioMutual, Mutual, OptionalMutual, Passthrough};
    // What is passed on as bytes is not this gateway's to know.
    servers
        .into_iter()
        .filter_map(|server| server.tls.as_ref())
        .any(|tls| matches!(tls.mode, Mutual | IstioMutual | OptionalMutual | Passthrough | AutoPassthrough))
}

impl<'r> Authentications<'r> {
    /// Those that may be for a workload with these labels, and more.
    fn of(&self, labels: &Labels) -> Vec<&'r Resource> {
        let selecting = self.selecting.iter().flat_map(|(key, by_value)| match labels.get(*key) {
            Some(value) => by_value.get(&**value).into_iter().flatten().collect::<Vec<_>>(),
            None => by_value.values().flatten().collect(),
        });
        self.wide.iter().chain(selecting).copied().collect()
    }
}

fn is_within(some: &Labels, all: &Labels) -> bool {
    some.iter().all(|(key, value)| all.get(key) == Some(value))
}

/// Whether a PeerAuthentication that is for some of the workloads with these labels, and more, leaves the mode alone.
fn agrees(resource: &Resource, labels: &Labels, mode: PeerMode, root_namespace: &str) -> bool {
    let Spec::PeerAuthentication(authentication) = &resource.spec else { return true };
    if peer_scope(resource, authentication, root_namespace) != Some(PeerScope::Workload) {
        return true;
    }
    let Some(selector) = &authentication.selector else { return true };
    let apart = selector.0.iter().any(|(key, value)| labels.get(key).is_some_and(|own| own != value));
    let modes = authentication.port_level.values().chain([&authentication.mode]);
    apart
        || modes
            .map(|mode| format!("{mode:?}").to_uppercase())
            .all(|own| own == mode.as_str() || own == "UNSET")
}

fn who(policy: &PeerPolicy<'_>) -> String {
    match policy.by {
        Some(by) => format!("PeerAuthentication `{}` ({}) says {}", by.id(), place(by), policy.mode.as_str()),
        None => format!("no PeerAuthentication says anything, which is {}", policy.mode.as_str()),
    }
}
