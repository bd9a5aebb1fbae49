//! Servers that pass bytes on.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::TcpStream;

use super::authority::Authority;
use super::client::Client;
use super::{Edge, backend, gateway, service};

const ROUTES: &str = "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes}
spec:
  hosts: ['*.example.com']
  gateways: [edge]
  tls:
  - {match: [{sniHosts: [through.example.com]}], route: [{destination: {host: secure.test}}]}
  tcp:
  - match: [{port: 443}]
    route: [{destination: {host: one.test}}]
  - match: [{port: 9000, destinationSubnets: [10.9.9.9]}]
    route:
    - {destination: {host: one.test}, weight: 3}
    - {destination: {host: two.test}, weight: 1}
";

#[test]
fn bytes_go_where_the_routes_say() {
    let own = Authority::new("own");
    let (edge_certificate, backend_certificate) =
        (own.issue("ended.example.com"), own.issue("through.example.com"));
    let servers = "  - {port: {number: 443, name: through, protocol: TLS}, hosts: [through.example.com], tls: {mode: PASSTHROUGH}}
  - {port: {number: 443, name: ended, protocol: TLS}, hosts: [ended.example.com], tls: {mode: SIMPLE, credentialName: ended}}
  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}
";
    let all = [
        gateway(servers),
        ROUTES.to_owned(),
        service("secure", backend::tls(&backend_certificate, "from the backend"), "TLS"),
        service("one", backend::plain("one"), "TCP"),
        service("two", backend::plain("two"), "TCP"),
        edge_certificate.secret("ended", None),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.yaml");
    std::fs::write(&file, all.concat()).unwrap();
    let edge = Edge::start(&file, &[]);

    // TLS is the backend's own.
    let client = Client::new(&own, None);
    let mut through = client.connect(edge.tls, "through.example.com").unwrap();
    assert_eq!(through.certificate(), backend_certificate.der());
    let answer = through.get("through.example.com", "/", "").unwrap();
    assert_eq!(answer, (200, "from the backend".to_owned()));

    // TLS is the gateway's, what is in it a service's.
    let ended = client.connect(edge.tls, "ended.example.com").unwrap();
    assert_eq!(ended.certificate(), edge_certificate.der());
    assert_eq!(ended.read_all(), "one");

    let mut seen = BTreeMap::new();
    for _ in 0..40 {
        let mut text = String::new();
        TcpStream::connect(("127.0.0.1", edge.tcp)).unwrap().read_to_string(&mut text).unwrap();
        *seen.entry(text).or_insert(0) += 1;
    }
    // One of 3:1 in 40 is below 16 or above 38 once in a hundred thousand times.
    assert!(seen.keys().eq(["one", "two"]) && (16..=38).contains(&seen["one"]), "{seen:?}");
}
