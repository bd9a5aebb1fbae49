//! Requests that go wrong on their way.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use outrigger_e2e::ports::free_port;
use outrigger_e2e::services::Single;

use super::expected::assert_metrics;
use super::proxy::{Place, Proxy, TO_HTTPBIN, edge, httpbin, service_entry};

fn start(rules: &str) -> (Single, Proxy) {
    let httpbin = httpbin();
    let resources = edge(rules)
        + &service_entry("httpbin", "HTTP", httpbin.port, "")
        + &service_entry("absent", "HTTP", free_port().unwrap(), "");
    let proxy = Proxy::start(&Place::Edge, &resources);
    (httpbin, proxy)
}

#[test]
fn an_upstream_that_closes_the_connection() {
    let (_httpbin, proxy) = start(TO_HTTPBIN);
    proxy.get("shop.example", "/reset/telemetry", 503);
    proxy.get("shop.example", "/status/200", 200);
    assert_metrics(&proxy.admin, "upstream-reset");
}

#[test]
fn an_upstream_that_is_not_there() {
    let (_httpbin, proxy) = start(
        "  - retries: {attempts: 0}
    route: [{destination: {host: absent.shop.svc.cluster.local}}]",
    );
    proxy.get("shop.example", "/", 503);
    assert_metrics(&proxy.admin, "connect-failure");
}

#[test]
fn a_client_that_does_not_wait() {
    let (_httpbin, proxy) = start(TO_HTTPBIN);
    let mut stream = TcpStream::connect(proxy.client.address()).unwrap();
    stream.write_all(b"GET /delay/5 HTTP/1.1\r\nhost: shop.example\r\n\r\n").unwrap();
    // Until it is at the service.
    std::thread::sleep(Duration::from_millis(500));
    drop(stream);
    assert_metrics(&proxy.admin, "client-disconnect");
}

#[test]
fn a_timeout_after_retries() {
    let (_httpbin, proxy) = start(
        "  - timeout: 0.9s
    retries: {attempts: 2, perTryTimeout: 0.2s, retryOn: '5xx'}
    match: [{uri: {prefix: /delay/3}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
  - timeout: 0.3s
    match: [{uri: {prefix: /delay/2}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
  - retries: {attempts: 2, retryOn: '5xx', backoff: 5ms}
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]",
    );
    proxy.get("shop.example", "/delay/3", 504);
    proxy.get("shop.example", "/delay/2", 504);
    // Three attempts that fail, and two before one that does not: each is one request.
    proxy.get("shop.example", "/flaky/telemetry-a/9", 503);
    proxy.get("shop.example", "/flaky/telemetry-b/2", 200);
    assert_metrics(&proxy.admin, "timeouts-and-retries");
    // Envoy itself tells the flags in the order in which they came up; a filter gets them as a set.
    assert_eq!(proxy.logged(4), ["200 -", "503 URX", "504 URX,UT", "504 UT"]);
}
