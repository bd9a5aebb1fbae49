//! gRPC through routed paths over HTTP/2, with a real client and a real server.

use outrigger_e2e::launch::Local;
use tonic::Code;

use super::grpc_service::{Client, serve};
use super::{Proxy, service_entry, virtual_service};

const RULES: &str = "
  - match: [{uri: {exact: /test.Echo/Slow}}]
    route: [{destination: {host: echo}}]
    timeout: 0.5s
  - match: [{uri: {exact: /test.Echo/Abort}}]
    route: [{destination: {host: echo}}]
    fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}
  - match: [{uri: {exact: /test.Echo/Teapot}}]
    route: [{destination: {host: echo}}]
    fault: {abort: {httpStatus: 429, percentage: {value: 100}}}
  - match: [{uri: {prefix: /delay}}, {uri: {exact: /headers}}]
    route: [{destination: {host: httpbin}}]
    timeout: 1s
  - match: [{uri: {exact: /test.Echo/Fail}}]
    route: [{destination: {host: echo}}]
    retries: {attempts: 3, retryOn: unavailable, backoff: 5ms}
  - match: [{uri: {exact: /renamed.Echo/Say}}]
    rewrite: {uri: /test.Echo/Say}
    route: [{destination: {host: echo}}]
  - route: [{destination: {host: echo}}]
";

fn start() -> (Local, Proxy) {
    let services = Local::start().unwrap();
    let echo = service_entry("echo", serve(), "GRPC");
    let proxy = Proxy::start(&services, &[virtual_service(RULES), echo]);
    (services, proxy)
}

#[test]
fn calls_take_their_rules() {
    let (_services, proxy) = start();
    let client = Client::connect(proxy.address(), "test.example");
    assert_eq!(client.call("Say", "hello").unwrap(), "hello");
    let large = "x".repeat(200_000);
    assert_eq!(client.call("Say", &large).unwrap(), large);
    let unknown = client.call("Nothing", "").unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::Unimplemented, "/test.Echo/Nothing"));

    // The fourth call, after three retries, answers; the fifth would have to.
    assert_eq!(client.call("Fail", "4").unwrap(), "4");
    let failed = client.call("Fail", "9").unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Unavailable, "call 4"));

    let late = client.call("Slow", "").unwrap_err();
    assert_eq!(late.message(), "upstream request timeout", "{late:?}");

    let aborted = client.call("Abort", "").unwrap_err();
    assert_eq!((aborted.code(), aborted.message()), (Code::Unavailable, "fault filter abort"));
    // Envoy has 429 mean UNAVAILABLE.
    assert_eq!(client.call("Teapot", "").unwrap_err().code(), Code::Unavailable);
}

/// Seen without a client that knows gRPC: an abort is one header block with the status in it; a request that is no gRPC
/// gets 200 and the body, as Envoy's own filter has it.
#[test]
fn an_abort_is_trailers_only_for_grpc_and_a_body_for_others() {
    let (_services, proxy) = start();
    let grpc = proxy.send("POST", "/test.Echo/Abort", &[("content-type", "application/grpc+proto")]);
    let header = |name: &str| grpc.headers.get(name).map(String::as_str);
    assert_eq!((grpc.status, header("grpc-status")), (Some(200), Some("14")), "{grpc:?}");
    assert_eq!(header("grpc-message"), Some("fault filter abort"));
    assert_eq!((header("content-type"), grpc.body.as_str()), (Some("application/grpc"), ""));

    let plain = proxy.send("POST", "/test.Echo/Abort", &[("content-type", "text/plain")]);
    assert_eq!((plain.reply, plain.body.as_str()), (Some(200), "fault filter abort"));
    assert_eq!(plain.headers.get("grpc-status"), None);
}

/// A client may ask for less time than the route has, never for more. Envoy tells the service how long it will wait.
#[test]
fn the_shorter_of_the_clients_and_the_routes_timeout_counts() {
    let (_services, proxy) = start();
    for (asked, kind, waits) in [
        ("200m", "application/grpc", "200"),
        ("30S", "application/grpc", "1000"),
        ("200m", "text/plain", "1000"),
    ] {
        let headers = [("content-type", kind), ("grpc-timeout", asked)];
        let told = proxy.send("POST", "/headers", &headers).request_headers.unwrap();
        assert_eq!(told["x-envoy-expected-rq-timeout-ms"], *waits, "{asked} of {kind}: {told:?}");
        // The service would answer with 200, after an age.
        let late = proxy.send("POST", "/delay/30", &headers);
        assert_eq!(late.body, if kind == "text/plain" { "upstream request timeout" } else { "" }, "{late:?}");
    }
}
