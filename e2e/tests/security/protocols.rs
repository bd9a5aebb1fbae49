//! Requests that are not the usual ones of HTTP/1.1, and refusals as gRPC has them.

use super::answer::ask;
use super::{Policy, both, check, start};

const POLICIES: &[Policy<'_>] = &[(
    "deny",
    "DENY",
    "[{to: [{operation: {paths: ['/admin*']}}, {operation: {methods: [CONNECT, TRACE]}}]}]",
)];

fn lines(lines: &[&str]) -> Vec<u8> {
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

#[test]
fn other_versions_and_methods_get_no_further() {
    let guards = start(&[("deny", "", POLICIES)]);
    let close = "connection: close";
    let rows = [
        // Envoy takes no HTTP/1.0 unless it is told to.
        (lines(&["GET /admin HTTP/1.0"]), "426"),
        (lines(&["GET / HTTP/1.0", "host: shop.test"]), "426"),
        (lines(&["GET /admin HTTP/1.1", close]), "400"),
        (lines(&["TRACE / HTTP/1.1", "host: shop.test", close]), "403 deny[0]"),
        (lines(&["get / HTTP/1.1", "host: shop.test", close]), "400"),
        (lines(&["GET /admin HTTP/1.1", "host: a", "upgrade: websocket", "connection: upgrade"]), "403"),
        (lines(&["CONNECT shop.test:80 HTTP/1.1", "host: shop.test:80", close]), "403 deny[0]"),
        (lines(&["OPTIONS * HTTP/1.1", "host: shop.test", close]), "404"),
        // One request in the body of another.
        (
            lines(&[
                "POST /admin HTTP/1.1",
                "host: a",
                "content-length: 5",
                "transfer-encoding: chunked",
                close,
            ]),
            "400",
        ),
        (lines(&["POST /admin HTTP/1.1", "host: a", "content-length: 1", "content-length: 2", close]), "400"),
        (lines(&["POST /admin HTTP/1.1", "host: a", "transfer-encoding: chunked, x", close]), "501"),
    ];
    check(&guards, rows.map(|(request, expected)| ("deny", request, expected)));
}

/// A method that a header names is a header.
#[test]
fn methods_are_not_overridden() {
    let guards = start(&[("allow", "", &[("allow", "ALLOW", "[{to: [{operation: {methods: [GET]}}]}]")])]);
    for header in
        ["x-http-method-override: GET", "x-http-method: GET", "x-method-override: GET", ":method: GET"]
    {
        let request = lines(&["DELETE / HTTP/1.1", "host: shop.test", header, "connection: close"]);
        let expected = if header.starts_with(':') { "400" } else { "403 none" };
        check(&guards, [("allow", request, expected)]);
    }
}

#[test]
fn a_refusal_of_grpc_is_one_in_grpc() {
    let guards = start(&[("deny", "", POLICIES)]);
    for (kind, grpc) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc-web", false),
        ("application/grpcx", false),
        ("Application/grpc", false),
    ] {
        let content_type = format!("content-type: {kind}");
        let request = lines(&[
            "POST /admin.Service/Do HTTP/1.1",
            "host: a",
            &content_type,
            "content-length: 0",
            "connection: close",
        ]);
        let answers = both(&guards, "deny", |address| ask(address, &request));
        for answer in &answers {
            let told = ["content-type", "grpc-status", "grpc-message"].map(|name| answer.header(name));
            if grpc {
                assert_eq!(answer.verdict(), "200 deny[0]", "{kind}");
                assert_eq!(
                    told,
                    [Some("application/grpc"), Some("7"), Some("rbac: access denied")],
                    "{kind}"
                );
            } else {
                assert_eq!(answer.verdict(), "403 deny[0]", "{kind}");
                assert_eq!(told, [Some("text/plain"), None, None], "{kind}");
                assert!(answer.text().ends_with("\r\n\r\nrbac: access denied"), "{kind}: {}", answer.text());
            }
        }
    }
}
