//! Headers that the router writes, or needs, kept from the service; and hosts and upgrades that would lead past the rules.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use outrigger_e2e::launch::Local;

use super::{Proxy, virtual_service};

const RULES: &str = "
  - match: [{uri: {prefix: /anything/rule}}]
    headers: {request: {remove: [x-forwarded-proto, x-envoy-attempt-count, x-envoy-expected-rq-timeout-ms]}}
    timeout: 5s
    route: [{destination: {host: httpbin}}]
  - match: [{uri: {prefix: /anything/destination}}]
    timeout: 5s
    route: [{destination: {host: httpbin}, headers: {request: {remove: [X-Forwarded-Proto]}}}]
  - match: [{uri: {prefix: /anything}}]
    timeout: 5s
    route: [{destination: {host: httpbin}}]
";
const OF_ROUTER: [&str; 3] = ["x-forwarded-proto", "x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms"];

#[test]
fn headers_of_the_router_are_kept_from_the_service() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES)]);
    for (path, removed) in
        [("/anything", &[][..]), ("/anything/rule", &OF_ROUTER), ("/anything/destination", &OF_ROUTER[..1])]
    {
        let seen = proxy.send("GET", path, &[]);
        assert_eq!(seen.status, Some(200), "{path}: {seen:?}");
        let body = seen.body.to_ascii_lowercase();
        for name in OF_ROUTER {
            assert_eq!(body.contains(name), !removed.contains(&name), "{path} {name}: {body}");
        }
    }
}

const GUARDED: &str = "
  - directResponse: {status: 418}
";

/// The answer's first line.
fn answer(proxy: &Proxy, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !answer.contains(&b'\n') {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "no answer to {request}");
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap().to_owned()
}

#[test]
fn neither_a_strange_port_nor_an_upgrade_leads_past_the_rules() {
    let services = Local::start().unwrap();
    let guarded = virtual_service(GUARDED).replace("hosts: ['*']", "hosts: [guarded.example]");
    let rest = virtual_service("\n  - route: [{destination: {host: httpbin}}]")
        .replace("name: routes", "name: rest");
    let proxy = Proxy::start(&services, &[guarded, rest]);
    for (host, status) in [
        ("guarded.example", "418"),
        ("guarded.example:80", "418"),
        ("guarded.example:", "418"),
        ("guarded.example:x", "418"),
        ("other.example:", "200"),
    ] {
        let said = answer(&proxy, &format!("GET /get HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {said}");
    }
    for (upgrade, status) in [
        ("websocket", "200"),
        ("WebSocket", "200"),
        ("foo", "403"),
        ("websocket, foo", "403"),
        ("h2c", "200"),
    ] {
        let said = answer(
            &proxy,
            &format!(
                "GET /get HTTP/1.1\r\nhost: other.example\r\nconnection: upgrade\r\nupgrade: {upgrade}\r\n\r\n"
            ),
        );
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{upgrade}: {said}");
    }
}
