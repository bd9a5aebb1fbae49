//! The filter chains of a port of the application, by the mode of mutual TLS that PeerAuthentications say.

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicy};
use outrigger_api::{Problem, Proxy, Severity};

use super::{Chain, Content};
use crate::envoy::listener::FilterChainMatch;
use crate::envoy::scalars::StringMatcher;
use crate::envoy::tls::{DownstreamTlsContext, SubjectAltName, ValidationContext};
use crate::identity::Identity;
use crate::render::options::Options;
use crate::render::problems;
use crate::render::secrets::Secrets;
use crate::render::tls::downstream::{Clients, Server, context};

/// What clients of the mesh offer above TLS. By it a permissive port tells them from those that speak TLS with the
/// application itself.
const MESH_PROTOCOLS: [&str; 5] =
    ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

/// The chains of the application's `port`, on which `content` is spoken.
///
/// # Errors
/// Only mutual TLS is to be accepted, and the proxy has no certificate.
pub(super) fn chains(
    policy: PeerPolicy<'_>,
    port: u16,
    content: Content,
    proxy: &Proxy,
    options: &Options,
    secrets: &mut Secrets,
) -> Result<Vec<Chain>, Box<Problem>> {
    let Some(identity) = &options.identity else {
        return match policy.mode {
            PeerMode::Strict => Err(Box::new(without_certificate(policy, port))),
            PeerMode::Permissive | PeerMode::Disable => Ok(vec![Chain::only(content)]),
        };
    };
    let mtls = |protocols: &[&'static str], secrets: &mut Secrets| Chain {
        name: "mtls".to_owned(),
        matches: FilterChainMatch {
            transport_protocol: Some("tls"),
            application_protocols: protocols.to_vec(),
            ..FilterChainMatch::default()
        },
        tls: Some(of_mesh(identity, proxy, secrets)),
        content: content.clone(),
    };
    let as_it_is = |name: &str, transport_protocol| Chain {
        name: name.to_owned(),
        matches: FilterChainMatch { transport_protocol, ..FilterChainMatch::default() },
        tls: None,
        content: content.clone(),
    };
    let plain = || as_it_is("plain", Some("raw_buffer"));
    // An application whose bytes are passed on may speak TLS itself.
    let passed_on = matches!(content, Content::Tcp(_));
    Ok(match policy.mode {
        PeerMode::Strict => vec![mtls(&[], secrets)],
        PeerMode::Permissive if passed_on => {
            vec![mtls(&MESH_PROTOCOLS, secrets), plain(), as_it_is("tls", Some("tls"))]
        }
        PeerMode::Permissive => vec![mtls(&MESH_PROTOCOLS, secrets), plain()],
        // Nothing is waited for, so that a server may be the first to speak.
        PeerMode::Disable if passed_on => vec![as_it_is("plain", None)],
        PeerMode::Disable => vec![plain()],
    })
}

/// A word on a port that may be spoken to by mutual TLS, and can't without a certificate.
pub(super) fn plain_text_only(policy: PeerPolicy<'_>, port: u16, options: &Options) -> Option<Problem> {
    if policy.mode != PeerMode::Permissive || options.identity.is_some() {
        return None;
    }
    let message = format!(
        "port {port} of the application accepts plain text only: mutual TLS, which PERMISSIVE allows too, needs a \
         certificate"
    );
    let hint = "name one by `--certs DIR`, which `outrigger certs issue` makes";
    Some(Problem { severity: Severity::Warning, ..problems::whole(problems::NO_IDENTITY, message, hint) })
}

/// TLS with a client that shows a certificate of the mesh: of its own trust domain, or of an alias.
fn of_mesh(identity: &Identity, proxy: &Proxy, secrets: &mut Secrets) -> DownstreamTlsContext {
    let domains = std::iter::once(&proxy.trust_domain).chain(&proxy.trust_domain_aliases);
    let peers = domains.map(|domain| SubjectAltName {
        san_type: "URI",
        matcher: StringMatcher::Prefix(format!("spiffe://{domain}/")),
    });
    let asks =
        ValidationContext { match_typed_subject_alt_names: peers.collect(), ..ValidationContext::default() };
    let clients = Clients::Verified { required: true, authorities: secrets.roots(identity), asks };
    context(Server::of_mesh(identity, secrets, clients))
}

fn without_certificate(policy: PeerPolicy<'_>, port: u16) -> Problem {
    let message = format!("port {port} is to accept mutual TLS only, and this proxy has no certificate");
    let hint = "name one by `--certs DIR`, which `outrigger certs issue` makes; with `mode: PERMISSIVE` plain text is \
                accepted too"
        .to_owned();
    let Some(resource) = policy.by else {
        return problems::whole(problems::NO_IDENTITY, message, &hint);
    };
    let of_port = format!("spec.portLevelMtls.{port}");
    let path = if resource.position(&of_port) == resource.position("spec.portLevelMtls") {
        "spec.mtls.mode".to_owned()
    } else {
        of_port
    };
    Problem { hint: Some(hint), ..resource.error(&path, problems::NO_IDENTITY, message) }
}
