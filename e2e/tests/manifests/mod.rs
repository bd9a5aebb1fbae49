//! Manifests and snippets on a real Envoy: each filter gets its configuration as istiod, Envoy Gateway or a person would
//! hand it over, and has to decide as the resources say.

mod docs;
mod documents;
mod envoy;
mod gateway;
mod istio;
mod snippet;
mod web;

use outrigger_e2e::scenario::Token;
use outrigger_e2e::tokens::mint;

/// A token of the issuer `https://idp.example` with this subject, which lives for an hour.
fn token(subject: &str) -> String {
    let claims = serde_json::json!({"iss": "https://idp.example", "sub": subject});
    let claims = claims.as_object().unwrap().clone();
    mint(&Token { alg: "ES256".to_owned(), claims, expires_in: Some(3600) }).unwrap()
}

/// The keys that verify it.
const KEYS: &str = include_str!("../../keys/jwks.json");

/// Tokens of one issuer, taken along; only its members, and nobody at `/admin`.
fn policies() -> String {
    let keys = serde_json::to_string(KEYS).unwrap();
    format!(
        "apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: tokens, namespace: shop}}
spec:
  jwtRules: [{{issuer: 'https://idp.example', jwks: {keys}}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: members, namespace: shop}}
spec:
  rules: [{{from: [{{source: {{requestPrincipals: ['https://idp.example/ann']}}}}]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: no-admin, namespace: shop}}
spec:
  action: DENY
  rules: [{{to: [{{operation: {{paths: ['/admin*']}}}}]}}]
"
    )
}

/// A fault for requests with `x-fault`, on every host of a gateway.
const FAULT: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: ['*']
  gateways: [edge]
  http:
  - match: [{headers: {x-fault: {exact: '1'}}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: shop}}]
  - route: [{destination: {host: shop}}]
";

/// Token 401, authorization 403, fault 418, and 200 for who may pass.
fn decides(envoy: &envoy::Envoy) {
    let (ann, bob) = (format!("Bearer {}", token("ann")), format!("Bearer {}", token("bob")));
    let forged = format!("{}x", &ann[..ann.len() - 4]);
    for (path, headers, status) in [
        ("/", vec![("authorization", ann.as_str())], 200),
        ("/", vec![], 403),
        ("/", vec![("authorization", bob.as_str())], 403),
        ("/admin/users", vec![("authorization", ann.as_str())], 403),
        ("/", vec![("authorization", forged.as_str())], 401),
        ("/", vec![("authorization", ann.as_str()), ("x-fault", "1")], 418),
        ("/", vec![("x-fault", "1")], 403),
    ] {
        assert_eq!(envoy.get(path, &headers).status, Some(status), "{path} {headers:?}");
    }
}
