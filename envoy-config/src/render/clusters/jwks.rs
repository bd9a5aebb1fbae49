//! The clusters that keys of tokens are fetched through. They take requests to any host: which one that is, the filter
//! says, and for an issuer that has to be asked it is known only then.

use std::collections::BTreeSet;
use std::path::Path;

use outrigger_api::Problem;
use outrigger_core::jwt::fetch::{CLUSTER, Location, SECURE_CLUSTER, Source};

use super::{HTTP_OPTIONS, build, tls};
use crate::credentials::{self, Credentials};
use crate::envoy::Any;
use crate::envoy::cluster::{
    Cluster, ExplicitVersion, HttpProtocolOptions, HttpVersion, UpstreamProtocolOptions,
};
use crate::envoy::scalars::Empty;
use crate::envoy::tls::{CommonTlsContext, UpstreamTlsContext, Validation, ValidationContext};
use crate::envoy::wasm::LocalFile;
use crate::render::problems;
use crate::render::secrets::Secrets;

/// The names of the clusters that `sources` need.
pub(in crate::render) fn names(sources: &[Source]) -> BTreeSet<&'static str> {
    let of = |source: &Source| {
        let first = source.uri().cluster();
        // An issuer that is asked in plain text may have its keys either way.
        let second = matches!(source.location, Location::Discovery(_)).then_some(SECURE_CLUSTER);
        std::iter::once(first).chain(second)
    };
    sources.iter().flat_map(of).collect()
}

/// The cluster of that name.
///
/// # Errors
/// There is nothing to verify servers by.
pub(super) fn cluster(
    name: &'static str,
    credentials: &Credentials<'_>,
    secrets: &mut Secrets,
) -> Result<Cluster, Box<Problem>> {
    if name == CLUSTER {
        return Ok(build::requested(name.to_owned(), false));
    }
    let no_roots = || {
        let message =
            "keys of tokens are fetched over TLS, and this machine has no authorities to verify that by";
        let hint =
            "name a file of them in the environment variable SSL_CERT_FILE, or give the keys in `jwks`";
        Box::new(problems::whole(credentials::ABSENT, message.to_owned(), hint))
    };
    let path = tls::roots_of_this_machine().ok_or_else(no_roots)?;
    let roots = tls::authorities_in_files(credentials, secrets, &path, None).map_err(|_| no_roots())?;
    Ok(secured(
        name,
        Validation::CombinedValidationContext {
            default_validation_context: ValidationContext::default(),
            validation_context_sds_secret_config: roots,
        },
    ))
}

/// The same for an Envoy elsewhere, whose machine has the authorities in a file.
pub(in crate::render) fn elsewhere(name: &str, authorities: &Path) -> Cluster {
    if name == CLUSTER {
        return build::requested(name.to_owned(), false);
    }
    let trusted_ca = Some(LocalFile { filename: authorities.to_owned() });
    secured(name, Validation::ValidationContext(ValidationContext { trusted_ca, ..Default::default() }))
}

fn secured(name: &str, validation: Validation) -> Cluster {
    let mut cluster = build::requested(name.to_owned(), false);
    let context = UpstreamTlsContext {
        common_tls_context: CommonTlsContext { validation: Some(validation), ..CommonTlsContext::upstream() },
        sni: String::new(),
        auto_host_sni: false,
        auto_sni_san_validation: false,
    };
    cluster.transport_socket = Some(context.socket());
    let version = HttpVersion::ExplicitHttpConfig(ExplicitVersion::HttpProtocolOptions(Empty {}));
    let options = HttpProtocolOptions {
        upstream_http_protocol_options: UpstreamProtocolOptions { auto_sni: true, auto_san_validation: true },
        ..HttpProtocolOptions::of(version)
    };
    cluster.typed_extension_protocol_options.insert(HTTP_OPTIONS, Any::HttpProtocolOptions(options));
    cluster
}
