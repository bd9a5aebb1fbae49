//! Servers that are asked, and whose answers do nothing.

use super::grpc_server::{self, Verdict};
use super::http_server::{Answer, Server};
use super::proxy::Proxy;
use super::{asks, tried};

#[test]
fn a_server_asked_by_http_refuses_nobody() {
    let server = Server::start();
    let provider = format!(
        "- {{name: web, envoyExtAuthzHttp: {{service: 127.0.0.1, port: {}, timeout: 0.4s, headersToUpstreamOnAllow: [x-user], \
         headersToDownstreamOnAllow: [x-seen], includeRequestBodyInCheck: {{maxRequestBytes: 8}}}}}}\n",
        server.port
    );
    let proxy = Proxy::start(&[provider], &[tried(&asks("ask", "web", "/anything/a"))]);
    for (answer, counter) in [
        (Answer::Say(200, &["x-user: ann", "x-seen: y"], ""), "ok"),
        (Answer::Say(401, &["x-seen: y"], "no"), "denied"),
        (Answer::Say(500, &[], "no"), "error"),
        (Answer::Hang, "error"),
    ] {
        server.tell(answer.clone());
        let before = proxy.stat(&format!("ext_authz.dry_run.{counter}"));
        let passed = proxy.send("POST", "/anything/a", &[], "0123456789");
        assert_eq!(passed.status, 200, "{answer:?}: {passed:?}");
        assert_eq!((passed.seen("x-user"), passed.header("x-seen")), (None, None), "{answer:?}");
        assert_eq!(proxy.stat(&format!("ext_authz.dry_run.{counter}")), before + 1, "{answer:?}");
        assert!(server.asked().is_some());
    }
    assert_eq!(proxy.get("/anything/b").status, 200);
    assert!(server.asked().is_none());
}

#[test]
fn a_server_asked_by_grpc_changes_no_request() {
    let server = grpc_server::Server::start();
    let provider =
        format!("- {{name: rpc, envoyExtAuthzGrpc: {{service: 127.0.0.1, port: {}}}}}\n", server.port);
    let proxy = Proxy::start(&[provider], &[tried(&asks("ask", "rpc", "/anything/a"))]);
    server.tell(Verdict::Allow(&[("x-user", "ann")], &[("x-seen", "y")]));
    let passed = proxy.get("/anything/a");
    assert_eq!((passed.status, passed.seen("x-user")), (200, None), "{passed:?}");
    // What docs/authorization.md says: Envoy has no way to keep these from the client.
    assert_eq!(passed.header("x-seen"), Some("y"), "{passed:?}");
    server.tell(Verdict::Deny(401, &[("x-why", "token")], "no"));
    let passed = proxy.get("/anything/a");
    assert_eq!((passed.status, passed.header("x-why")), (200, None), "{passed:?}");
    assert_eq!(proxy.stat("ext_authz.dry_run.denied"), 1);
    assert!(server.asked().is_some() && server.asked().is_some());
}
