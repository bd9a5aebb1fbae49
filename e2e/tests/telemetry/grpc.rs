//! gRPC, whose status is not that of HTTP.

use tonic::Code;

use super::expected::assert_metrics;
use super::proxy::{Place, Proxy, edge, service_entry};
use crate::actions::grpc_service::{Client, serve};

#[test]
fn grpc_has_a_status_of_its_own() {
    let rules = "  - match: [{uri: {exact: /test.Echo/Abort}}]
    route: [{destination: {host: echo.shop.svc.cluster.local}}]
    fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}
  - route: [{destination: {host: echo.shop.svc.cluster.local}}]";
    let resources = edge(rules) + &service_entry("echo", "GRPC", serve(), "");
    let proxy = Proxy::start(&Place::Edge, &resources);
    let client = Client::connect(proxy.client.address(), "shop.example");
    assert_eq!(client.call("Say", "hello").unwrap(), "hello");
    assert_eq!(client.call("Say", "again").unwrap(), "again");
    assert_eq!(client.call("Nothing", "").unwrap_err().code(), Code::Unimplemented);
    assert_eq!(client.call("Abort", "").unwrap_err().code(), Code::Unavailable);
    assert_metrics(&proxy.admin, "grpc");
}
