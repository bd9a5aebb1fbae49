//! What is below the protocol: plain text, TLS as a DestinationRule says, or mutual TLS of the mesh.

use std::path::Path;

use outrigger_api::types::destination_rule::{ClientTls, ClientTlsMode, ProxyProtocolVersion};
use outrigger_api::{Problem, Proxy};
use outrigger_core::route::Destination;

use super::discovery::{Endpoints, Found, Workload};
use super::settings::Placed;
use crate::credentials::{self, Credentials, Trouble};
use crate::envoy::Any;
use crate::envoy::any::{Extension, ProxyProtocolConfig};
use crate::envoy::cluster::{Cluster, TransportSocketMatch, UpstreamProtocolOptions};
use crate::envoy::scalars::StringMatcher;
use crate::envoy::secret::Content;
use crate::envoy::tls::{
    CommonTlsContext, SdsSecretConfig, SubjectAltName, UpstreamTlsContext, Validation, ValidationContext,
};
use crate::identity::Identity;
use crate::render::problems;
use crate::render::secrets::Secrets;

/// The key that Envoy matches endpoints by.
pub(super) const MATCH: &str = "envoy.transport_socket_match";
/// What is said of an endpoint that has a certificate of the mesh.
pub(super) const TLS_MODE: (&str, &str) = ("tlsMode", "istio");

/// Where systems keep the authorities that they trust: Debian, Alpine; Fedora; RHEL; SUSE; BSD.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What TLS is made with.
#[derive(Debug)]
pub(super) struct Means<'m, 'r> {
    /// Certificates that resources name.
    pub(super) credentials: &'m Credentials<'r>,
    /// Who this proxy is in the mesh.
    pub(super) identity: Option<&'m Identity>,
    /// Where certificates for Envoy are put.
    pub(super) secrets: &'m mut Secrets,
    /// Who asks.
    pub(super) proxy: &'m Proxy,
}

/// TLS with the endpoints of a destination.
#[derive(Debug)]
pub(super) struct Tls {
    context: UpstreamTlsContext,
    /// What HTTP asks of it.
    pub(super) options: UpstreamProtocolOptions,
    /// Only with the endpoints that have a certificate of the mesh.
    by_endpoint: bool,
}

impl Means<'_, '_> {
    /// What a destination gets. `None`: plain text. `http2`: HTTP/2 is spoken above it.
    ///
    /// # Errors
    /// A certificate that is not there, or can't be used.
    pub(super) fn tls(
        &mut self,
        destination: &Destination,
        found: &Found<'_>,
        said: Option<&Placed<'_, ClientTls>>,
        http2: bool,
    ) -> Result<Option<Tls>, Box<Problem>> {
        let Some(said) = said else {
            // Where nothing is said, workloads of the mesh that have a certificate are asked for it.
            let automatic = found.in_mesh && !matches!(found.endpoints, Endpoints::Requested);
            let identity = self.identity.filter(|_| automatic);
            return Ok(identity.map(|identity| {
                let context = self.of_mesh(identity, destination, found, &ClientTls::default(), http2);
                Tls { context, options: UpstreamProtocolOptions::default(), by_endpoint: true }
            }));
        };
        match said.value.mode {
            ClientTlsMode::Disable => Ok(None),
            ClientTlsMode::IstioMutual => {
                let Some(identity) = self.identity else {
                    let message =
                        "`ISTIO_MUTUAL` shows the certificate of this proxy's workload, which has none";
                    let hint = "give it one with `--certs DIR`; `outrigger certs issue` makes it";
                    let path = format!("{}.mode", said.path);
                    let problem = said.resource.error(&path, problems::NO_IDENTITY, message);
                    return Err(Box::new(Problem { hint: Some(hint.to_owned()), ..problem }));
                };
                let context = self.of_mesh(identity, destination, found, said.value, http2);
                let options = UpstreamProtocolOptions::default();
                Ok(Some(Tls { context, options, by_endpoint: false }))
            }
            ClientTlsMode::Simple | ClientTlsMode::Mutual => {
                self.of_service(destination, found, said, http2).map(Some)
            }
        }
    }

    fn of_mesh(
        &mut self,
        identity: &Identity,
        destination: &Destination,
        found: &Found<'_>,
        said: &ClientTls,
        http2: bool,
    ) -> UpstreamTlsContext {
        let names = if said.subject_alt_names.is_empty() {
            mesh_names(found, self.proxy)
        } else {
            said.subject_alt_names.clone()
        };
        let validation = Validation::CombinedValidationContext {
            default_validation_context: ValidationContext {
                match_typed_subject_alt_names: names.iter().map(|name| alt_name(name)).collect(),
                ..ValidationContext::default()
            },
            validation_context_sds_secret_config: self.secrets.roots(identity),
        };
        let mut alpn_protocols = vec!["istio-peer-exchange", "istio"];
        alpn_protocols.extend(http2.then_some("h2"));
        UpstreamTlsContext {
            common_tls_context: CommonTlsContext {
                tls_certificate_sds_secret_configs: vec![self.secrets.workload(identity)],
                validation: Some(validation),
                alpn_protocols,
                ..CommonTlsContext::upstream()
            },
            sni: said.sni.clone().unwrap_or_else(|| mesh_sni(destination)),
            auto_host_sni: false,
            auto_sni_san_validation: false,
        }
    }

    fn of_service(
        &mut self,
        destination: &Destination,
        found: &Found<'_>,
        said: &Placed<'_, ClientTls>,
        http2: bool,
    ) -> Result<Tls, Box<Problem>> {
        let tls = said.value;
        let field = |trouble: Trouble, name: &str| {
            Box::new(trouble.of(said.resource, &format!("{}.{name}", said.path)))
        };
        let mutual = tls.mode == ClientTlsMode::Mutual;
        let certificate = match &tls.credential_name {
            _ if !mutual => None,
            Some(name) => Some(self.certificate(name).map_err(|trouble| field(trouble, "credentialName"))?),
            None => self.certificate_in_files(tls).map_err(|trouble| field(trouble, "clientCertificate"))?,
        };
        let names = match tls.subject_alt_names.as_slice() {
            [] => found.alt_names,
            names => names,
        };
        let verified = tls.insecure_skip_verify != Some(true);
        let asks = ValidationContext {
            match_typed_subject_alt_names: names.iter().map(|name| alt_name(name)).collect(),
            ..ValidationContext::default()
        };
        // `system` is Istio's word for those of the machine.
        let files = tls.ca_certificates.as_ref().filter(|path| path.as_str() != "system");
        let authorities = match (&tls.credential_name, files) {
            _ if !verified => None,
            (Some(name), _) => {
                Some(self.authorities(name).map_err(|trouble| field(trouble, "credentialName"))?)
            }
            (None, Some(path)) => {
                let found = self.authorities_in_files(path, tls.ca_crl.as_deref());
                Some(found.map_err(|trouble| field(trouble, "caCertificates"))?)
            }
            (None, None) => Some(self.of_this_machine(said)?),
        };
        let validation = authorities.map(|authorities| Validation::CombinedValidationContext {
            default_validation_context: asks,
            validation_context_sds_secret_config: authorities,
        });
        let by_request = tls.sni.is_none();
        let context = UpstreamTlsContext {
            common_tls_context: CommonTlsContext {
                tls_certificate_sds_secret_configs: certificate.into_iter().collect(),
                validation,
                alpn_protocols: if http2 { vec!["h2"] } else { Vec::new() },
                ..CommonTlsContext::upstream()
            },
            // A request's own host takes the place of this one; a health check has none.
            sni: tls.sni.clone().unwrap_or_else(|| plain_host(destination)),
            auto_host_sni: false,
            auto_sni_san_validation: verified && by_request && names.is_empty(),
        };
        let options = UpstreamProtocolOptions {
            auto_sni: by_request,
            auto_san_validation: verified
                && by_request
                && names.is_empty()
                && matches!(found.endpoints, Endpoints::Requested),
        };
        Ok(Tls { context, options, by_endpoint: false })
    }

    fn certificate(&mut self, name: &str) -> Result<SdsSecretConfig, Trouble> {
        let pair = self.credentials.key_pair(name)?;
        let content = Content::TlsCertificate { certificate_chain: pair.chain, private_key: pair.key };
        Ok(self.secrets.ask_for(&format!("client:{name}"), content))
    }

    /// `None`: they are not named, which has been refused.
    fn certificate_in_files(&mut self, tls: &ClientTls) -> Result<Option<SdsSecretConfig>, Trouble> {
        let (Some(chain), Some(key)) = (&tls.client_certificate, &tls.private_key) else { return Ok(None) };
        let pair = self.credentials.key_pair_in_files(chain, key)?;
        let content = Content::TlsCertificate { certificate_chain: pair.chain, private_key: pair.key };
        Ok(Some(self.secrets.ask_for(&format!("file-cert:{chain}~{key}"), content)))
    }

    fn authorities(&mut self, name: &str) -> Result<SdsSecretConfig, Trouble> {
        let found = self.credentials.authorities(name)?;
        let content = Content::ValidationContext {
            trusted_ca: found.certificates,
            crl: found.revoked.map(|revoked| revoked.lists),
        };
        Ok(self.secrets.ask_for(&format!("client:{name}-cacert"), content))
    }

    fn authorities_in_files(
        &mut self,
        path: &str,
        revoked: Option<&str>,
    ) -> Result<SdsSecretConfig, Trouble> {
        authorities_in_files(self.credentials, self.secrets, path, revoked)
    }

    /// The authorities that this machine trusts.
    fn of_this_machine(&mut self, said: &Placed<'_, ClientTls>) -> Result<SdsSecretConfig, Box<Problem>> {
        let Some(path) = roots_of_this_machine() else {
            let message = "no authorities are named to verify the service by, and this machine has none";
            let hint = "name a file in `caCertificates`, or in the environment variable SSL_CERT_FILE";
            let problem = said.resource.error(&said.path, credentials::ABSENT, message);
            return Err(Box::new(Problem { hint: Some(hint.to_owned()), ..problem }));
        };
        self.authorities_in_files(&path, None)
            .map_err(|trouble| Box::new(trouble.of(said.resource, &said.path)))
    }
}

/// The file with the authorities that this machine trusts. Envoy finds it by no name.
pub(super) fn roots_of_this_machine() -> Option<String> {
    let named = std::env::var("SSL_CERT_FILE").ok().filter(|path| !path.is_empty());
    let known = SYSTEM_ROOTS.iter().map(|path| (*path).to_owned());
    named.into_iter().chain(known).find(|path| Path::new(path).is_file())
}

/// The secret with the authorities of a file.
///
/// # Errors
/// The files can't be read, or have no certificate.
pub(super) fn authorities_in_files(
    credentials: &Credentials<'_>,
    secrets: &mut Secrets,
    path: &str,
    revoked: Option<&str>,
) -> Result<SdsSecretConfig, Trouble> {
    let found = credentials.authorities_in_files(path, revoked)?;
    let content = Content::ValidationContext {
        trusted_ca: found.certificates,
        crl: found.revoked.map(|revoked| revoked.lists),
    };
    let list = revoked.map(|list| format!("~{list}")).unwrap_or_default();
    Ok(secrets.ask_for(&format!("file-root:{path}{list}"), content))
}

/// Puts TLS, and the PROXY protocol around it, below a cluster's protocol.
pub(super) fn apply(cluster: &mut Cluster, tls: Option<Tls>, proxy_protocol: Option<ProxyProtocolVersion>) {
    let around = |socket: Extension| match proxy_protocol {
        Some(version) => proxy_protocol_around(version, socket),
        None => socket,
    };
    match tls {
        None => {
            cluster.transport_socket = proxy_protocol.map(|version| proxy_protocol_around(version, plain()))
        }
        Some(Tls { context, by_endpoint: false, .. }) => {
            cluster.transport_socket = Some(around(context.socket()));
        }
        Some(Tls { context, by_endpoint: true, .. }) => {
            let case = |name: &str, matches: &[(&'static str, &'static str)], socket| TransportSocketMatch {
                name: name.to_owned(),
                matches: matches.iter().copied().collect(),
                transport_socket: around(socket),
            };
            cluster.transport_socket_matches = vec![
                case("tlsMode-istio", &[TLS_MODE], context.socket()),
                case("tlsMode-disabled", &[], plain()),
            ];
        }
    }
}

fn plain() -> Extension {
    Extension::new("envoy.transport_sockets.raw_buffer", Any::RawBuffer {})
}

fn proxy_protocol_around(version: ProxyProtocolVersion, socket: Extension) -> Extension {
    let version = match version {
        ProxyProtocolVersion::V1 => "V1",
        ProxyProtocolVersion::V2 => "V2",
    };
    let config = ProxyProtocolConfig { version };
    let around = Any::ProxyProtocol { config, transport_socket: Box::new(socket) };
    Extension::new("envoy.transport_sockets.upstream_proxy_protocol", around)
}

/// As Istio's gateways route by it: `outbound_.80_.v1_.reviews.default.svc.cluster.local`.
fn mesh_sni(destination: &Destination) -> String {
    let subset = destination.subset.as_deref().unwrap_or_default();
    format!("outbound_.{}_.{subset}_.{}", destination.port, destination.host)
}

/// The SPIFFE IDs of a service's workloads, if all of them are known or the service itself gives names, and these names. While
/// a mesh moves to another trust domain, some workloads have their certificate of the one before.
fn mesh_names(found: &Found<'_>, proxy: &Proxy) -> Vec<String> {
    let workloads: &[Workload] = match &found.endpoints {
        Endpoints::Addresses(workloads) | Endpoints::Names(workloads) => workloads,
        Endpoints::RoundRobin(workload) => std::slice::from_ref(&**workload),
        Endpoints::Requested => &[],
    };
    let known: Vec<_> = workloads.iter().filter_map(|workload| workload.account.as_ref()).collect();
    let all = known.len() == workloads.len() || !found.alt_names.is_empty();
    let id = |(namespace, account): &(String, String)| {
        format!("spiffe://{}/ns/{namespace}/sa/{account}", proxy.trust_domain)
    };
    let mut names: Vec<_> = known.into_iter().filter(|_| all).map(id).collect();
    names.extend(found.alt_names.iter().cloned());
    let by_alias = |name: &String| -> Vec<String> {
        let Some((_, workload)) = name.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')) else {
            return Vec::new();
        };
        proxy.trust_domain_aliases.iter().map(|alias| format!("spiffe://{alias}/{workload}")).collect()
    };
    let more: Vec<_> = names.iter().flat_map(by_alias).collect();
    names.extend(more);
    names.sort();
    names.dedup();
    names
}

/// The kind of name that a text is, exactly this one.
fn alt_name(name: &str) -> SubjectAltName {
    let san_type = if name.parse::<std::net::IpAddr>().is_ok() {
        "IP_ADDRESS"
    } else if name.contains(':') {
        "URI"
    } else if name.contains('@') {
        "EMAIL"
    } else {
        "DNS"
    };
    SubjectAltName { san_type, matcher: StringMatcher::Exact(name.to_owned()) }
}

/// The host, unless it is a pattern or an address, which nobody can ask for.
fn plain_host(destination: &Destination) -> String {
    let host = destination.host.as_str();
    let usable = !host.contains('*') && host.parse::<std::net::IpAddr>().is_err();
    if usable { host.to_owned() } else { String::new() }
}
