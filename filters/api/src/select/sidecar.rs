//! Which Sidecar is for a proxy, and what its egress listeners know.

use super::by_age;
use crate::config::{Proxy, Role};
use crate::host::HostPattern;
use crate::ordered;
use crate::resource::{Resource, Spec};
use crate::types::sidecar::{EgressListener, EgressNamespace, EgressScope, Sidecar};

/// The Sidecar that is for `proxy`: of its namespace the oldest that selects it, else the oldest without a selector,
/// else that of the root namespace.
pub fn sidecar<'r>(resources: &'r [Resource], proxy: &Proxy) -> Option<(&'r Resource, &'r Sidecar)> {
    if proxy.role != Role::Sidecar {
        return None;
    }
    let mut all: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::Sidecar(sidecar) => Some((resource, sidecar)),
            _ => None,
        })
        .collect();
    ordered::sort_by(&mut all, |(one, _), (other, _)| by_age(one, other));
    let selects = |sidecar: &Sidecar| {
        sidecar.workload_selector.as_ref().is_some_and(|selector| selector.matches(&proxy.labels))
    };
    let first = |namespace: &str, counts: &dyn Fn(&Sidecar) -> bool| {
        all.iter()
            .find(|(resource, sidecar)| resource.meta.namespace == namespace && counts(sidecar))
            .copied()
    };
    let of_all = |sidecar: &Sidecar| sidecar.workload_selector.is_none();
    first(&proxy.namespace, &selects)
        .or_else(|| first(&proxy.namespace, &of_all))
        .or_else(|| first(&proxy.root_namespace, &of_all))
}

/// What the hosts of an egress listener come to for a sidecar in namespace `own`.
#[derive(Debug, Clone, Copy)]
pub struct Imports<'s> {
    listener: &'s EgressListener,
    own: &'s str,
}

impl<'s> Imports<'s> {
    /// Of `listener`.
    pub fn new(listener: &'s EgressListener, own: &'s str) -> Self {
        Self { listener, own }
    }

    /// Whether the service `host` of `namespace` is known: its whole host is covered by what is imported, and nothing
    /// of what is excluded covers it.
    pub fn service(&self, namespace: &str, host: &HostPattern) -> bool {
        self.any(namespace, host, HostPattern::is_subset_of)
    }

    /// Whether a VirtualService of `namespace` with this (fully qualified) host is known. It is enough that some of it
    /// is imported.
    pub fn virtual_service(&self, namespace: &str, host: &HostPattern) -> bool {
        self.any(namespace, host, HostPattern::intersects)
    }

    fn any(&self, namespace: &str, host: &HostPattern, fits: fn(&HostPattern, &HostPattern) -> bool) -> bool {
        let is_of = |whose: &EgressNamespace| match whose {
            EgressNamespace::Any => true,
            EgressNamespace::Own => namespace == self.own,
            EgressNamespace::Named(name) => namespace == name,
        };
        let excluded = self.listener.hosts.iter().any(|entry| match &entry.scope {
            EgressScope::Except(whose) => is_of(whose) && host.is_subset_of(&entry.host),
            EgressScope::Of(_) => false,
        });
        !excluded
            && self.listener.hosts.iter().any(|entry| match &entry.scope {
                EgressScope::Of(whose) => is_of(whose) && fits(host, &entry.host),
                EgressScope::Except(_) => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn resource(namespace: &str, name: &str, spec: &str) -> Resource {
        let json = format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
                "metadata": {{"name": "{name}", "namespace": "{namespace}"}}, "spec": {spec}}}"#
        );
        let parsed = crate::parse_json(json.as_bytes(), "default");
        assert!(!parsed.problems.iter().any(crate::Problem::is_error), "{:?}", parsed.problems);
        parsed.resources.into_iter().next().unwrap()
    }

    #[rstest]
    #[case(&[], None)]
    #[case(&["ns/all"], Some("ns/all"))]
    #[case(&["ns/all", "ns/web-b"], Some("ns/web-b"))]
    #[case(&["ns/web-b", "ns/web-a"], Some("ns/web-a"))]
    #[case(&["ns/b-all", "ns/a-all"], Some("ns/a-all"))]
    #[case(&["ns/other-a", "istio-system/all"], Some("istio-system/all"))]
    #[case(&["ns/all", "istio-system/all"], Some("ns/all"))]
    // One with a selector in the root namespace is for that namespace's own workloads.
    #[case(&["istio-system/web-a"], None)]
    #[case(&["other/all"], None)]
    fn the_narrowest_counts(#[case] names: &[&str], #[case] expected: Option<&str>) {
        let resources: Vec<_> = names
            .iter()
            .map(|id| {
                let (namespace, name) = id.split_once('/').unwrap();
                let selector = match name.split_once('-') {
                    Some((app @ ("web" | "other"), _)) => {
                        format!(r#""workloadSelector": {{"labels": {{"app": "{app}"}}}},"#)
                    }
                    _ => String::new(),
                };
                let spec = format!(r#"{{{selector} "egress": [{{"hosts": ["./*"]}}]}}"#);
                resource(namespace, name, &spec)
            })
            .collect();
        let labels = [("app".to_owned(), "web".to_owned())].into();
        let proxy = Proxy { role: Role::Sidecar, namespace: "ns".to_owned(), labels, ..Proxy::default() };
        assert_eq!(sidecar(&resources, &proxy).map(|(resource, _)| resource.id()).as_deref(), expected);
        assert!(sidecar(&resources, &Proxy { role: Role::Gateway, ..proxy }).is_none());
    }

    #[rstest]
    #[case("*/*", "a/x.com", true, true)]
    #[case("./*", "ns/x.com", true, true)]
    #[case("./*", "a/x.com", false, false)]
    #[case("a/*", "a/x.com", true, true)]
    #[case("a/x.com", "a/x.com", true, true)]
    #[case("a/x.com", "a/y.com", false, false)]
    #[case("a/x.com", "b/x.com", false, false)]
    #[case("*/x.com", "b/x.com", true, true)]
    #[case("a/*.com", "a/x.com", true, true)]
    #[case("a/*.com", "a/*.x.com", true, true)]
    // A wildcard is known as a service if all of it is imported; as a VirtualService, if some of it is.
    #[case("a/*.x.com", "a/*.com", false, true)]
    #[case("a/b.x.com", "a/*.x.com", false, true)]
    // Exclusions win, wherever they stand.
    #[case("*/* ~a/x.com", "a/x.com", false, false)]
    #[case("*/* ~a/x.com", "b/x.com", true, true)]
    #[case("~a/* a/x.com", "a/x.com", false, false)]
    #[case("*/* ~/*.com", "a/x.com", false, false)]
    #[case("*/* ~./*", "ns/x.com", false, false)]
    #[case("*/* ~*/x.com", "a/x.com", false, false)]
    #[case("~/*", "ns/x.com", false, false)]
    fn imports(#[case] hosts: &str, #[case] of: &str, #[case] service: bool, #[case] virtual_service: bool) {
        let list: Vec<_> = hosts.split(' ').map(|host| format!("\"{host}\"")).collect();
        // In the root namespace, where `.` is that of the proxy all the same.
        let resource =
            resource("istio-system", "s", &format!(r#"{{"egress": [{{"hosts": [{}]}}]}}"#, list.join(",")));
        let Spec::Sidecar(sidecar) = &resource.spec else { panic!("no sidecar") };
        let imports = Imports::new(&sidecar.egress[0], "ns");
        let (namespace, host) = of.split_once('/').unwrap();
        let host = HostPattern::parse(host);
        let found = (imports.service(namespace, &host), imports.virtual_service(namespace, &host));
        assert_eq!(found, (service, virtual_service), "{hosts} for {of}");
    }
}
