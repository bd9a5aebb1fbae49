//! Which security policies are for which proxy: by namespace, root namespace, selector and `targetRefs`.

use outrigger_api::resource::Metadata;
use outrigger_api::types::common::{Target, TargetKind, TargetRef};
use outrigger_api::{Proxy, Role};

/// Label of a gateway's pods that names their Gateway of the Kubernetes Gateway API.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
/// Label of a gateway's pods that names their GatewayClass.
const GATEWAY_CLASS: &str = "gateway.networking.k8s.io/gateway-class-name";

/// Whether a policy applies to `proxy`: it stands in the proxy's namespace or in the root namespace, and its
/// selector or one of its `targetRefs` fits.
pub fn applies(policy: &Metadata, target: &Target, proxy: &Proxy) -> bool {
    let in_root = policy.namespace == proxy.root_namespace;
    let near = in_root || policy.namespace == proxy.namespace;
    near && match target {
        Target::All => true,
        Target::Selector(selector) => selector.matches(&proxy.labels),
        Target::Refs(refs) => refs.iter().any(|reference| refers_to(reference, policy, proxy)),
    }
}

/// Services are targets of waypoints, which this proxy is not.
fn refers_to(reference: &TargetRef, policy: &Metadata, proxy: &Proxy) -> bool {
    let labelled = |label| proxy.labels.get(label) == Some(&reference.name);
    proxy.role == Role::Gateway
        && match reference.kind {
            TargetKind::Gateway => policy.namespace == proxy.namespace && labelled(GATEWAY_NAME),
            TargetKind::GatewayClass => policy.namespace == proxy.root_namespace && labelled(GATEWAY_CLASS),
            TargetKind::Service | TargetKind::ServiceEntry => false,
        }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use outrigger_api::types::common::WorkloadSelector;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> outrigger_api::types::common::Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn gateway() -> Proxy {
        let pairs = [("app", "edge"), (GATEWAY_NAME, "edge"), (GATEWAY_CLASS, "istio")];
        Proxy { role: Role::Gateway, namespace: "shop".into(), labels: labels(&pairs), ..Proxy::default() }
    }

    fn policy(namespace: &str) -> Metadata {
        Metadata { name: "p".into(), namespace: namespace.into(), ..Metadata::default() }
    }

    #[test]
    fn namespaces_and_selectors() {
        let selector = |pairs: &[(&str, &str)]| Target::Selector(WorkloadSelector(labels(pairs)));
        for (namespace, target, expected) in [
            ("shop", Target::All, true),
            ("istio-system", Target::All, true),
            ("other", Target::All, false),
            ("shop", selector(&[("app", "edge")]), true),
            ("istio-system", selector(&[("app", "edge")]), true),
            ("shop", selector(&[("app", "edge"), ("version", "v1")]), false),
            ("other", selector(&[("app", "edge")]), false),
        ] {
            assert_eq!(applies(&policy(namespace), &target, &gateway()), expected, "{namespace} {target:?}");
        }
    }

    #[test]
    fn target_refs_are_for_gateways() {
        let target = |kind, name: &str| {
            Target::Refs(vec![TargetRef { group: String::new(), kind, name: name.to_owned() }])
        };
        for (namespace, kind, name, expected) in [
            ("shop", TargetKind::Gateway, "edge", true),
            ("shop", TargetKind::Gateway, "inner", false),
            ("istio-system", TargetKind::Gateway, "edge", false),
            ("istio-system", TargetKind::GatewayClass, "istio", true),
            ("shop", TargetKind::GatewayClass, "istio", false),
            ("shop", TargetKind::Service, "edge", false),
        ] {
            let target = target(kind, name);
            assert_eq!(applies(&policy(namespace), &target, &gateway()), expected, "{namespace} {target:?}");
            let sidecar = Proxy { role: Role::Sidecar, ..gateway() };
            assert!(!applies(&policy(namespace), &target, &sidecar), "{namespace} {target:?}");
        }
    }
}
