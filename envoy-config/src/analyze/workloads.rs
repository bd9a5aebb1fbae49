//! Selectors that choose no workload, where the files tell which there are.

use std::collections::{HashMap, HashSet};

use outrigger_api::problem::ResourceName;
use outrigger_api::resource::Ignored;
use outrigger_api::types::common::{Labels, Target, TargetKind, WorkloadSelector};
use outrigger_api::{Kind, Proxy, Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};
use super::registry::Registry;
use super::targets::references;
use crate::manifests::GATEWAY_NAME;

/// Looks at each selector of workloads, unless a workload that is not known for being broken may have its labels.
pub(super) fn check(
    resources: &[Resource],
    ignored: &[Ignored],
    registry: &Registry<'_>,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    if registry.any_broken(&["Pod", "Deployment", "WorkloadEntry", "Gateway"]) {
        return;
    }
    let workloads = Workloads::new(resources, ignored, proxy);
    for resource in resources {
        findings.extend(workloads.finding(resource));
        findings.extend(workloads.of_gateways(resource, ignored));
    }
}

/// The workloads of the files: Pods, Deployments, WorkloadEntries. A gateway's are those that Gateways choose.
struct Workloads<'r> {
    proxy: &'r Proxy,
    /// Namespaces of which some workload is read.
    known: HashSet<&'r str>,
    /// Namespaces with workloads that are not.
    unknown: HashSet<&'r str>,
    /// Workloads, and endpoints of ServiceEntries, by each of their labels.
    labelled: HashMap<(&'r str, &'r str, &'r str), Vec<&'r Labels>>,
    /// Namespaces in which some are labelled.
    labelled_in: HashSet<&'r str>,
    gateways: Vec<&'r Labels>,
}

/// Kinds of Kubernetes that make Pods and that nobody here reads.
const MAKE_PODS: [&str; 6] =
    ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];

impl<'r> Workloads<'r> {
    /// Of those in `ignored`, only the namespace is known.
    fn new(resources: &'r [Resource], ignored: &'r [Ignored], proxy: &'r Proxy) -> Self {
        let unread = ignored.iter().map(|ignored| &ignored.resource);
        let unread =
            unread.filter(|resource| resource.kind.as_deref().is_some_and(|kind| MAKE_PODS.contains(&kind)));
        let mut all = Self {
            proxy,
            known: HashSet::new(),
            unknown: unread.filter_map(|resource| resource.namespace.as_deref()).collect(),
            labelled: HashMap::new(),
            labelled_in: HashSet::new(),
            gateways: Vec::new(),
        };
        for resource in resources {
            let namespace = &*resource.meta.namespace;
            let labels = match &resource.spec {
                Spec::Workload(workload) => &workload.labels,
                Spec::WorkloadEntry(entry) => &entry.labels,
                Spec::ServiceEntry(entry) => {
                    entry.endpoints.iter().for_each(|endpoint| all.add(namespace, &endpoint.labels));
                    continue;
                }
                Spec::WorkloadGroup => {
                    all.unknown.insert(namespace);
                    continue;
                }
                Spec::Gateway(gateway) => {
                    all.gateways.push(&gateway.selector.0);
                    continue;
                }
                _ => continue,
            };
            all.known.insert(namespace);
            all.add(namespace, labels);
        }
        all
    }

    fn add(&mut self, namespace: &'r str, labels: &'r Labels) {
        self.labelled_in.insert(namespace);
        for (key, value) in labels {
            self.labelled.entry((namespace, key, value)).or_default().push(labels);
        }
    }

    /// Reports a selector that no workload has where it chooses, if the files name any there.
    fn finding(&self, resource: &Resource) -> Option<Finding> {
        let (path, selector, reach) = selector(resource)?;
        let namespace = &*resource.meta.namespace;
        let is_root = namespace == self.proxy.root_namespace;
        let mesh = is_root && reach == Reach::Mesh;
        // Istio ignores it, which is told elsewhere.
        if selector.0.is_empty() || (is_root && reach == Reach::NotFromRoot) {
            return None;
        }
        let known = if mesh {
            !self.known.is_empty() && self.unknown.is_empty()
        } else {
            self.known.contains(namespace) && !self.unknown.contains(namespace)
        };
        let own = (mesh || namespace == self.proxy.namespace) && selector.matches(&self.proxy.labels);
        let gateway = || self.gateways.iter().any(|labels| !labels.is_empty() && selector.matches(labels));
        let has = || match mesh {
            true => self.labelled_in.iter().any(|namespace| self.has(namespace, &selector.0)),
            false => self.has(namespace, &selector.0),
        };
        if !known || own || gateway() || has() {
            return None;
        }
        let labels: Vec<_> = selector.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let place = if mesh { String::new() } else { format!(" of namespace `{namespace}`") };
        let message = format!("no workload{place} has the labels {}", labels.join(", "));
        // Istio's analyzers have two codes for it.
        let code = match resource.kind {
            Kind::Sidecar | Kind::Telemetry => codes::REFERENCED_RESOURCE_NOT_FOUND,
            _ => codes::NO_MATCHING_WORKLOADS,
        };
        let hint = "Pods, Deployments and WorkloadEntries of the files were looked at".to_owned();
        Some(Finding::new(code, Level::Warning, resource, path, message).hint(hint))
    }

    /// Reports the Gateway of the Kubernetes Gateway API that nobody is: neither this proxy by its label, nor a workload of the
    /// files, nor is the Gateway itself among them.
    fn of_gateways(&self, resource: &Resource, ignored: &[Ignored]) -> Option<Finding> {
        let namespace = &*resource.meta.namespace;
        let is_there = |name: &str| {
            let label = Labels::from([(GATEWAY_NAME.to_owned(), name.to_owned())]);
            let own = namespace == self.proxy.namespace
                && self.proxy.labels.get(GATEWAY_NAME) == label.get(GATEWAY_NAME);
            let declared = |ignored: &Ignored| {
                let ResourceName { kind, namespace: of, name: called } = &ignored.resource;
                kind.as_deref() == Some("Gateway")
                    && of.as_deref() == Some(namespace)
                    && called.as_deref() == Some(name)
            };
            own || self.unknown.contains(namespace)
                || self.has(namespace, &label)
                || ignored.iter().any(declared)
        };
        let mut gateways = references(resource).filter(|(_, target)| target.kind == TargetKind::Gateway);
        let (path, target) = gateways.find(|(_, target)| !is_there(&target.name))?;
        let message = format!("this is for the proxy of Gateway `{}`, which nobody is", target.name);
        let hint = format!("`--label {GATEWAY_NAME}={}` makes this proxy the one", target.name);
        Some(Finding::new(codes::NO_MATCHING_WORKLOADS, Level::Warning, resource, &path, message).hint(hint))
    }

    /// Whether some workload has all of these labels: asked where the fewest have one of them.
    fn has(&self, namespace: &str, labels: &Labels) -> bool {
        let lists =
            labels.iter().map(|(key, value)| self.labelled.get(&(namespace, key.as_str(), value.as_str())));
        let Some(lists) = lists.collect::<Option<Vec<_>>>() else { return false };
        let fewest = lists.into_iter().min_by_key(|list| list.len());
        let all = |own: &Labels| labels.iter().all(|(key, value)| own.get(key) == Some(value));
        fewest.is_some_and(|list| list.iter().any(|own| all(own)))
    }
}

/// Where a selector in the root namespace chooses; one elsewhere chooses in its own namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the whole mesh.
    Mesh,
    /// In the root namespace alone.
    Namespace,
    /// Nowhere.
    NotFromRoot,
}

/// The field of a resource that chooses workloads, and what stands there.
fn selector(resource: &Resource) -> Option<(&'static str, &WorkloadSelector, Reach)> {
    let (path, selector, reach) = match &resource.spec {
        Spec::AuthorizationPolicy(policy) => ("spec.selector", of_target(&policy.target), Reach::Mesh),
        Spec::RequestAuthentication(authentication) => {
            ("spec.selector", of_target(&authentication.target), Reach::Mesh)
        }
        Spec::PeerAuthentication(authentication) => {
            ("spec.selector", authentication.selector.as_ref(), Reach::NotFromRoot)
        }
        Spec::Telemetry(telemetry) => ("spec.selector", of_target(&telemetry.target), Reach::Namespace),
        Spec::Sidecar(sidecar) => {
            ("spec.workloadSelector", sidecar.workload_selector.as_ref(), Reach::Namespace)
        }
        Spec::DestinationRule(rule) => {
            ("spec.workloadSelector", rule.workload_selector.as_ref(), Reach::Namespace)
        }
        _ => return None,
    };
    Some((path, selector?, reach))
}

const fn of_target(target: &Target) -> Option<&WorkloadSelector> {
    match target {
        Target::Selector(selector) => Some(selector),
        Target::All | Target::Refs(_) => None,
    }
}
