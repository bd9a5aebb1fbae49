//! What a server of a Gateway, or a listener of a Sidecar, shows its clients and asks of them.

use std::time::{SystemTime, UNIX_EPOCH};

use outrigger_api::problem::{Severity, code};
use outrigger_api::types::gateway::{CertificateSource, ServerTls, ServerTlsMode, TlsVersion};
use outrigger_api::{Problem, Resource};

use super::Context;
use crate::credentials::{Authorities, KeyPair, Revoked, Trouble};
use crate::envoy::scalars::StringMatcher;
use crate::envoy::secret::Content;
use crate::envoy::tls::{
    DownstreamTlsContext, SdsSecretConfig, SubjectAltName, TlsParameters, ValidationContext,
};
use crate::render::problems;
use crate::render::secrets::ROOTS;
use crate::render::tls::downstream::{self, Clients, HTTP_PROTOCOLS, Server};

/// Where a server is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::render::listeners) struct Place<'r> {
    /// In this resource.
    pub(in crate::render::listeners) resource: &'r Resource,
    /// In this list of its `spec`.
    pub(in crate::render::listeners) list: &'static str,
    /// There.
    pub(in crate::render::listeners) index: usize,
}

impl Place<'_> {
    /// The path of one of its fields.
    pub(in crate::render::listeners) fn path(&self, field: &str) -> String {
        format!("spec.{}[{}].{field}", self.list, self.index)
    }
}

/// The context of a server that ends TLS. `None`: something is wrong, and the context's problems say what.
pub(in crate::render::listeners) fn context(
    place: &Place<'_>,
    tls: &ServerTls,
    context: &mut Context<'_>,
) -> Option<DownstreamTlsContext> {
    if tls.mode == ServerTlsMode::IstioMutual {
        return of_mesh(place, tls, context);
    }
    let params = params(place, tls, context);
    let certificates = certificates(place, tls, context);
    let clients = clients(place, tls, context);
    let protocols = HTTP_PROTOCOLS.to_vec();
    Some(downstream::context(Server {
        certificates: certificates?,
        clients: clients?,
        params: params?,
        protocols,
    }))
}

/// With the certificate of this proxy's own workload.
fn of_mesh(place: &Place<'_>, tls: &ServerTls, context: &mut Context<'_>) -> Option<DownstreamTlsContext> {
    let Some(identity) = &context.options.identity else {
        let message = "ISTIO_MUTUAL needs a certificate of the mesh, and this proxy has none";
        let problem =
            place.resource.error(&place.path("tls.mode"), problems::NO_IDENTITY, message.to_owned());
        let hint = "make one with `outrigger certs issue`, and name its folder with `--certs`".to_owned();
        context.problems.push(Problem { hint: Some(hint), ..problem });
        return None;
    };
    let authorities = match &tls.ca_crl {
        None => context.secrets.roots(identity),
        Some(path) => {
            let field = place.path("tls.caCrl");
            let found = context.credentials.revoked_in_file(&identity.roots, path);
            let revoked = usable(place, &field, found, context)?;
            check_revoked(place, &field, revoked.as_ref(), context);
            let lists = revoked.map(|revoked| revoked.lists);
            let content = Content::ValidationContext { trusted_ca: identity.roots.clone(), crl: lists };
            context.secrets.ask_for(&format!("{ROOTS}~{path}"), content)
        }
    };
    let clients = Clients::Verified { required: true, authorities, asks: asks(tls) };
    Some(downstream::context(Server::of_mesh(identity, context.secrets, clients)))
}

/// Istio's effective default is TLS 1.2 to 1.3, which is Envoy's own.
fn params(place: &Place<'_>, tls: &ServerTls, context: &mut Context<'_>) -> Option<TlsParameters> {
    let version = |version| match version {
        TlsVersion::V1_0 => "TLSv1_0",
        TlsVersion::V1_1 => "TLSv1_1",
        TlsVersion::V1_2 => "TLSv1_2",
        TlsVersion::V1_3 => "TLSv1_3",
    };
    let lowest = tls.min_protocol_version.unwrap_or(TlsVersion::V1_2);
    if tls.max_protocol_version.is_some_and(|highest| highest < lowest) {
        let message = "no version of TLS is left: `maxProtocolVersion` is below the lowest one";
        let problem = place.resource.error(&place.path("tls.maxProtocolVersion"), code::SCHEMA, message);
        let hint = "without `minProtocolVersion` the lowest is TLS 1.2".to_owned();
        context.problems.push(Problem { hint: Some(hint), ..problem });
        return None;
    }
    Some(TlsParameters {
        tls_minimum_protocol_version: tls.min_protocol_version.map(version),
        tls_maximum_protocol_version: tls.max_protocol_version.map(version),
        cipher_suites: tls.cipher_suites.clone(),
    })
}

/// Its own certificates.
fn certificates(
    place: &Place<'_>,
    tls: &ServerTls,
    context: &mut Context<'_>,
) -> Option<Vec<SdsSecretConfig>> {
    let mut all = Some(Vec::new());
    for (at, source) in tls.certificates.iter().enumerate() {
        let path = place.path(&field(place, at, source));
        let (name, pair) = match source {
            CertificateSource::Credential(name) => (credential(name), context.credentials.key_pair(name)),
            // Istio takes no more.
            CertificateSource::Files { .. } if at > 1 => break,
            CertificateSource::Files { certificate, private_key, .. } => (
                format!("file-cert:{certificate}~{private_key}"),
                context.credentials.key_pair_in_files(certificate, private_key),
            ),
        };
        let Some(pair) = usable(place, &path, pair, context) else {
            all = None;
            continue;
        };
        expiry(place, &path, "certificate", pair.ends, context);
        let KeyPair { chain, key, .. } = pair;
        let content = Content::TlsCertificate { certificate_chain: chain, private_key: key };
        let config = context.secrets.ask_for(&name, content);
        if let Some(all) = &mut all {
            all.push(config);
        }
    }
    all
}

/// What becomes of its clients' certificates.
fn clients(place: &Place<'_>, tls: &ServerTls, context: &mut Context<'_>) -> Option<Clients> {
    let required = match tls.mode {
        ServerTlsMode::Mutual => true,
        ServerTlsMode::OptionalMutual => false,
        _ => {
            no_effect(place, tls, context);
            return Some(Clients::Any);
        }
    };
    // Envoy requires a certificate only where there are authorities, even if whoever has signed it will do.
    let whoever = tls.insecure_skip_verify.then_some("ACCEPT_UNTRUSTED");
    let asks = ValidationContext { trust_chain_verification: whoever, ..asks(tls) };
    let by_credential = tls.certificates.iter().find_map(|source| match source {
        CertificateSource::Credential(name) => Some((source, name)),
        CertificateSource::Files { .. } => None,
    });
    // A server whose certificate comes from a Secret has its authorities from one too, whatever file is named beside it.
    let (path, name, authorities) = match (by_credential, &tls.ca_cert_credential_name) {
        (None, _) => {
            // The decoder has refused a server without any.
            let file = tls.ca_certificates.as_ref()?;
            let revoked = tls.ca_crl.as_deref();
            let name = format!("file-root:{file}{}", revoked.map(|it| format!("~{it}")).unwrap_or_default());
            ("caCertificates".to_owned(), name, context.credentials.authorities_in_files(file, revoked))
        }
        (Some(_), Some(name)) => (
            "caCertCredentialName".to_owned(),
            format!("{}-cacert", credential(name.trim_end_matches("-cacert"))),
            context.credentials.authorities(name),
        ),
        (Some((source, name)), None) => {
            let path = field(place, 0, source).trim_start_matches("tls.").to_owned();
            (path, format!("{}-cacert", credential(name)), context.credentials.authorities(name))
        }
    };
    for (field, given) in [
        ("caCertificates", by_credential.is_some() && tls.ca_certificates.is_some()),
        ("caCertCredentialName", by_credential.is_none() && tls.ca_cert_credential_name.is_some()),
    ] {
        if given {
            let message = format!(
                "`{field}` has no effect: clients are judged by {}",
                match by_credential {
                    Some(_) => "the authorities in the Secret, as under Istio",
                    None => "`caCertificates`",
                }
            );
            let path = place.path(&format!("tls.{field}"));
            let problem = place.resource.error(&path, code::WARNING, message);
            context.warnings.push(Problem { severity: Severity::Warning, ..problem });
        }
    }
    let path = place.path(&format!("tls.{path}"));
    let Authorities { certificates, revoked, ends } = usable(place, &path, authorities, context)?;
    expiry(place, &path, "last of the authorities", ends, context);
    check_revoked(place, &path, revoked.as_ref(), context);
    let content =
        Content::ValidationContext { trusted_ca: certificates, crl: revoked.map(|revoked| revoked.lists) };
    let authorities = context.secrets.ask_for(&name, content);
    Some(Clients::Verified { required, authorities, asks })
}

/// What is asked of a client's certificate besides who has signed it.
fn asks(tls: &ServerTls) -> ValidationContext {
    // Istio does not say of which kind a name is.
    let kinds = ["URI", "DNS", "EMAIL", "IP_ADDRESS"];
    let names = tls.subject_alt_names.iter().flat_map(|name| {
        kinds.map(|san_type| SubjectAltName { san_type, matcher: StringMatcher::Exact(name.clone()) })
    });
    ValidationContext {
        match_typed_subject_alt_names: names.collect(),
        verify_certificate_spki: tls.verify_certificate_spki.clone(),
        verify_certificate_hash: tls.verify_certificate_hash.clone(),
        ..ValidationContext::default()
    }
}

/// A server that asks for no certificate can ask nothing of it.
fn no_effect(place: &Place<'_>, tls: &ServerTls, context: &mut Context<'_>) {
    for (field, given) in [
        ("subjectAltNames", !tls.subject_alt_names.is_empty()),
        ("verifyCertificateSpki", !tls.verify_certificate_spki.is_empty()),
        ("verifyCertificateHash", !tls.verify_certificate_hash.is_empty()),
    ] {
        if given {
            let message = format!("`{field}` has no effect: mode SIMPLE asks for no client certificate");
            let path = place.path(&format!("tls.{field}"));
            let problem = place.resource.error(&path, code::WARNING, message);
            let hint = Some("use MUTUAL or OPTIONAL_MUTUAL".to_owned());
            context.warnings.push(Problem { severity: Severity::Warning, hint, ..problem });
        }
    }
}

fn usable<T>(
    place: &Place<'_>,
    path: &str,
    found: Result<T, Trouble>,
    context: &mut Context<'_>,
) -> Option<T> {
    found.map_err(|trouble| context.problems.push(trouble.of(place.resource, path))).ok()
}

/// Lists by which Envoy refuses clients that nobody has revoked.
fn check_revoked(place: &Place<'_>, path: &str, revoked: Option<&Revoked>, context: &mut Context<'_>) {
    let Some(revoked) = revoked else { return };
    let mut warn = |message: String, hint: &str| {
        let problem = place.resource.error(path, problems::EXPIRED, message);
        let hint = Some(hint.to_owned());
        context.warnings.push(Problem { severity: Severity::Warning, hint, ..problem });
    };
    if revoked.ends.is_some_and(is_past) {
        let message = "a list of revoked certificates has expired: every client is refused";
        warn(message.to_owned(), "put the authority's new list in its place");
    }
    if let Some(authority) = &revoked.without {
        let message =
            format!("authority `{authority}` has no list of revoked certificates: its clients are refused");
        warn(message, "with a list of one authority Envoy wants one of each: add it, even an empty one");
    }
}

fn expiry(place: &Place<'_>, path: &str, what: &str, ends: i64, context: &mut Context<'_>) {
    if is_past(ends) {
        let message = format!("the {what} has expired: clients will refuse the connection, or be refused");
        let problem = place.resource.error(path, problems::EXPIRED, message);
        context.warnings.push(Problem { severity: Severity::Warning, ..problem });
    }
}

/// `moment`: in seconds since 1970.
fn is_past(moment: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(now).is_ok_and(|now| moment < now)
}

/// Where the source of a certificate stands.
fn field(place: &Place<'_>, at: usize, source: &CertificateSource) -> String {
    let servers = place.resource.node.get("spec").and_then(|spec| spec.get(place.list));
    let items = match servers.map(|servers| &servers.value) {
        Some(outrigger_api::node::Value::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    let has = |name| {
        let tls = items.get(place.index).and_then(|server| server.get("tls"));
        tls.is_some_and(|tls| tls.get(name).is_some())
    };
    match source {
        CertificateSource::Credential(_) if has("credentialNames") => format!("tls.credentialNames[{at}]"),
        CertificateSource::Credential(_) => "tls.credentialName".to_owned(),
        CertificateSource::Files { .. } if has("tlsCertificates") => format!("tls.tlsCertificates[{at}]"),
        CertificateSource::Files { .. } => "tls.serverCertificate".to_owned(),
    }
}

/// As Istio names the secret of a credential.
fn credential(name: &str) -> String {
    if name.contains("://") { name.to_owned() } else { format!("kubernetes://{name}") }
}
