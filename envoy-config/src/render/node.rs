//! Who the proxy is to Envoy, and with it what its spans call the service.

use outrigger_api::types::mesh_config::ServiceName;
use outrigger_api::{Proxy, Role};

use crate::envoy::bootstrap::{Node, NodeMetadata};

/// Labels that name an application, in Istio's order for what a proxy calls itself.
const APP: [&str; 3] = ["app", "app.kubernetes.io/name", "service.istio.io/canonical-name"];
/// And in its order for a canonical service.
const CANONICAL: [&str; 3] = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];

/// The proxy, called as the mesh has it.
pub(super) fn node(proxy: &Proxy, name: &ServiceName) -> Node {
    let kind = match proxy.role {
        Role::Gateway => "router",
        Role::Sidecar => "sidecar",
    };
    let workload = if proxy.workload.is_empty() { "unknown" } else { &proxy.workload };
    let namespace = &proxy.namespace;
    let label = |names: [&str; 3]| {
        let mut labels = names.into_iter().filter_map(|name| proxy.labels.get(name));
        labels.next().map_or(workload, String::as_str)
    };
    let cluster = match name {
        ServiceName::Literal(name) => name.clone(),
        ServiceName::AppAndNamespace => format!("{}.{namespace}", label(APP)),
        ServiceName::CanonicalAndNamespace => format!("{}.{namespace}", label(CANONICAL)),
        ServiceName::Canonical => label(CANONICAL).to_owned(),
    };
    let metadata = NodeMetadata { outrigger_version: env!("CARGO_PKG_VERSION") };
    Node { id: format!("{kind}~{workload}.{namespace}"), cluster, metadata }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_called_by_its_labels_else_by_its_workload() {
        let (app, kubernetes) = (("app", "a"), ("app.kubernetes.io/name", "k"));
        let canonical = ("service.istio.io/canonical-name", "c");
        for (name, labels, expected) in [
            (ServiceName::AppAndNamespace, &[canonical, kubernetes, app][..], "a.shop"),
            (ServiceName::AppAndNamespace, &[canonical, kubernetes], "k.shop"),
            (ServiceName::AppAndNamespace, &[canonical], "c.shop"),
            (ServiceName::AppAndNamespace, &[], "cart-v1.shop"),
            (ServiceName::CanonicalAndNamespace, &[canonical, kubernetes, app], "c.shop"),
            (ServiceName::CanonicalAndNamespace, &[kubernetes, app], "k.shop"),
            (ServiceName::Canonical, &[app], "a"),
            (ServiceName::Canonical, &[], "cart-v1"),
            (ServiceName::Literal("own".to_owned()), &[app], "own"),
        ] {
            let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let (workload, namespace) = ("cart-v1".to_owned(), "shop".to_owned());
            let proxy = Proxy { labels, workload, namespace, ..Proxy::default() };
            let node = node(&proxy, &name);
            assert_eq!((&*node.cluster, &*node.id), (expected, "router~cart-v1.shop"), "{name:?}");
        }
    }
}
