//! A registry, and how it comes to know who asks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::http::request::Builder;
use ureq::http::{Request, Response, StatusCode, Uri};
use ureq::{Body, ResponseExt as _};

use super::auth::{self, Challenge};
use super::credentials::Login;
use super::error::RegistryError;
use super::location;
use super::transport::{Transport, failure};
use crate::image::reference::Host;

/// How much of an error's text is looked at.
const MAX_ERROR: u64 = 64 * 1024;

/// How often what is sent may be sent elsewhere: as often as other clients let it.
const MAX_REDIRECTS: usize = 10;

/// How to come to a registry.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Authorities to trust besides those of the system (PEM).
    pub ca_file: Option<PathBuf>,
    /// No TLS. Without it, only a registry on this machine may go without.
    pub plain_http: bool,
    /// Who asks, if not as Docker's configuration says.
    pub login: Option<Login>,
}

/// A registry that has answered.
#[derive(Debug)]
pub struct Registry {
    host: Host,
    /// Scheme and address.
    origin: String,
    transport: Transport,
    login: Option<Login>,
    /// What makes us known, by what it is good for.
    granted: RefCell<HashMap<String, String>>,
}

impl Registry {
    /// Finds out how to speak to a registry, and who asks.
    ///
    /// # Errors
    /// It can't be reached, or what makes us known can't be read.
    pub fn connect(host: &Host, options: &Options) -> Result<Self, RegistryError> {
        let login = match &options.login {
            Some(login) => Some(login.clone()),
            None => Login::kept(host)?,
        };
        // As with Docker and Istio, a registry on this machine may go without TLS: nobody else is on the way.
        let may_be_plain = host.is_loopback() && options.ca_file.is_none();
        let tls = !options.plain_http && (!may_be_plain || speaks_tls(host)?);
        let transport = Transport::new(host, options.ca_file.as_deref(), tls)?;
        let address = if host.is_docker_hub() { "registry-1.docker.io" } else { host.as_str() };
        let origin = format!("{}://{address}", if tls { "https" } else { "http" });
        Ok(Self { host: host.clone(), origin, transport, login, granted: RefCell::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// An address in it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Where an upload goes on, if an answer says so: at an address in the registry or elsewhere.
    pub(super) fn follow(&self, response: &Response<Body>) -> Result<Option<String>, RegistryError> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location else { return Ok(None) };
        let to = location::resolved(&response.get_uri().to_string(), location);
        if to.starts_with("https://") || to.starts_with("http://") && self.origin.starts_with("http://") {
            return Ok(Some(to));
        }
        Err(self.answer(format!("it wants the upload sent to `{location}`")))
    }

    /// Sends a request for a repository, and again with what makes us known if the registry asks for it.
    pub(super) fn send(
        &self,
        scope: &str,
        request: impl Fn() -> Builder,
        body: Option<&[u8]>,
    ) -> Result<Response<Body>, RegistryError> {
        let known = self.granted.borrow().get(scope).cloned();
        let response = self.send_once(request(), body, known.as_deref())?;
        // Whom it has sent us to may not ask who we are.
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_same_origin(response.get_uri()) {
            return Ok(response);
        }
        if known.is_some() {
            // A token that is good for one request is good for the next, unless its time is over.
            self.granted.borrow_mut().remove(scope);
        }
        let challenge = Challenge::read(self.host.as_str(), response.headers())?;
        let asker =
            auth::Asker { host: self.host.as_str(), origin: &self.origin, login: self.login.as_ref() };
        let header = asker.answer(&self.transport, &challenge, scope)?;
        let response = self.send_once(request(), body, Some(&header))?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let (host, why) = (self.host.to_string(), said(response));
            return Err(match (&self.login, challenge) {
                (None, _) => RegistryError::LoginNeeded(host),
                (Some(_), Challenge::Basic) => RegistryError::LoginRefused { host, why },
                // Who asks is known where the token is from.
                (Some(_), Challenge::Bearer { .. }) => {
                    RegistryError::Denied { host, what: format!("`{scope}`"), why }
                }
            });
        }
        self.granted.borrow_mut().insert(scope.to_owned(), header);
        Ok(response)
    }

    /// Sends a request, and with its body again wherever it is sent on.
    fn send_once(
        &self,
        request: Builder,
        body: Option<&[u8]>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut request = request.body(body).map_err(|error| self.answer(error.to_string()))?;
        for _ in 0..MAX_REDIRECTS {
            let response = self.send_there(request.clone(), authorization)?;
            // By the others a GET would follow, which is no upload.
            let is_sent_on = body.is_some()
                && matches!(
                    response.status(),
                    StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
                );
            let to = if is_sent_on { self.follow(&response)? } else { None };
            let Some(to) = to else { return Ok(response) };
            *request.uri_mut() = to.parse().map_err(|_| self.answer(format!("`{to}` is no URL")))?;
        }
        Err(self.answer("it sends the upload on and on".to_owned()))
    }

    fn send_there(
        &self,
        mut request: Request<Option<&[u8]>>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        // Only the registry itself is told who asks, not where it sends us.
        if let Some(text) = authorization.filter(|_| self.is_same_origin(request.uri())) {
            let value =
                text.parse().map_err(|_| self.answer("the token can't stand in a header".to_owned()))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let at = request.uri().authority().map_or_else(|| self.host.to_string(), ToString::to_string);
        self.transport.send(request).map_err(|error| failure(&at, &error))
    }

    fn is_same_origin(&self, uri: &Uri) -> bool {
        let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
        authority.is_some_and(|authority| format!("{scheme}://{authority}") == self.origin)
    }

    /// An answer that can't be used.
    pub(super) fn answer(&self, why: String) -> RegistryError {
        RegistryError::Answer { host: self.host.to_string(), why }
    }

    /// What an answer that is no success means, `what` being what was asked for.
    pub(super) fn unexpected(&self, what: String, response: Response<Body>) -> RegistryError {
        let (host, status) = (self.host.to_string(), response.status());
        let why = said(response);
        match status {
            StatusCode::FORBIDDEN => RegistryError::Denied { host, what, why },
            StatusCode::NOT_FOUND => RegistryError::NotFound { host, what, why },
            StatusCode::BAD_REQUEST if self.origin.starts_with("http://") => {
                RegistryError::WantsTls { host, what, why }
            }
            status => RegistryError::Unexpected { host, status: status.as_u16(), what, why },
        }
    }
}

/// Whether a registry on this machine speaks TLS.
fn speaks_tls(host: &Host) -> Result<bool, RegistryError> {
    let transport = match Transport::new(host, None, true) {
        Ok(transport) => transport,
        Err(RegistryError::NoAuthorities(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let request = Request::get(format!("https://{host}/v2/"))
        .body(None)
        .map_err(|error| RegistryError::Answer { host: host.to_string(), why: error.to_string() })?;
    match transport.send(request) {
        Ok(_) => Ok(true),
        // Some that don't know what a TLS hello is answer nothing at all.
        Err(ureq::Error::Io(error)) if has_hung_up(&error) => Ok(false),
        Err(error) => match failure(host.as_str(), &error) {
            RegistryError::NoTls(_) => Ok(false),
            error => Err(error),
        },
    }
}

/// Whether a server took the connection, and ended it.
fn has_hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// What a registry says about a failure, ready to stand behind a sentence.
pub(super) fn said(response: Response<Body>) -> String {
    let limited = response.into_body().into_with_config().limit(MAX_ERROR).lossy_utf8(true);
    let text = limited.read_to_string().unwrap_or_default();
    let messages = |value: &serde_json::Value| -> Vec<String> {
        let errors = value.get("errors").and_then(|errors| errors.as_array()).cloned().unwrap_or_default();
        let text = |error: &serde_json::Value, key: &str| error.get(key)?.as_str().map(str::to_owned);
        errors.iter().filter_map(|error| text(error, "message").or_else(|| text(error, "code"))).collect()
    };
    let messages = serde_json::from_str(&text).map(|value| messages(&value)).unwrap_or_default();
    let text = if messages.is_empty() { text.trim().to_owned() } else { messages.join("; ") };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    if line.is_empty() { line } else { format!(" ({line})") }
}
