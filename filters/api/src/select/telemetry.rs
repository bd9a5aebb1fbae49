//! Which Telemetries are for a proxy.

use super::{by_age, is_target};
use crate::{
    config::Proxy,
    ordered,
    resource::{Resource, Spec},
    types::{common::Target, telemetry::Telemetry},
};

/// The Telemetries that apply to a proxy, the most general first: that of the root namespace, that of the proxy's
/// namespace, and those which select its workload there. Of several of one of the first two levels the oldest counts; of
/// those for a workload all do, the oldest first, as with Istio.
pub fn telemetries<'r>(resources: &'r [Resource], proxy: &Proxy) -> Vec<(&'r Resource, &'r Telemetry)> {
    let all = || {
        resources.iter().filter_map(|resource| match &resource.spec {
            Spec::Telemetry(telemetry) => Some((resource, telemetry)),
            _ => None,
        })
    };
    let oldest = |namespace: &str, fits: &dyn Fn(&Target) -> bool| {
        let found = all()
            .filter(|(resource, telemetry)| resource.meta.namespace == namespace && fits(&telemetry.target));
        found.min_by(|(one, _), (other, _)| by_age(one, other))
    };
    let selects_all = |target: &Target| match target {
        Target::All => true,
        Target::Selector(selector) => selector.0.is_empty(),
        Target::Refs(_) => false,
    };
    let selects_workload = |target: &Target| match target {
        Target::All => false,
        Target::Selector(selector) => !selector.0.is_empty() && selector.matches(&proxy.labels),
        Target::Refs(refs) => refs.iter().any(|target| is_target(target, &proxy.namespace, proxy)),
    };
    let root = Some(&proxy.root_namespace).filter(|root| **root != proxy.namespace);
    let wide = [root.and_then(|root| oldest(root, &selects_all)), oldest(&proxy.namespace, &selects_all)];
    let mut own: Vec<_> = all()
        .filter(|(resource, telemetry)| {
            resource.meta.namespace == proxy.namespace && selects_workload(&telemetry.target)
        })
        .collect();
    ordered::sort_by(&mut own, |(one, _), (other, _)| by_age(one, other));
    wide.into_iter().flatten().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_most_general_comes_first_and_the_youngest_of_a_workload_last() {
        let telemetry = |namespace: &str, name: &str, age: u32, spec: &str| {
            format!(
                r#"{{"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {{"name": "{name}",
                "namespace": "{namespace}", "creationTimestamp": "200{age}-01-01T00:00:00Z"}}, "spec": {{{spec}}}}}"#
            )
        };
        let selector = |app: &str| format!(r#""selector": {{"matchLabels": {{"app": "{app}"}}}}"#);
        let resources = [
            telemetry("shop", "younger", 2, &selector("a")),
            telemetry("shop", "workload", 1, &selector("a")),
            telemetry("shop", "other", 0, &selector("b")),
            telemetry("shop", "namespace", 3, ""),
            telemetry("istio-system", "selecting", 0, &selector("a")),
            telemetry("istio-system", "mesh", 5, ""),
            telemetry("elsewhere", "elsewhere", 0, ""),
        ];
        let names = |namespace: &str| {
            let config = format!(
                r#"{{"proxy": {{"role": "sidecar", "namespace": "{namespace}", "labels": {{"app": "a"}}}},
                "resources": [{}]}}"#,
                resources.join(",")
            );
            let config = Config::from_json(config.as_bytes()).unwrap();
            let found = telemetries(&config.resources, &config.proxy);
            found.into_iter().map(|(resource, _)| resource.meta.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("shop"), ["mesh", "namespace", "workload", "younger"]);
        assert_eq!(names("istio-system"), ["mesh", "selecting"]);
        assert_eq!(names("other"), ["mesh"]);
    }
}
