//! What policies have decided, in the span of the proxy that decided.

use super::mesh::{A, B, Mesh, short};

const TRACED: &str = "{providers: [{name: otlp}], randomSamplingPercentage: 100}";

/// A denial at the gateway, one before `b`, a fault on the way to `b`, and a token that is none.
const POLICIES: &str = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules: [{to: [{operation: {paths: [/here/closed]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: b-closed}
spec:
  selector: {matchLabels: {app: b}}
  action: DENY
  rules: [{to: [{operation: {paths: [/other]}}]}, {to: [{operation: {paths: [/status/201]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closing, annotations: {istio.io/dry-run: 'true'}}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules: [{to: [{operation: {paths: [/here/closing]}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b}
spec:
  hosts: [b.default.svc.cluster.local]
  http:
  - match: [{uri: {exact: /status/202}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 418}}
    route: [{destination: {host: b.default.svc.cluster.local, port: {number: 80}}}]
  - route: [{destination: {host: b.default.svc.cluster.local, port: {number: 80}}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [{issuer: test, jwks: '{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\", \"alg\": \"HS256\", \"kid\": \"a\"}]}'}]
";

#[test]
fn a_trace_ends_where_it_was_decided_and_says_by_which_policy() {
    let mesh = Mesh::start(TRACED, POLICIES);

    assert_eq!(mesh.get("/here/closed", &[]).status, Some(403));
    let spans = mesh.trace("/here/closed", 1);
    assert_eq!(short(&spans), ["istio-ingressgateway.default SERVER shop.example/*"]);
    let tags = &spans[0].tags;
    assert_eq!(tags["outrigger.authz"], "denied DENY default/closed[0]", "{tags:#?}");
    assert_eq!(tags["http.status_code"], "403");

    let path = "/via/b.default.svc.cluster.local/status/201";
    assert_eq!(mesh.get(path, &[]).status, Some(403));
    let spans = mesh.trace(path, 5);
    assert_eq!(short(&spans)[3..], [format!("a.default CLIENT {B}/*"), format!("b.default SERVER {B}/*")]);
    assert_eq!(spans[4].tags["outrigger.authz"], "denied DENY default/b-closed[1]", "{spans:#?}");
    assert_eq!(spans[4].tags["http.status_code"], "403");
    assert!(
        spans[..4]
            .iter()
            .all(|span| !span.tags.get("outrigger.authz").is_some_and(|said| said.contains("denied")))
    );

    let path = "/via/b.default.svc.cluster.local/status/202";
    assert_eq!(mesh.get(path, &[]).status, Some(418));
    let spans = mesh.trace(path, 4);
    assert_eq!(
        short(&spans)[2..],
        [format!("a.default SERVER {A}/*"), "a.default CLIENT b.default.svc.cluster.local/*".to_owned()]
    );
    assert_eq!(spans[3].tags["outrigger.fault"], "default/b[0] abort=418", "{spans:#?}");

    let token = [("authorization", "Bearer a.b.c")];
    assert_eq!(mesh.get("/here/token", &token).status, Some(401));
    let spans = mesh.trace("/here/token", 1);
    let said = &spans[0].tags["outrigger.jwt"];
    assert!(said.starts_with("refused Jwt ") && !said.contains("a.b.c"), "{said}");

    assert_eq!(mesh.get("/here/closing", &[]).status, Some(200));
    let spans = mesh.trace("/here/closing", 1);
    let said = &spans[0].tags["outrigger.authz_dry_run"];
    assert_eq!(said, "dry-run denied DENY default/closing[0] (differs)", "{spans:#?}");
}
