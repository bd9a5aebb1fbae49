//! A way for the load generator, which has no certificate, to a listener that asks for one: through the other Envoy.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use envoy_config::certs::{Authority, SpiffeId, TrustDomain, Wanted};
use serde_json::{Value, json};

use super::super::envoy::address;
use super::shapes::CLIENT;

/// Longer than any run.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The certificates of both ends.
pub(super) struct Certificates {
    server: Value,
    client: Value,
}

impl Certificates {
    /// New ones, in `folder`.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let domain: TrustDomain = "cluster.local".parse()?;
        let authority = Authority::create(&folder.join("ca"), &domain)?;
        let issue = |namespace, account| -> Result<Value> {
            let folder = folder.join(account);
            let id = SpiffeId::of_account("cluster.local", namespace, account)?;
            authority.issue(&Wanted { id, names: Vec::new(), lifetime: LIFETIME }, &folder)?;
            let file = |name: &str| json!({"filename": folder.join(name)});
            Ok(json!({
                "tls_certificates": [{"certificate_chain": file("cert-chain.pem"), "private_key": file("key.pem")}],
                "validation_context": {"trusted_ca": file("root-cert.pem")},
            }))
        };
        let (namespace, account) = CLIENT;
        Ok(Self { server: issue(namespace, "server")?, client: issue(namespace, account)? })
    }

    /// Has `listener` ask for a certificate.
    pub(super) fn guard(&self, listener: &mut Value) -> Result<()> {
        let chain = listener.pointer_mut("/filter_chains/0").context("a listener without a chain")?;
        chain["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": true,
                "common_tls_context": self.server,
            },
        });
        Ok(())
    }

    /// A listener on `from`, and its cluster: what comes in goes to `to` with the client's certificate.
    pub(super) fn tunnel(&self, from: u16, to: u16) -> (Value, Value) {
        let name = format!("tunnel-{to}");
        let proxy = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": name,
            "cluster": name,
        });
        let listener = json!({
            "name": name,
            "address": address(from),
            "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
        });
        let cluster = json!({
            "name": name,
            "type": "STATIC",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(to)}}]}],
            },
            "transport_socket": {
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                    "common_tls_context": self.client,
                },
            },
        });
        (listener, cluster)
    }
}
