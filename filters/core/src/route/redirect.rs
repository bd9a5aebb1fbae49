//! HTTPRedirect: the `location` that a client is sent to, put together as Envoy does.

use outrigger_api::types::virtual_service::{Redirect as Spec, RedirectPath, RedirectPort, Scheme};

use super::path_match::PathMatch;
use crate::Request;

/// A compiled redirect.
#[derive(Debug)]
pub(super) struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub(super) status: u16,
    path: Option<RedirectPath>,
    authority: Option<Box<str>>,
    port: RedirectPort,
    scheme: Option<&'static str>,
}

impl Redirect {
    /// Compiles Istio's `redirect`.
    pub(super) fn new(spec: &Spec) -> Self {
        Self {
            status: spec.code.status(),
            path: spec.path.clone(),
            authority: spec.authority.as_deref().filter(|authority| !authority.is_empty()).map(Into::into),
            port: spec.port,
            scheme: spec.scheme.map(|scheme| match scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            }),
        }
    }

    /// The URL for a request that `matched` on the listener with `port`.
    pub(super) fn location(&self, request: &Request<'_>, matched: &PathMatch, port: Option<u16>) -> Vec<u8> {
        let scheme = self.scheme.map_or(request.scheme(), str::as_bytes);
        let port = self.port(scheme, port);
        let host = match &self.authority {
            Some(authority) => authority.as_bytes(),
            None => request_host(request, scheme, port.is_some()),
        };
        let path = self.path(request, matched);
        let mut location = [scheme, b"://", host].concat();
        if let Some(port) = port {
            location.extend_from_slice(format!(":{port}").as_bytes());
        }
        if path.first() != Some(&b'/') {
            location.push(b'/');
        }
        location.extend_from_slice(&path);
        location
    }

    /// Istio leaves out a port that is the scheme's own.
    fn port(&self, scheme: &[u8], listener: Option<u16>) -> Option<u16> {
        let port = match self.port {
            RedirectPort::ProtocolDefault => None,
            RedirectPort::FromRequest => listener,
            RedirectPort::Number(port) => Some(port),
        };
        port.filter(|port| !matches!((port, scheme), (80, b"http") | (443, b"https")))
    }

    fn path(&self, request: &Request<'_>, matched: &PathMatch) -> Vec<u8> {
        let (path, path_and_query) = (request.path(), request.path_and_query());
        let query = path_and_query.get(path.len()..).unwrap_or_default();
        match &self.path {
            None => path_and_query.to_vec(),
            // A query of the redirect's own replaces the request's.
            Some(RedirectPath::Full(full)) if full.contains('?') => full.clone().into_bytes(),
            Some(RedirectPath::Full(full)) => [full.as_bytes(), query].concat(),
            Some(RedirectPath::Prefix(prefix)) => {
                let kept = path.get(matched.replaced_by_rewrite(path)..).unwrap_or_default();
                [prefix.as_bytes(), kept, query].concat()
            }
        }
    }
}

/// The URL of a request that `matched`: where a redirect that changes nothing leads.
pub(super) fn own_url(request: &Request<'_>, matched: &PathMatch) -> Vec<u8> {
    let unchanged =
        Redirect { status: 301, path: None, authority: None, port: RedirectPort::default(), scheme: None };
    unchanged.location(request, matched, None)
}

/// The request's authority. Its port goes when the redirect has one, or when it is the default port of the scheme
/// that the client has used and the redirect leads to another scheme.
fn request_host<'r>(request: &Request<'r>, scheme: &[u8], has_port: bool) -> &'r [u8] {
    let authority = request.authority();
    let host = request.host();
    let port = authority.get(host.len()..).unwrap_or_default();
    let client_scheme = request.header(b"x-forwarded-proto").unwrap_or_default();
    let default_port = matches!((client_scheme, port), (b"https", b":443") | (b"http", b":80"));
    if has_port || (scheme != client_scheme && default_port) { host } else { authority }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::Connection;

    fn location(redirect: Redirect, url: (&str, &str, &str), matched: &PathMatch) -> String {
        let (scheme, authority, path) = url;
        let headers = [
            (&b":scheme"[..], scheme.as_bytes()),
            (b":authority", authority.as_bytes()),
            (b":path", path.as_bytes()),
            (b"x-forwarded-proto", scheme.as_bytes()),
        ];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        String::from_utf8(redirect.location(&request, matched, Some(8080))).unwrap()
    }

    fn empty() -> Redirect {
        Redirect { status: 301, path: None, authority: None, port: RedirectPort::default(), scheme: None }
    }

    #[test]
    fn each_part_is_replaced_alone() {
        let url = ("http", "a.example:8080", "/x/y?q=1");
        let slash = PathMatch::prefix(b"/x", false);
        let full = |text: &str| Some(RedirectPath::Full(text.to_owned()));
        for (redirect, expected) in [
            (Redirect { path: full("/new"), ..empty() }, "http://a.example:8080/new?q=1"),
            (Redirect { path: full("new"), ..empty() }, "http://a.example:8080/new?q=1"),
            (Redirect { path: full("/new?r=2"), ..empty() }, "http://a.example:8080/new?r=2"),
            (
                Redirect { path: Some(RedirectPath::Prefix("/z".into())), ..empty() },
                "http://a.example:8080/z/y?q=1",
            ),
            (Redirect { authority: Some("b.example".into()), ..empty() }, "http://b.example/x/y?q=1"),
            (Redirect { scheme: Some("https"), ..empty() }, "https://a.example:8080/x/y?q=1"),
            (Redirect { port: RedirectPort::Number(9000), ..empty() }, "http://a.example:9000/x/y?q=1"),
            (Redirect { port: RedirectPort::Number(80), ..empty() }, "http://a.example:8080/x/y?q=1"),
            (Redirect { port: RedirectPort::FromRequest, ..empty() }, "http://a.example:8080/x/y?q=1"),
        ] {
            assert_eq!(location(redirect, url, &slash), expected);
        }
    }

    #[test]
    fn a_default_port_goes_with_its_scheme() {
        let https = || Redirect { scheme: Some("https"), ..empty() };
        let slash = PathMatch::prefix(b"/", false);
        assert_eq!(location(https(), ("http", "a.example:80", "/"), &slash), "https://a.example/");
        assert_eq!(location(https(), ("http", "[::1]:80", "/"), &slash), "https://[::1]/");
        assert_eq!(location(https(), ("https", "a.example:443", "/"), &slash), "https://a.example:443/");
    }
}
