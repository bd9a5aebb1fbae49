//! The same over HTTP/2, where a request is written in other ways.

use std::net::SocketAddr;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::answer::refused_by;
use super::{both, start};

/// What comes of a request with these pseudo-headers and headers.
fn ask(address: SocketAddr, uri: &str, headers: Headers<'_>) -> Response<Incoming> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
        let (mut sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        sender.send_request(request.body(String::new()).unwrap()).await.unwrap()
    })
}

fn verdict(response: &Response<Incoming>) -> String {
    let status = response.status().as_u16();
    let details =
        response.headers().get("x-details").and_then(|details| refused_by(details.to_str().unwrap()));
    details.map_or_else(|| status.to_string(), |rule| format!("{status} {rule}"))
}

/// The setup, the URI, headers, and what has to come of it.
type Case<'c> = (&'c str, &'c str, Headers<'c>, &'c str);
type Headers<'h> = &'h [(&'h str, &'h [u8])];

const P: &str = "200";
const D: &str = "403 deny[0]";

#[test]
fn pseudo_headers_and_crumbs_count_as_in_http_1() {
    let guards = start(&[
        (
            "operation",
            "",
            &[(
                "deny",
                "DENY",
                "[{to: [{operation: {hosts: [admin.test]}}, {operation: {paths: ['/admin*']}}]}]",
            )],
        ),
        ("host", "", &[("deny", "DENY", "[{when: [{key: 'request.headers[host]', values: [admin.test]}]}]")]),
        ("role", "", &[("deny", "DENY", "[{when: [{key: 'request.headers[x-role]', values: [admin]}]}]")]),
        (
            "cookie",
            "",
            &[("deny", "DENY", "[{when: [{key: 'request.headers[cookie]', values: ['role=admin*']}]}]")],
        ),
    ]);
    let cases: &[Case<'_>] = &[
        ("operation", "http://shop.test/", &[], P),
        ("operation", "http://admin.test/", &[], D),
        ("operation", "http://ADMIN.test/", &[], D),
        ("operation", "http://admin.test:80/", &[], P),
        ("operation", "http://shop.test/x/../admin", &[], D),
        ("operation", "http://shop.test/admin?x", &[], D),
        ("operation", "http://shop.test//admin", &[], P),
        // `Host` beside `:authority` is not the host.
        ("operation", "http://shop.test/", &[("host", b"admin.test")], P),
        ("operation", "http://admin.test/", &[("host", b"shop.test")], D),
        ("host", "http://admin.test/", &[], D),
        ("host", "http://shop.test/", &[("host", b"admin.test")], P),
        ("role", "http://shop.test/", &[("x-role", b"user"), ("x-role", b"admin")], D),
        ("role", "http://shop.test/", &[("x-role", b"user,admin")], P),
        ("role", "http://shop.test/", &[("x_role", b"admin")], P),
        ("role", "http://shop.test/", &[("x-role", b"admin\xff")], P),
        // Cookies are one line, however they are sent.
        ("cookie", "http://shop.test/", &[("cookie", b"role=admin"), ("cookie", b"a=b")], D),
        ("cookie", "http://shop.test/", &[("cookie", b"a=b"), ("cookie", b"role=admin")], P),
        ("cookie", "http://shop.test/", &[("cookie", b"a=b; role=admin")], P),
    ];
    for (setup, uri, headers, expected) in cases {
        let [ours, native] = both(&guards, setup, |address| verdict(&ask(address, uri, headers)));
        assert_eq!(native, *expected, "{setup}: Envoy's own filters: {uri} {headers:?}");
        assert_eq!(ours, *expected, "{setup}: ours: {uri} {headers:?}");
    }
}

#[test]
fn a_refusal_of_grpc_is_one_in_grpc() {
    let guards =
        start(&[("deny", "", &[("deny", "DENY", "[{to: [{operation: {paths: [/shop.Cart/Add]}}]}]")])]);
    let headers: Headers<'_> = &[("content-type", b"application/grpc"), ("te", b"trailers")];
    for response in both(&guards, "deny", |address| ask(address, "http://shop.test/shop.Cart/Add", headers)) {
        assert_eq!(verdict(&response), "200 deny[0]");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!((header("grpc-status"), header("grpc-message")), (Some("7"), Some("RBAC: access denied")));
        assert_eq!(header("content-type"), Some("application/grpc"));
    }
}
