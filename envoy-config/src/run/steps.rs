//! The order in which a change is put in place: what is new is there before anything leads to it, and what is old
//! stays until nothing does.

use std::collections::BTreeMap;

use super::dynamic::Dynamic;
use crate::envoy::cluster::Cluster;

/// One thing to do; the next waits until Envoy has done it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// These are the clusters.
    Clusters(BTreeMap<String, Cluster>),
    /// The filter of this name has changed, or is new.
    Filter(String),
    /// The listeners have changed.
    Listeners,
}

/// What leads from `old` to `new`. The clusters of `old` that `new` lacks are still there at the end: requests that a
/// filter holds back, or that are tried again, go to them; see [`leftover`].
pub(super) fn between(old: &Dynamic, new: &Dynamic) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut clusters = old.clusters.clone();
    clusters.extend(new.clusters.iter().map(|(name, cluster)| (name.clone(), cluster.clone())));
    if clusters != old.clusters {
        steps.push(Step::Clusters(clusters));
    }
    let changed = new.filters.iter().filter(|(name, config)| old.filters.get(*name) != Some(config));
    steps.extend(changed.map(|(name, _)| Step::Filter(name.clone())));
    if new.listeners != old.listeners {
        steps.push(Step::Listeners);
    }
    steps
}

/// Whether `present` holds clusters that `wanted` does not.
pub(super) fn leftover(present: &BTreeMap<String, Cluster>, wanted: &Dynamic) -> bool {
    present.keys().any(|name| !wanted.clusters.contains_key(name))
}

/// What a list of steps comes to, for people.
pub(super) fn summary(steps: &[Step]) -> String {
    let count = |kind: fn(&Step) -> bool| steps.iter().filter(|step| kind(step)).count();
    let filters = count(|step| matches!(step, Step::Filter(_)));
    let parts = [
        (filters > 0).then_some("filters"),
        (count(|step| matches!(step, Step::Clusters(_))) > 0).then_some("clusters"),
        (count(|step| matches!(step, Step::Listeners)) > 0).then_some("listeners"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
