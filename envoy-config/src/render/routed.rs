//! Which VirtualServices count at a proxy.

use std::collections::BTreeSet;

use outrigger_api::delegate::{Delegates, EffectiveRoute};
use outrigger_api::types::common::{GatewayRef, Protocol};
use outrigger_api::types::gateway::{Server, ServerTlsMode};
use outrigger_api::{Kind, Proxy, Resource, Role, select};

/// What counts at a proxy of VirtualServices.
#[derive(Debug)]
pub(crate) struct Routed<'r> {
    /// Namespaces and names of those whose hosts are served, and of those that they delegate to.
    services: BTreeSet<(&'r str, &'r str)>,
    /// Their rules, those of delegates among them.
    rules: Vec<EffectiveRoute<'r>>,
}

impl<'r> Routed<'r> {
    /// On all ports of the Gateways that `proxy` serves, or in the mesh.
    pub(crate) fn new(resources: &'r [Resource], proxy: &Proxy) -> Self {
        let delegates = Delegates::new(resources);
        let mut routed = Self { services: BTreeSet::new(), rules: Vec::new() };
        match proxy.role {
            Role::Sidecar => routed.add((resources, &delegates), &GatewayRef::Mesh, None, proxy),
            Role::Gateway => {
                for (resource, gateway) in select::gateways(resources, proxy) {
                    let (namespace, name) = (resource.meta.namespace.clone(), resource.meta.name.clone());
                    let reference = GatewayRef::Named { namespace, name };
                    for server in gateway.servers.iter().filter(|server| reads_requests(server)) {
                        routed.add((resources, &delegates), &reference, Some(server), proxy);
                    }
                }
            }
        }
        routed
    }

    fn add(
        &mut self,
        (resources, delegates): (&'r [Resource], &Delegates<'r>),
        gateway: &GatewayRef,
        server: Option<&Server>,
        proxy: &Proxy,
    ) {
        let domain = &proxy.cluster_domain;
        for (resource, service) in select::virtual_services(resources, gateway, proxy) {
            let served = server.is_none_or(|server| {
                !select::attached_hosts(server, service, &resource.meta.namespace, domain).is_empty()
            });
            if !served {
                continue;
            }
            let (mut rules, _) = delegates.routes(resource, service, domain);
            rules.retain(|rule| {
                let here = |entry| select::match_applies(entry, std::slice::from_ref(gateway), proxy);
                rule.route.matches.is_empty() || rule.route.matches.iter().any(here)
            });
            let leaves = rules.iter().map(|rule| rule.resource);
            self.services.extend(leaves.chain([resource]).map(named));
            self.rules.extend(rules);
        }
    }

    /// Whether a VirtualService counts, by itself or because another one that does delegates to it.
    pub(crate) fn has(&self, resource: &Resource) -> bool {
        resource.kind == Kind::VirtualService && self.services.contains(&named(resource))
    }

    /// Whether some rule has faults.
    pub(crate) fn has_faults(&self) -> bool {
        self.rules.iter().any(|rule| rule.route.fault.is_some())
    }
}

fn named(resource: &Resource) -> (&str, &str) {
    (&resource.meta.namespace, &resource.meta.name)
}

/// Whether the server sees requests: plain HTTP, or HTTPS that it terminates itself.
pub(crate) fn reads_requests(server: &Server) -> bool {
    let passes = server
        .tls
        .as_ref()
        .is_some_and(|tls| matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough));
    server.port.protocol.is_http() || (server.port.protocol == Protocol::Https && !passes)
}

#[cfg(test)]
mod tests {
    use outrigger_api::parse_yaml;

    use super::*;

    const RESOURCES: &str = r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: both, namespace: shop}
spec:
  hosts: [a.example]
  gateways: [edge, mesh]
  http:
  - match: [{gateways: [mesh]}]
    fault: {abort: {httpStatus: 503, percentage: {value: 10}}}
    route: [{destination: {host: a.example}}]
  - route: [{destination: {host: a.example}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: elsewhere, namespace: shop}
spec:
  hosts: [a.test]
  gateways: [edge]
  http: [{fault: {abort: {httpStatus: 503}}, route: [{destination: {host: a.example}}]}]
"#;

    const DELEGATES: &str = r#"---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [b.example]
  gateways: [edge]
  http: [{match: [{uri: {prefix: /b}}], delegate: {name: leaf}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: leaf, namespace: shop}
spec: {http: [{fault: {abort: {httpStatus: 503}}, route: [{destination: {host: a.example}}]}]}
"#;

    fn routed(text: &str, role: Role, label: &str) -> (String, bool) {
        let resources = parse_yaml(text.as_bytes(), "a.yaml", "shop").resources;
        let labels = [("istio".to_owned(), label.to_owned())].into_iter().collect();
        let proxy = Proxy { role, labels, namespace: "shop".to_owned(), ..Proxy::default() };
        let routed = Routed::new(&resources, &proxy);
        let services = resources.iter().filter(|resource| routed.has(resource));
        let names: Vec<_> = services.map(|resource| resource.meta.name.as_str()).collect();
        (names.join(" "), routed.has_faults())
    }

    #[test]
    fn what_counts_is_what_gateways_serve_and_what_is_delegated_to() {
        let all = [RESOURCES, DELEGATES].concat();
        let told = |names: &str, faults| (names.to_owned(), faults);
        assert_eq!(routed(RESOURCES, Role::Gateway, "ingressgateway"), told("both", false));
        assert_eq!(routed(&all, Role::Gateway, "ingressgateway"), told("both root leaf", true));
        assert_eq!(routed(&all, Role::Gateway, "other"), told("", false));
        assert_eq!(routed(&all, Role::Sidecar, "cart"), told("both", true));
    }
}
