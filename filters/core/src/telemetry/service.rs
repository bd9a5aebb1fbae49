//! The service that a request was for, as the labels `destination_service…` describe it.

use std::borrow::Cow;

use super::protobuf::{entry, first, structure, text};

/// A service. A text that is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service<'a> {
    /// Its host.
    pub host: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
}

/// Clusters of requests to hosts that nobody declares; Istio puts their name where that of the service would be.
const UNDECLARED: [&str; 2] = ["PassthroughCluster", "BlackHoleCluster"];

impl<'a> Service<'a> {
    /// The service that Istio's metadata of a cluster name (`filter_metadata.istio.services`, the first of them), as
    /// Envoy's attribute `xds.cluster_metadata` has it.
    pub fn of_metadata(metadata: &'a [u8]) -> Option<Self> {
        let services = entry(entry(metadata, "istio")?, "services")?;
        let service = structure(first(services)?)?;
        let field = |name| entry(service, name).and_then(text).unwrap_or_default();
        Some(Self {
            host: field("host").into(),
            name: field("name").into(),
            namespace: field("namespace").into(),
        })
    }

    /// The same service, which a ServiceEntry in `namespace` declares: it is called by its host.
    #[must_use]
    pub fn of_entry(self, namespace: String) -> Self {
        Self { name: self.host.clone(), namespace: namespace.into(), host: self.host }
    }

    /// The service behind a cluster without Istio's metadata. Hosts of Kubernetes name their namespace; of any other host
    /// the name is the host itself, as Istio has it for ServiceEntries.
    pub fn of_cluster(cluster: &'a str) -> Self {
        if UNDECLARED.contains(&cluster) {
            return Self { name: cluster.into(), ..Self::default() };
        }
        let host = cluster.splitn(4, '|').nth(3).unwrap_or_default();
        let mut labels = host.splitn(4, '.');
        let (name, namespace) = match (labels.next(), labels.next(), labels.next()) {
            (Some(name), Some(namespace), Some("svc")) => (name, namespace),
            _ => (host, ""),
        };
        Self { host: host.into(), name: name.into(), namespace: namespace.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_service_is_read_from_the_cluster() {
        for (cluster, host, name, namespace) in [
            ("outbound|80|v1|a.ns.svc.cluster.local", "a.ns.svc.cluster.local", "a", "ns"),
            ("outbound|443||example.org", "example.org", "example.org", ""),
            ("inbound|80||", "", "", ""),
            ("PassthroughCluster", "", "PassthroughCluster", ""),
            ("", "", "", ""),
            ("outbound|80", "", "", ""),
        ] {
            let service = Service::of_cluster(cluster);
            assert_eq!((&*service.host, &*service.name, &*service.namespace), (host, name, namespace));
        }
    }
}
