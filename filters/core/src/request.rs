//! One request as the policies see it: borrowed bytes, nothing parsed that no rule asks for.

use std::net::IpAddr;
use std::time::Duration;

use once_cell::unsync::OnceCell;

use crate::format::Lookup;
use crate::jwt::Identity;
use crate::matching::same;

/// The moment of a decision: time since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub Duration);

/// What is known of the connection that carries a request. `None` is "not known" or "not read": the host reads
/// only what [`crate::Engine::attributes`] names.
#[derive(Debug, Clone)]
pub struct Connection<'a> {
    /// Address of the TCP peer (Istio `source.ip`, Envoy `direct_remote_ip`).
    pub source_ip: Option<IpAddr>,
    /// Address of the client after `X-Forwarded-For` (Istio `remote.ip`, Envoy `remote_ip`).
    pub remote_ip: Option<IpAddr>,
    /// Local address (Istio `destination.ip`).
    pub destination_ip: Option<IpAddr>,
    /// Local port (Istio `destination.port`): the workload's port.
    pub destination_port: Option<u16>,
    /// Server name of the TLS handshake (Istio `connection.sni`).
    pub sni: Option<&'a [u8]>,
    /// First URI SAN of the verified peer certificate, with its `spiffe://` scheme (Istio `source.principal`). Of a
    /// certificate without one its first DNS SAN, or else its subject: such a peer has no SPIFFE ID, but is somebody.
    pub peer_principal: Option<&'a [u8]>,
    /// What headers with format operators ask for, read when a rule that has them is taken.
    pub lookup: Option<&'a dyn Lookup>,
}

impl Connection<'_> {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        source_ip: None,
        remote_ip: None,
        destination_ip: None,
        destination_port: None,
        sni: None,
        peer_principal: None,
        lookup: None,
    };
}

/// A header line: lower-case name and value, both as Envoy holds them.
pub type HeaderLine<'a> = (&'a [u8], &'a [u8]);

/// A borrowed view of a request.
#[derive(Debug)]
pub struct Request<'a> {
    headers: &'a [HeaderLine<'a>],
    path: OnceCell<&'a [u8]>,
    query: OnceCell<Vec<HeaderLine<'a>>>,
    identity: Option<&'a Identity>,
    /// The connection's attributes.
    pub connection: &'a Connection<'a>,
}

impl<'a> Request<'a> {
    /// Views `headers`: every line in order, HTTP/2 pseudo-headers included, names in lower case.
    pub fn new(headers: &'a [HeaderLine<'a>], connection: &'a Connection<'a>) -> Self {
        Self { headers, path: OnceCell::new(), query: OnceCell::new(), identity: None, connection }
    }

    /// The same with the verified token's identity.
    #[must_use]
    pub fn with_identity(self, identity: Option<&'a Identity>) -> Self {
        Self { identity, ..self }
    }

    /// The same request as a filter further on sees it: with other header lines, and after a token was verified.
    pub fn seen_with<'b>(&self, headers: &'b [HeaderLine<'b>], identity: Option<&'b Identity>) -> Request<'b>
    where
        'a: 'b,
    {
        Request::new(headers, self.connection).with_identity(identity)
    }

    /// Who the verified token speaks for; `None` without a token, and as long as nobody has verified it.
    pub fn identity(&self) -> Option<&'a Identity> {
        self.identity
    }

    /// All header lines.
    pub fn headers(&self) -> &'a [HeaderLine<'a>] {
        self.headers
    }

    /// The values of every line of the header `name` (lower case), in order.
    pub fn header_lines<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers.iter().filter(move |(n, _)| same(n, name)).map(|(_, v)| *v)
    }

    /// The first line of the header `name` (lower case).
    pub fn header(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.headers.iter().find(|(n, _)| same(n, name)).map(|(_, v)| *v)
    }

    /// `:method`, empty if absent.
    pub fn method(&self) -> &'a [u8] {
        self.header(b":method").unwrap_or_default()
    }

    /// `:scheme`, empty if absent.
    pub fn scheme(&self) -> &'a [u8] {
        self.header(b":scheme").unwrap_or_default()
    }

    /// `:authority` with its port as sent, empty if absent.
    pub fn authority(&self) -> &'a [u8] {
        self.header(b":authority").unwrap_or_default()
    }

    /// `:authority` without its port, as Envoy's `ignore_port_in_host_matching` cuts it.
    pub fn host(&self) -> &'a [u8] {
        strip_port(self.authority())
    }

    /// The port named in `:authority`, if it names one.
    pub fn authority_port(&self) -> Option<u16> {
        let authority = self.authority();
        let host = strip_port(authority);
        let port = authority.get(host.len().checked_add(1)?..)?;
        std::str::from_utf8(port).ok()?.parse().ok()
    }

    /// `:path` with its query, empty if absent.
    pub fn path_and_query(&self) -> &'a [u8] {
        self.header(b":path").unwrap_or_default()
    }

    /// `:path` up to its query or fragment: what Envoy matches routes and `url_path` with.
    pub fn path(&self) -> &'a [u8] {
        self.path.get_or_init(|| {
            let whole = self.path_and_query();
            let end = whole.iter().position(|b| matches!(b, b'?' | b'#'));
            end.and_then(|end| whole.get(..end)).unwrap_or(whole)
        })
    }

    /// Whether the path has a segment `.` or `..`, or a backslash: a listener that normalises paths leaves none (RFC 3986,
    /// section 6.2.2.3; Envoy's `normalize_path`).
    pub fn has_dot_segments(&self) -> bool {
        let odd = |segment: &[u8]| matches!(segment, b"." | b"..") || segment.contains(&b'\\');
        self.path().split(|byte| *byte == b'/').any(odd)
    }

    /// The first value of the query parameter `name`, undecoded, as Envoy compares it.
    pub fn query_parameter(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.query().iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    /// The name of each query parameter, undecoded.
    pub fn query_names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.query().iter().map(|(n, _)| *n)
    }

    fn query(&self) -> &[HeaderLine<'a>] {
        self.query.get_or_init(|| split_query(self.path_and_query()))
    }

    /// Whether this is a gRPC request.
    pub fn is_grpc(&self) -> bool {
        self.header(b"content-type").is_some_and(is_grpc)
    }

    /// A CORS preflight: `OPTIONS` with non-empty `Origin` and `Access-Control-Request-Method`.
    pub fn is_cors_preflight(&self) -> bool {
        let present = |name: &[u8]| self.header(name).is_some_and(|v| !v.is_empty());
        self.method() == b"OPTIONS" && present(b"origin") && present(b"access-control-request-method")
    }
}

/// Whether a content type is gRPC's: `application/grpc` or `application/grpc+…`.
pub fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// Cuts at the last colon, whatever follows: who writes `a.example:` is not past the rules for `a.example`.
fn strip_port(authority: &[u8]) -> &[u8] {
    // The colons in an IPv6 literal are no port separators.
    let end = authority.iter().rposition(|byte| matches!(byte, b':' | b']'));
    let port = end.filter(|end| authority.get(*end) == Some(&b':'));
    port.and_then(|colon| authority.get(..colon)).unwrap_or(authority)
}

/// The parameters of a path's query, undecoded.
pub(crate) fn split_query(path: &[u8]) -> Vec<HeaderLine<'_>> {
    let Some(start) = path.iter().position(|b| *b == b'?') else { return Vec::new() };
    let query = path.get(start.saturating_add(1)..).unwrap_or_default();
    let query = query.split(|b| *b == b'#').next().unwrap_or_default();
    let pairs = query.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.iter().position(|b| *b == b'=') {
            Some(equals) => {
                let (name, value) = pair.split_at(equals);
                (name, value.get(1..).unwrap_or_default())
            }
            None => (pair, &b""[..]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_port_is_cut_from_hosts_but_not_from_ipv6_literals() {
        let table: [(&[u8], &[u8], Option<u16>); 8] = [
            (b"example.com", b"example.com", None),
            (b"example.com:8080", b"example.com", Some(8080)),
            (b"[::1]", b"[::1]", None),
            (b"[::1]:80", b"[::1]", Some(80)),
            (b"example.com:", b"example.com", None),
            (b"example.com:http", b"example.com", None),
            (b"example.com:99999", b"example.com", None),
            (b"", b"", None),
        ];
        for (authority, host, port) in table {
            let headers = [(&b":authority"[..], authority)];
            let request = Request::new(&headers, &Connection::UNKNOWN);
            assert_eq!((request.host(), request.authority_port()), (host, port));
        }
    }

    #[test]
    fn query_parameters_are_undecoded_and_the_first_counts() {
        let headers = [(&b":path"[..], &b"/a?x=%41&x=2&flag&=v&y=a=b#f"[..])];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        assert_eq!(request.path(), b"/a");
        assert_eq!(request.query_parameter(b"x"), Some(&b"%41"[..]));
        assert_eq!(request.query_parameter(b"flag"), Some(&b""[..]));
        assert_eq!(request.query_parameter(b"y"), Some(&b"a=b"[..]));
        assert_eq!(request.query_parameter(b"z"), None);
    }

    #[test]
    fn only_grpc_content_types_are_grpc() {
        for (value, grpc) in [
            (&b"application/grpc"[..], true),
            (b"application/grpc+proto", true),
            (b"application/grpc-web", false),
            (b"text/plain", false),
        ] {
            let headers = [(&b"content-type"[..], value)];
            assert_eq!(Request::new(&headers, &Connection::UNKNOWN).is_grpc(), grpc);
        }
    }

    #[test]
    fn dot_segments_and_backslashes_are_what_no_normalised_path_has() {
        for (path, odd) in [
            (&b"/a/./b"[..], true),
            (b"/a/..", true),
            (b"/..?x", true),
            (b"/a\\b", true),
            (b"/a/...", false),
            (b"/.well-known/x.y", false),
            (b"/a?b=/../c", false),
            (b"*", false),
            (b"", false),
        ] {
            let headers = [(&b":path"[..], path)];
            assert_eq!(Request::new(&headers, &Connection::UNKNOWN).has_dot_segments(), odd, "{path:?}");
        }
    }
}
