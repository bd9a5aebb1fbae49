//! Requests to a registry: whom to trust, and what a failure means.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use super::error::RegistryError;
use crate::image::reference::Host;

const CONNECT: Duration = Duration::from_secs(10);
/// A registry that says nothing for so long says nothing more.
const SILENCE: Duration = Duration::from_secs(60);

/// A client for one registry and what it points to.
#[derive(Debug)]
pub(super) struct Transport {
    agent: Agent,
}

impl Transport {
    /// One that trusts the authorities of the system, and those of a file.
    pub(super) fn new(host: &Host, ca_file: Option<&Path>, is_tls: bool) -> Result<Self, RegistryError> {
        let roots = if is_tls { authorities(host, ca_file)? } else { Vec::new() };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(is_tls)
            .http_status_as_error(false)
            .user_agent(concat!("outrigger/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .proxy(if host.is_loopback() { None } else { Proxy::try_from_env() });
        Ok(Self { agent: config.build().into() })
    }

    /// Sends a request. Redirects are followed, without what makes us known if they lead to another host. One that has a body
    /// is the caller's to follow, who knows whether the body may go there.
    pub(super) fn send(&self, request: Request<Option<&[u8]>>) -> Result<Response<Body>, ureq::Error> {
        let (parts, body) = request.into_parts();
        match body {
            Some(body) => {
                let request = self.agent.configure_request(Request::from_parts(parts, body));
                self.agent.run(request.max_redirects(0).max_redirects_will_error(false).build())
            }
            None => self.agent.run(Request::from_parts(parts, ())),
        }
    }
}

fn authorities(host: &Host, ca_file: Option<&Path>) -> Result<Vec<Certificate<'static>>, RegistryError> {
    let mut all = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = ca_file {
        let failed = |why: String| RegistryError::CaFile { path: path.to_owned(), why };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let read = read.map_err(|error| failed(error.to_string()))?;
        if read.is_empty() {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        all.extend(read);
    }
    if all.is_empty() {
        return Err(RegistryError::NoAuthorities(host.to_string()));
    }
    Ok(all.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

/// What a failure to get any answer means.
pub(super) fn failure(host: &str, error: &ureq::Error) -> RegistryError {
    let host = host.to_owned();
    match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => RegistryError::NoTls(host),
        Some(rustls::Error::InvalidCertificate(why)) => {
            RegistryError::Certificate { host, why: why.to_string() }
        }
        Some(other) => RegistryError::Unreachable { host, why: other.to_string() },
        None => {
            if let ureq::Error::RequireHttpsOnly(to) = error {
                return RegistryError::Answer {
                    host,
                    why: format!("it leads to `{to}`, which is not `https`"),
                };
            }
            if matches!(error, ureq::Error::RedirectFailed | ureq::Error::TooManyRedirects) {
                return RegistryError::Answer { host, why: error.to_string() };
            }
            let why = match error {
                ureq::Error::Io(error) => error.to_string(),
                other => other.to_string(),
            };
            RegistryError::Unreachable { host, why }
        }
    }
}

fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}
