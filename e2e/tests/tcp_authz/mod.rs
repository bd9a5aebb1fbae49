//! AuthorizationPolicies on connections whose bytes are passed on, on real Envoy: by port, address, name and identity;
//! what is about HTTP; what is tried out; and servers that are asked about connections.

mod by_identity;
mod by_port;
mod identity;
mod proxy;
mod server;
mod sidecar;

use crate::ext_authz::policy;

/// The same with an annotation.
fn annotated(policy: &str, annotation: &str) -> String {
    policy.replacen('}', &format!(", annotations: {{{annotation}: 'true'}}}}"), 1)
}
