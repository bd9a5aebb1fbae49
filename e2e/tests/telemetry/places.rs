//! The same requests where a proxy can stand.

use outrigger_e2e::ports::free_port;

use super::expected::assert_metrics;
use super::proxy::{Place, Proxy, TO_HTTPBIN, edge, httpbin, service_entry};
use crate::mesh::certs::Ca;

const HTTPBIN: &str = "httpbin.shop.svc.cluster.local:8000";

#[test]
fn a_gateway_reports_as_the_source() {
    let httpbin = httpbin();
    let resources = edge(TO_HTTPBIN) + &service_entry("httpbin", "HTTP", httpbin.port, "");
    let proxy = Proxy::start(&Place::Edge, &resources);
    for (path, status) in [("/status/200", 200), ("/headers", 200), ("/status/404", 404)] {
        proxy.get("shop.example", path, status);
    }
    assert_metrics(&proxy.admin, "gateway");
}

#[test]
fn a_sidecar_reports_its_applications_requests() {
    let httpbin = httpbin();
    let resources = service_entry("httpbin", "HTTP", httpbin.port, "");
    let proxy = Proxy::start(&Place::Outbound, &resources);
    for (path, status) in [("/status/200", 200), ("/headers", 200), ("/status/503", 503)] {
        proxy.get(HTTPBIN, path, status);
    }
    assert_metrics(&proxy.admin, "client");
}

#[test]
fn a_sidecar_reports_requests_for_its_application() {
    let httpbin = httpbin();
    let proxy = Proxy::start(&Place::Inbound(free_port().unwrap(), httpbin.port), "");
    for (path, status) in [("/status/200", 200), ("/headers", 200), ("/status/500", 500)] {
        proxy.get(HTTPBIN, path, status);
    }
    assert_metrics(&proxy.admin, "server");
}

#[test]
fn both_sides_of_mutual_tls_know_both_names() {
    let (ca, httpbin) = (Ca::new(), httpbin());
    let (web, shop) = (ca.issue("front", "web", "1h"), ca.issue("shop", "httpbin", "1h"));
    let port = free_port().unwrap();
    let strict = "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
";
    let server = Proxy::start(&Place::With(&Place::Inbound(port, httpbin.port), &shop), strict);
    let tls = ", security.istio.io/tlsMode: istio";
    let client =
        Proxy::start(&Place::With(&Place::Outbound, &web), &service_entry("httpbin", "HTTP", port, tls));
    for (path, status) in [("/status/200", 200), ("/headers", 200), ("/status/418", 418)] {
        client.get(HTTPBIN, path, status);
    }
    assert_metrics(&client.admin, "mtls-client");
    assert_metrics(&server.admin, "mtls-server");
}

/// Hosts that nobody declares are reached by a cluster of their own.
#[test]
fn a_sidecar_reports_requests_to_hosts_that_nobody_declares() {
    let httpbin = httpbin();
    let host = format!("127.0.0.1:{}", httpbin.port);
    let proxy = Proxy::start(&Place::Outbound, "");
    proxy.get(&host, "/status/200", 200);
    proxy.get(&host, "/status/404", 404);
    assert_metrics(&proxy.admin, "client-passthrough");
}

/// A host that is declared has the answers of its own rules, and none of what is for hosts that nobody declares.
#[test]
fn a_sidecar_lets_nothing_pass_that_no_rule_of_a_known_host_fits() {
    let httpbin = httpbin();
    let rules = "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: httpbin, namespace: shop}
spec:
  hosts: [httpbin.shop.svc.cluster.local]
  http:
  - match: [{uri: {exact: /status/200}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
  - match: [{uri: {exact: /moved}}]
    redirect: {uri: /}
  - match: [{uri: {exact: /teapot}}]
    directResponse: {status: 418}
";
    for mode in ["ALLOW_ANY", "REGISTRY_ONLY"] {
        let scope = format!(
            "---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: default, namespace: front}}
spec: {{egress: [{{hosts: ['*/*']}}], outboundTrafficPolicy: {{mode: {mode}}}}}
"
        );
        let resources = service_entry("httpbin", "HTTP", httpbin.port, "") + rules + &scope;
        let proxy = Proxy::start(&Place::Outbound, &resources);
        for (path, status) in [("/status/200", 200), ("/headers", 404), ("/moved", 301), ("/teapot", 418)] {
            proxy.get(HTTPBIN, path, status);
        }
        assert_metrics(&proxy.admin, "client-rules");
    }
}
