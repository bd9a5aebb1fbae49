//! Whether a sidecar would take the connection at all: what its port asks of the peer's certificate.

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicies};
use outrigger_api::{Direction, Proxy, Resource};

use super::answer::Mtls;
use super::question::Question;

/// What the port asks. `None`: the question is not about a sidecar's inbound port.
pub(super) fn mtls(resources: &[Resource], proxy: &Proxy, question: &Question) -> Option<Mtls> {
    if proxy.direction != Some(Direction::Inbound) {
        return None;
    }
    let policies = PeerPolicies::of(resources, &proxy.namespace, &proxy.labels, &proxy.root_namespace);
    let policy = policies.of_port(question.line.port);
    Some(Mtls {
        mode: policy.mode.as_str(),
        policy: policy.by.map(Resource::id),
        file: policy.by.and_then(|resource| resource.source.file.as_deref()).map(str::to_owned),
        line: policy.by.and_then(|resource| resource.position("spec")).map(|position| position.line),
    })
}

/// Why the connection is refused, if it is.
pub(super) fn refused(mtls: &Mtls, proxy: &Proxy, question: &Question) -> Option<&'static str> {
    let is = |mode: PeerMode| mtls.mode == mode.as_str();
    let trusted = |peer: &str| {
        let mut domains = std::iter::once(&proxy.trust_domain).chain(&proxy.trust_domain_aliases);
        domains.any(|domain| {
            peer.strip_prefix("spiffe://")
                .and_then(|rest| rest.strip_prefix(domain.as_str()))
                .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    match &question.peer {
        None if is(PeerMode::Strict) => {
            Some("the port takes mutual TLS only, and the peer has no certificate (--peer)")
        }
        Some(_) if is(PeerMode::Disable) => {
            Some("the port takes plain text only, and the peer comes with a certificate")
        }
        Some(peer) if !trusted(peer) => Some("the peer's certificate is of another trust domain"),
        _ => None,
    }
}
