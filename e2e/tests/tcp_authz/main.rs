//! AuthorizationPolicies on connections whose bytes are passed on, on real Envoy: by port, address, name and identity;
//! what is about HTTP; what is tried out; and servers that are asked about connections.

mod by_identity;
mod by_port;
#[path = "../ext_authz/grpc_server.rs"]
#[allow(dead_code, reason = "requests have more to be asked about")]
mod grpc_server;
mod identity;
mod proxy;
mod server;
mod sidecar;
#[path = "../ext_authz/wire.rs"]
mod wire;

/// An AuthorizationPolicy.
fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

/// The same with an annotation.
fn annotated(policy: &str, annotation: &str) -> String {
    policy.replacen('}', &format!(", annotations: {{{annotation}: 'true'}}}}"), 1)
}
