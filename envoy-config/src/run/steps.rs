//! The order in which a change is put in place: what is new is there before anything leads to it, and what is old
//! stays until nothing does.

use std::collections::{BTreeMap, BTreeSet};

use super::dynamic::Dynamic;
use crate::envoy::cluster::Cluster;

/// One thing to do; the next waits until Envoy has done it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// The secret of this name has changed, or is new.
    Secret(String),
    /// The endpoints of these clusters have changed, or are new.
    Endpoints(BTreeSet<String>),
    /// These are the clusters.
    Clusters(BTreeMap<String, Cluster>),
    /// The filter of this name has changed, or is new.
    Filter(String),
    /// The listeners have changed.
    Listeners,
}

/// What leads from `old` to `new`. The clusters of `old` that `new` lacks are still there at the end: requests that a
/// filter holds back, or that are tried again, go to them; see [`leftover`]. `astray`: steps after which Envoy may have
/// something else than `old`.
pub(super) fn between(old: &Dynamic, new: &Dynamic, astray: &[Step]) -> Vec<Step> {
    let is_astray = |test: &dyn Fn(&Step) -> bool| astray.iter().any(test);
    let changed = new.secrets.iter().filter(|(name, secret)| {
        let touched = |step: &Step| matches!(step, Step::Secret(other) if other == *name);
        old.secrets.get(*name) != Some(secret) || is_astray(&touched)
    });
    let mut steps: Vec<Step> = changed.map(|(name, _)| Step::Secret(name.clone())).collect();
    let changed = new.endpoints.iter().filter(|(name, endpoints)| {
        let touched = |step: &Step| matches!(step, Step::Endpoints(names) if names.contains(*name));
        old.endpoints.get(*name) != Some(endpoints) || is_astray(&touched)
    });
    let changed: BTreeSet<_> = changed.map(|(name, _)| name.clone()).collect();
    if !changed.is_empty() {
        steps.push(Step::Endpoints(changed));
    }
    let mut clusters = old.clusters.clone();
    clusters.extend(new.clusters.iter().map(|(name, cluster)| (name.clone(), cluster.clone())));
    if clusters != old.clusters || is_astray(&|step| matches!(step, Step::Clusters(_))) {
        steps.push(Step::Clusters(clusters));
    }
    let changed = new.filters.iter().filter(|(name, config)| {
        let touched = |step: &Step| matches!(step, Step::Filter(other) if other == *name);
        old.filters.get(*name) != Some(config) || is_astray(&touched)
    });
    steps.extend(changed.map(|(name, _)| Step::Filter(name.clone())));
    if new.listeners != old.listeners || is_astray(&|step| matches!(step, Step::Listeners)) {
        steps.push(Step::Listeners);
    }
    steps
}

/// The clusters of `present` that `wanted` does not have.
pub(super) fn leftover<'p>(
    present: &'p BTreeMap<String, Cluster>,
    wanted: &Dynamic,
) -> impl Iterator<Item = &'p String> {
    present.keys().filter(|name| !wanted.clusters.contains_key(*name))
}

/// What a list of steps comes to, for people.
pub(super) fn summary(steps: &[Step]) -> String {
    let count = |kind: fn(&Step) -> bool| steps.iter().filter(|step| kind(step)).count();
    let filters = count(|step| matches!(step, Step::Filter(_)));
    let parts = [
        (count(|step| matches!(step, Step::Secret(_))) > 0).then_some("certificates"),
        (filters > 0).then_some("filters"),
        (count(|step| matches!(step, Step::Endpoints(_))) > 0).then_some("endpoints"),
        (count(|step| matches!(step, Step::Clusters(_))) > 0).then_some("clusters"),
        (count(|step| matches!(step, Step::Listeners)) > 0).then_some("listeners"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::Any;
    use crate::envoy::scalars::Block;
    use crate::render::testing::{GATEWAY, rendered};

    const TWO: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs}
spec:
  hosts: ['*']
  gateways: [gw]
  http: [{route: [{destination: {host: two, port: {number: 80}}}]}]
";

    fn dynamic(resources: &str) -> Dynamic {
        Dynamic::new(&rendered(&[resources, GATEWAY]).unwrap(), std::path::Path::new("/f"))
    }

    #[test]
    fn nothing_is_done_for_no_change() {
        let one = dynamic(&TWO.replace("host: two", "host: one"));
        assert!(between(&one, &one, &[]).is_empty() && leftover(&one.clusters, &one).next().is_none());
    }

    #[test]
    fn what_went_astray_is_done_again_though_nothing_has_changed() {
        let (one, two) = (dynamic(&TWO.replace("host: two", "host: one")), dynamic(TWO));
        let mut astray = between(&one, &two, &[]);
        assert_eq!(summary(&between(&one, &one, &astray)), "filters, clusters");
        astray.push(Step::Listeners);
        assert_eq!(summary(&between(&one, &one, &astray)), "filters, clusters, listeners");
    }

    #[test]
    fn a_new_destination_is_there_before_anything_leads_to_it_and_the_old_one_stays() {
        let (one, two) = (dynamic(&TWO.replace("host: two", "host: one")), dynamic(TWO));
        let steps = between(&one, &two, &[]);
        let [Step::Clusters(clusters), Step::Filter(_)] = steps.as_slice() else { panic!("{steps:?}") };
        let name = |host: &str| format!("outbound|80||{host}.default.svc.cluster.local");
        assert_eq!(clusters.keys().cloned().collect::<Vec<_>>(), [name("one"), name("two")]);
        assert!(leftover(clusters, &two).eq([&name("one")]));
        assert_eq!(summary(&steps), "filters, clusters");
    }

    #[test]
    fn endpoints_touch_nothing_else() {
        let entry = |endpoints: &str| {
            format!(
                "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: se}}, spec: {{hosts: \
                 [two.default.svc.cluster.local], resolution: STATIC, ports: [{{number: 80, name: http, protocol: \
                 HTTP}}], endpoints: {endpoints}}}}}"
            )
        };
        let with = |endpoints: &str| dynamic(&[TWO, &entry(endpoints)].join("---\n"));
        let (before, after) =
            (with("[{address: 10.0.0.1}]"), with("[{address: 10.0.0.2}, {address: '::1'}]"));
        let steps = between(&before, &after, &[]);
        let [Step::Endpoints(changed)] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!(changed.iter().collect::<Vec<_>>(), ["outbound|80||two.default.svc.cluster.local"]);
        assert_eq!(summary(&steps), "endpoints");
        assert_eq!(between(&before, &with("[]"), &[]), steps);
        let first = between(&dynamic(&TWO.replace("host: two", "host: one")), &before, &[]);
        assert!(matches!(first.as_slice(), [Step::Endpoints(_), Step::Clusters(_), Step::Filter(_)]));
    }

    #[test]
    fn a_policy_touches_no_listener() {
        let (before, mut after) = (dynamic(TWO), dynamic(TWO));
        for config in after.filters.values_mut() {
            *config = Any::StringValue { value: Block("{}".to_owned()) };
        }
        assert!(matches!(between(&before, &after, &[]).as_slice(), [Step::Filter(_)]));
    }

    #[test]
    fn filters_are_there_before_the_listener_that_needs_them() {
        let before = dynamic(TWO);
        let more = GATEWAY.replace("name: gw", "name: more").replace("80", "81");
        let after = Dynamic::new(&rendered(&[TWO, GATEWAY, &more]).unwrap(), std::path::Path::new("/f"));
        let steps = between(&before, &after, &[]);
        assert!(matches!(steps.last(), Some(Step::Listeners)), "{steps:?}");
        assert!(steps.iter().any(|step| matches!(step, Step::Filter(name) if name.ends_with("_81"))));
    }
}
