//! What `outrigger` alone offers to paste into a shell. A test runs it.

/// Two examples that need no file.
pub const TRY_IT: &str = "\
Ask what would happen to one request:

outrigger explain 'GET http://shop.example/v1/cart?id=7' --role sidecar -f - <<'EOF'
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  http:
  - match: [{uri: {prefix: /v1/}}]
    rewrite: {uri: /}
    route:
    - {destination: {host: shop-v1, port: {number: 8080}}, weight: 75}
    - {destination: {host: shop-v2, port: {number: 8080}}, weight: 25}
EOF

Run a gateway (then `curl -H 'Host: hello.example' localhost:8080`):

outrigger run --port 80=8080 -f - <<'EOF'
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [hello.example]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello}
spec:
  hosts: [hello.example]
  gateways: [edge]
  http: [{directResponse: {status: 200, body: {string: \"hello from Envoy\\n\"}}}]
EOF";
