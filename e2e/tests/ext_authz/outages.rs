//! Servers that can't be asked, or fail.

use std::time::Duration;

use super::asks;
use super::http_server::{Answer, Server};
use super::proxy::Proxy;

fn provider(port: u16, more: &str) -> String {
    format!(
        "- {{name: web, envoyExtAuthzHttp: {{service: 127.0.0.1, port: {port}, timeout: 0.4s, {more}}}}}\n"
    )
}

/// Every way to get no verdict.
const FAILURES: [Answer; 4] =
    [Answer::Hang, Answer::Close, Answer::Say(500, &[], "broken"), Answer::Say(503, &["x-a: b"], "busy")];

#[test]
fn it_fails_closed() {
    let server = Server::start();
    let body = "includeRequestBodyInCheck: {maxRequestBytes: 8}";
    let proxy = Proxy::start(&[provider(server.port, body)], &[asks("ask", "web", "*")]);
    for answer in FAILURES {
        server.tell(answer.clone());
        let refused = proxy.get("/anything/a");
        assert_eq!((refused.status, refused.body.as_str()), (403, ""), "{answer:?}");
        assert!(refused.after < Duration::from_secs(15), "{answer:?}: {refused:?}");
    }
    server.tell(Answer::Say(200, &[], ""));
    assert_eq!(proxy.get("/anything/a").status, 200, "it is back");
    let long = proxy.send("POST", "/anything/a", &[], "0123456789");
    assert_eq!(long.status, 413, "a body that it would have to be shown and is too long");
}

#[test]
fn the_status_can_be_another() {
    let down = outrigger_e2e::ports::free_port().unwrap();
    let proxy = Proxy::start(&[provider(down, "statusOnError: '503'")], &[asks("ask", "web", "/anything/a")]);
    assert_eq!(proxy.get("/anything/a").status, 503);
    assert_eq!(proxy.get("/anything/b").status, 200, "nothing to ask about");
}

#[test]
fn it_fails_open_if_told_so() {
    let server = Server::start();
    let proxy = Proxy::start(&[provider(server.port, "failOpen: true")], &[asks("ask", "web", "*")]);
    for answer in FAILURES {
        server.tell(answer.clone());
        assert_eq!(proxy.get("/anything/a").status, 200, "{answer:?}");
    }
    server.tell(Answer::Say(403, &[], "no"));
    let denied = proxy.get("/anything/a");
    assert_eq!((denied.status, denied.body.as_str()), (403, "no"), "a verdict is a verdict");
}
