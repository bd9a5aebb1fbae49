//! What a server sees that is asked by gRPC, and what its answers do.

use super::asks;
use super::grpc_server::{Server, Verdict};
use super::proxy::Proxy;

fn provider(port: u16, more: &str) -> String {
    format!("- {{name: rpc, envoyExtAuthzGrpc: {{service: 127.0.0.1, port: {port}, timeout: 5s{more}}}}}\n")
}

#[test]
fn it_sees_all_and_its_verdict_holds() {
    let server = Server::start();
    let body = ", includeRequestBodyInCheck: {maxRequestBytes: 8, allowPartialMessage: true}";
    let proxy = Proxy::start(&[provider(server.port, body)], &[asks("ask", "rpc", "/anything/{*}")]);
    assert_eq!(proxy.get("/anything").status, 200);
    assert!(server.asked().is_none(), "the template asks for a segment");

    server.tell(Verdict::Allow(&[("x-user", "ann")], &[("x-seen", "y")]));
    let allowed = proxy.send("POST", "/anything/a?b=c", &[("x-id", "1"), ("x-user", "client")], "0123456789");
    let asked = server.asked().unwrap();
    assert_eq!((asked.method().as_str(), asked.path().as_str()), ("POST", "/anything/a?b=c"));
    assert_eq!((asked.header("x-id").as_deref(), asked.body().as_str()), (Some("1"), "01234567"));
    assert_eq!(asked.peer(), "", "there is no certificate");
    // By which a request that our filters have not routed yet has a route.
    assert_eq!((asked.header("x-outrigger-cluster"), allowed.seen("x-outrigger-cluster")), (None, None));
    assert_eq!((allowed.status, allowed.seen("x-user").as_deref()), (200, Some("ann")));
    assert_eq!(allowed.header("x-seen"), Some("y"));

    server.tell(Verdict::Deny(401, &[("x-why", "token")], "who are you"));
    let denied = proxy.get("/anything/a");
    assert_eq!(
        (denied.status, denied.body.as_str(), denied.header("x-why")),
        (401, "who are you", Some("token"))
    );

    server.tell(Verdict::Fail);
    let refused = proxy.get("/anything/a");
    assert_eq!((refused.status, refused.body.as_str()), (403, ""));
}

#[test]
fn it_fails_open_if_told_so_and_with_another_status() {
    let server = Server::start();
    server.tell(Verdict::Fail);
    let proxy = Proxy::start(&[provider(server.port, ", failOpen: true")], &[asks("ask", "rpc", "*")]);
    assert_eq!(proxy.get("/anything/a").status, 200);
    assert!(server.asked().is_some());
    let proxy = Proxy::start(&[provider(server.port, ", statusOnError: '502'")], &[asks("ask", "rpc", "*")]);
    assert_eq!(proxy.get("/anything/a").status, 502);
}
