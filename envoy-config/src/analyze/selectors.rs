//! Resources of one kind of which a workload can have only one, where several choose it.

use std::collections::HashMap;

use outrigger_api::types::common::{Labels, Target, WorkloadSelector};
use outrigger_api::{Kind, Resource, Spec};

use super::codes;
use super::conflicts::place;
use super::finding::{Finding, Level};

/// Looks at the workloads of each namespace.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    let mut policies: HashMap<(&str, Kind), Vec<(&Resource, &WorkloadSelector)>> = HashMap::new();
    for resource in resources {
        let selector = match &resource.spec {
            Spec::Sidecar(sidecar) => sidecar.workload_selector.as_ref(),
            Spec::Telemetry(telemetry) => match &telemetry.target {
                Target::Selector(selector) => Some(selector),
                _ => None,
            },
            _ => None,
        };
        if let Some(selector) = selector.filter(|selector| !selector.0.is_empty()) {
            let key = (&*resource.meta.namespace, resource.kind);
            policies.entry(key).or_default().push((resource, selector));
        }
    }
    policies.retain(|_, policies| policies.len() > 1);
    for ((namespace, kind), policies) in policies {
        let mut told = vec![false; policies.len()];
        for (workload, labels) in workloads(resources, namespace) {
            let mut choosing =
                policies.iter().zip(&mut told).filter(|((_, selector), _)| selector.matches(labels));
            let Some(((first, _), _)) = choosing.next() else { continue };
            for ((other, _), told) in choosing.filter(|(_, told)| !**told) {
                *told = true;
                findings.push(conflict(kind, workload, first, other));
            }
        }
    }
}

fn workloads<'r>(
    resources: &'r [Resource],
    namespace: &str,
) -> impl Iterator<Item = (&'r Resource, &'r Labels)> {
    resources.iter().filter(move |resource| resource.meta.namespace == namespace).filter_map(|resource| {
        match &resource.spec {
            Spec::Workload(workload) => Some((resource, &workload.labels)),
            _ => None,
        }
    })
}

fn conflict(kind: Kind, workload: &Resource, first: &Resource, other: &Resource) -> Finding {
    let (code, hint) = match kind {
        Kind::Telemetry => (codes::CONFLICTING_TELEMETRIES, "each changes what the older ones say"),
        _ => (
            codes::CONFLICTING_SIDECARS,
            "the oldest that selects a workload counts, and of these the first by name",
        ),
    };
    let message = format!(
        "{kind} `{}` is for the pods of {} `{}` already ({})",
        first.id(),
        workload.kind,
        workload.id(),
        place(first)
    );
    Finding::new(code, Level::Warning, other, "metadata.name", message).hint(hint.to_owned())
}
