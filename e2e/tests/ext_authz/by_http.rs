//! What a server sees that is asked by HTTP, and what its answers do.

use super::http_server::{Answer, Server};
use super::proxy::Proxy;
use super::{asks, policy};

fn provider(port: u16, more: &str) -> String {
    format!("- {{name: web, envoyExtAuthzHttp: {{service: 127.0.0.1, port: {port}{more}}}}}\n")
}

const LISTS: &str = ", pathPrefix: /check, includeRequestHeadersInCheck: [x-id, 'x-a-*', '*-end'], \
                     includeAdditionalHeadersInCheck: {x-by: outrigger, x-path: '%REQ(:path)%'}, \
                     headersToUpstreamOnAllow: [x-user], headersToDownstreamOnAllow: ['x-seen*'], \
                     headersToDownstreamOnDeny: ['*-reason'], \
                     includeRequestBodyInCheck: {maxRequestBytes: 8, allowPartialMessage: true}";

#[test]
fn it_is_asked_what_the_policy_says() {
    let server = Server::start();
    let deny =
        policy("deny", "{action: DENY, rules: [{when: [{key: 'request.headers[x-user]', values: [eve]}]}]}");
    let proxy =
        Proxy::start(&[provider(server.port, LISTS)], &[asks("ask", "web", "/anything/asked*"), deny]);

    // Only what a rule matches.
    assert_eq!(proxy.get("/anything/open").status, 200);
    assert!(server.asked().is_none());

    let headers = [
        ("x-id", "1"),
        ("x-a-b", "2"),
        ("the-end", "3"),
        ("x-other", "4"),
        ("x-by", "client"),
        ("x-user", "client"),
        ("authorization", "Bearer t"),
    ];
    server.tell(Answer::Say(200, &["x-user: ann", "x-unlisted: y", "x-seen-by: web"], "ignored"));
    let allowed = proxy.send("POST", "/anything/asked?a=b", &headers, "0123456789");
    let asked = server.asked().unwrap();
    assert_eq!(asked.line, "POST /check/anything/asked?a=b HTTP/1.1");
    let header = |name| asked.header(name);
    assert_eq!(header("host").as_deref(), Some("edge.example"));
    for (name, value) in [("x-id", "1"), ("x-a-b", "2"), ("the-end", "3"), ("authorization", "Bearer t")] {
        assert_eq!(header(name).as_deref(), Some(value), "{asked:?}");
    }
    assert_eq!((header("x-other"), header("x-user")), (None, None));
    assert_eq!(header("x-by").as_deref(), Some("outrigger"), "the additional header wins");
    assert_eq!(header("x-path").as_deref(), Some("/anything/asked?a=b"), "a format string");
    assert_eq!(asked.body, "01234567", "so much of it");

    // What the service and the client get.
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(allowed.seen("x-user").as_deref(), Some("ann"), "in place of the client's");
    assert_eq!(allowed.seen("x-unlisted"), None);
    assert_eq!(allowed.seen("x-other").as_deref(), Some("4"));
    assert_eq!((allowed.header("x-seen-by"), allowed.header("x-unlisted")), (Some("web"), None));
    let echo: serde_json::Value = serde_json::from_str(&allowed.body).unwrap();
    assert_eq!(echo["bodySize"], 10, "the service gets all of it");

    let said = &["the-reason: none", "x-secret: s", "location: /login", "www-authenticate: Basic"];
    server.tell(Answer::Say(401, said, "who are you"));
    let denied = proxy.get("/anything/asked");
    assert_eq!((denied.status, denied.body.as_str()), (401, "who are you"));
    assert_eq!((denied.header("the-reason"), denied.header("x-secret")), (Some("none"), None));
    assert_eq!(
        (denied.header("location"), denied.header("www-authenticate")),
        (Some("/login"), Some("Basic"))
    );
    // Refused before our filters saw it, and counted nevertheless.
    assert_eq!(proxy.counted("401"), 1.0);

    // Who is let pass by the server is not yet by the rules.
    server.tell(Answer::Say(200, &["x-user: eve"], ""));
    let denied = proxy.get("/anything/asked");
    assert_eq!((denied.status, denied.body.as_str()), (403, "RBAC: access denied"));
    server.asked().unwrap();
    server.asked().unwrap();

    // Nobody gets round it by another spelling of the path.
    for path in ["/anything/./asked", "/anything/x/../asked", r"/anything\asked", "/anything/%61sked"] {
        proxy.get(path);
        let asked = server.asked().unwrap_or_else(|| panic!("{path} passed unasked"));
        assert_eq!(asked.line, "GET /check/anything/asked HTTP/1.1", "{path}");
    }
}

#[test]
fn without_lists_it_sees_little_and_says_all() {
    let server = Server::start();
    let proxy = Proxy::start(&[provider(server.port, "")], &[asks("ask", "web", "*")]);
    server.tell(Answer::Say(200, &["x-user: ann"], ""));
    let allowed = proxy.send("POST", "/anything/a", &[("x-id", "1"), ("cookie", "c")], "body");
    let asked = server.asked().unwrap();
    assert_eq!(asked.line, "POST /anything/a HTTP/1.1");
    assert_eq!((asked.header("x-id"), asked.header("cookie"), asked.body.as_str()), (None, None, ""));
    assert_eq!(allowed.seen("x-user"), None, "the request stays as it was");
    server.tell(Answer::Say(302, &["location: /login", "x-any: y", "set-cookie: c=d"], "go"));
    let denied = proxy.get("/anything/a");
    let header = |name| denied.header(name);
    assert_eq!((denied.status, denied.body.as_str()), (302, "go"));
    assert_eq!(
        (header("location"), header("x-any"), header("set-cookie")),
        (Some("/login"), Some("y"), Some("c=d"))
    );
}
