//! Policies with `action: CUSTOM` on real Envoy: servers that are asked by HTTP and by gRPC, what they see, what becomes
//! of their answers, and what happens without them.

mod by_filter;
mod by_grpc;
mod by_http;
pub(crate) mod grpc_server;
mod http_server;
mod outages;
mod proxy;
mod tried_out;
mod unusable;
mod wire;

/// A policy that has a server asked about everything below a path.
fn asks(name: &str, provider: &str, path: &str) -> String {
    policy(
        name,
        &format!(
            "{{action: CUSTOM, provider: {{name: {provider}}}, rules: [{{to: [{{operation: {{paths: ['{path}']}}}}]}}]}}"
        ),
    )
}

/// An AuthorizationPolicy.
pub(crate) fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

/// The same, tried out.
fn tried(policy: &str) -> String {
    policy.replacen('}', ", annotations: {outrigger.io/dry-run: 'true'}}", 1)
}
