//! Which Telemetries are for a proxy.

use super::{by_age, is_target};
use crate::{
    config::Proxy,
    resource::{Resource, Spec},
    types::{common::Target, telemetry::Telemetry},
};

/// The Telemetries that apply to a proxy, the most general first: that of the root namespace, that of the proxy's
/// namespace, and that which selects its workload there. Of several of one of these levels the oldest counts, as with
/// Istio.
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
    let levels = [
        root.and_then(|root| oldest(root, &selects_all)),
        oldest(&proxy.namespace, &selects_all),
        oldest(&proxy.namespace, &selects_workload),
    ];
    levels.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_most_general_comes_first_and_the_oldest_counts() {
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
        assert_eq!(names("shop"), ["mesh", "namespace", "workload"]);
        assert_eq!(names("istio-system"), ["mesh", "selecting"]);
        assert_eq!(names("other"), ["mesh"]);
    }
}
