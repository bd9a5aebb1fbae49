//! Sidecars of two services and one more, each with a certificate of its own, as processes: mutual TLS between them, and
//! decisions by certificate.

mod authority;
pub(crate) mod certs;
mod client;
mod identities;
mod sidecar;

use authority::Authority;
use outrigger_e2e::launch::Local;
use sidecar::{Ports, Sidecar, wait_until};

/// Who may send what to B, which is known by certificate.
const POLICY: &str = "
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: b, namespace: shop}
spec:
  action: ALLOW
  rules:
  - from: [{source: {namespaces: [demo-app]}}]
    to: [{operation: {methods: [GET]}}]
";

fn mode(mode: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: default, namespace: istio-system}}
spec: {{mtls: {{mode: {mode}}}}}
"
    )
}

/// B as its callers know it.
fn b_for_callers(b: u16) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: b, namespace: shop}}
spec:
  hosts: [b.shop.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  endpoints: [{{address: 127.0.0.1, ports: {{http: {b}}}, labels: {{security.istio.io/tlsMode: istio}}}}]
"
    )
}

/// The same, and a service that nobody imports.
fn services(b: u16) -> String {
    b_for_callers(b)
        + &format!(
            "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: hidden, namespace: hidden}}
spec:
  hosts: [hidden.hidden.svc.cluster.local]
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  endpoints: [{{address: 127.0.0.1, ports: {{http: {b}}}}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: default, namespace: demo-app}}
spec:
  egress: [{{hosts: ['./*', 'shop/*']}}]
  outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}
"
        )
}

#[test]
fn sidecars_know_each_other_by_certificate() {
    let applications = Local::start().unwrap();
    let httpbin = applications.services.port("httpbin", "v1").unwrap();
    let authority = Authority::new();
    let ports = Ports::free();
    let strict = mode("STRICT") + POLICY;
    let start = |who: (&'static str, &'static str), ports: Ports, resources: &str| {
        Sidecar::start(who, &authority.issue(who.0, who.1), httpbin, ports, resources)
    };
    let b = start(("shop", "b"), ports, &strict);
    let callers = services(ports.inbound);
    let a = start(("demo-app", "a"), Ports::free(), &callers);
    let stranger = start(("other", "x"), Ports::free(), &callers);

    // A is allowed, for what it is allowed; the application is told who asks.
    let seen = a.send("GET", "b.shop", "/headers");
    assert_eq!(seen.status, Some(200), "{seen:?}");
    let told = seen.request_headers.unwrap()["x-forwarded-client-cert"].clone();
    assert!(told.ends_with("URI=spiffe://cluster.local/ns/demo-app/sa/a"), "{told}");
    assert_eq!(a.send("POST", "b.shop", "/anything").status, Some(403));
    assert_eq!(stranger.send("GET", "b.shop", "/headers").status, Some(403));

    // Both sides see the other's certificate.
    let (of_a, of_b) = ("spiffe://cluster.local/ns/demo-app/sa/a", "spiffe://cluster.local/ns/shop/sa/b");
    a.wait_for_log(&format!("from=- to={of_b} 200"));
    b.wait_for_log(&format!("from={of_a} to=- 200"));
    b.wait_for_log("from=spiffe://cluster.local/ns/other/sa/x to=- 403");
    let principals = format!(r#"source_principal="{of_a}""#);
    let destination = format!(r#"destination_principal="{of_b}""#);
    for side in [&a, &b] {
        let metrics = side.requests_total();
        assert!(metrics.contains(&principals) && metrics.contains(&destination), "{metrics}");
    }
    assert!(b.requests_total().contains(r#"connection_security_policy="mutual_tls""#));

    // Without a certificate nothing gets in but health checks.
    assert_eq!(b.plain_text(), None);
    assert_eq!(b.probe("/healthz/ready"), Some(200));
    assert_eq!(b.probe("/app-health/status/200"), Some(200));
    assert_eq!(b.probe("/app-health/headers"), Some(404));

    // What A's Sidecar does not import is unknown to A, and what nobody knows is refused there.
    assert_eq!(a.send("GET", "hidden.hidden", "/").status, Some(502));
    assert_eq!(a.send("GET", "nobody.example", "/").status, Some(502));

    // An edit of the mode, there and back, without a restart.
    b.edit(&mode("PERMISSIVE"));
    wait_until("plain text is accepted", || b.plain_text() == Some(200));
    assert_eq!(a.send("GET", "b.shop", "/headers").status, Some(200));
    assert_eq!(stranger.send("GET", "b.shop", "/headers").status, Some(200));
    b.edit(&strict);
    wait_until("plain text is refused", || b.plain_text().is_none());
    assert_eq!(a.send("GET", "b.shop", "/headers").status, Some(200));
    assert_eq!(stranger.send("GET", "b.shop", "/headers").status, Some(403));
}
