//! Selectors that choose no workload, where the files tell which there are.

use std::collections::{HashMap, HashSet};

use outrigger_api::resource::Ignored;
use outrigger_api::types::common::{Labels, Target};
use outrigger_api::{Proxy, Resource, Spec};

use super::rules::Policy;
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};

/// The workloads of the files: Pods, Deployments, WorkloadEntries. A gateway's are those that Gateways choose.
pub(super) struct Workloads<'r> {
    proxy: &'r Proxy,
    /// Namespaces of which some workload is read.
    known: HashSet<&'r str>,
    /// Namespaces with workloads that are not.
    unknown: HashSet<&'r str>,
    /// Workloads, and endpoints of ServiceEntries, by each of their labels.
    labelled: HashMap<(&'r str, &'r str, &'r str), Vec<&'r Labels>>,
    gateways: Vec<&'r Labels>,
}

/// Kinds of Kubernetes that make Pods and that nobody here reads.
const MAKE_PODS: [&str; 6] =
    ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];

impl<'r> Workloads<'r> {
    /// Of those in `ignored`, only the namespace is known.
    pub(super) fn new(resources: &'r [Resource], ignored: &'r [Ignored], proxy: &'r Proxy) -> Self {
        let unread = ignored.iter().map(|ignored| &ignored.resource);
        let unread =
            unread.filter(|resource| resource.kind.as_deref().is_some_and(|kind| MAKE_PODS.contains(&kind)));
        let mut all = Self {
            proxy,
            known: HashSet::new(),
            unknown: unread.filter_map(|resource| resource.namespace.as_deref()).collect(),
            labelled: HashMap::new(),
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
        for (key, value) in labels {
            self.labelled.entry((namespace, key, value)).or_default().push(labels);
        }
    }

    /// Reports a selector that no workload of the policy's namespace has, if the files name any there.
    pub(super) fn check(&self, policy: &Policy<'_>, findings: &mut Vec<Finding>) {
        let Target::Selector(selector) = &policy.policy.target else { return };
        let namespace = &*policy.resource.meta.namespace;
        let known = self.known.contains(namespace) && !self.unknown.contains(namespace);
        let mesh = namespace == self.proxy.root_namespace;
        let own = namespace == self.proxy.namespace && selector.matches(&self.proxy.labels);
        let gateway = || self.gateways.iter().any(|labels| !labels.is_empty() && selector.matches(labels));
        if selector.0.is_empty() || !known || mesh || own || gateway() || self.has(namespace, &selector.0) {
            return;
        }
        let labels: Vec<_> = selector.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let message = format!("no workload of namespace `{namespace}` has the labels {}", labels.join(", "));
        let code = codes::NO_MATCHING_WORKLOADS;
        let finding = Finding::new(code, Level::Warning, policy.resource, "spec.selector", message);
        findings.push(
            finding.hint("Pods, Deployments and WorkloadEntries of the files were looked at".to_owned()),
        );
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
