//! Servers that are asked about connections.

use super::identity::Authority;
use super::proxy::{Proxy, passes};
use super::{annotated, policy};
use crate::ext_authz::grpc_server::{Server, Verdict};

const MUTUAL: &str = "  - {port: {number: 443, name: mutual, protocol: TLS}, hosts: [ended.test], tls: {mode: MUTUAL, credentialName: ended}}\n";

fn asks(provider: &str, ports: &str) -> String {
    let rule = format!("{{to: [{{operation: {{ports: {ports}}}}}]}}");
    policy("ask", &format!("{{action: CUSTOM, provider: {{name: {provider}}}, rules: [{rule}]}}"))
}

fn provider(port: u16, more: &str) -> String {
    format!("{{name: rpc, envoyExtAuthzGrpc: {{service: 127.0.0.1, port: {port}, timeout: 5s{more}}}}}")
}

#[test]
fn it_decides_about_connections() {
    let (server, authority) = (Server::start(), Authority::new());
    let resources = [asks("rpc", "['9001', '443']"), authority.secret("ended", "ended.test")];
    let proxy = Proxy::start(&[9000, 9001], MUTUAL, &provider(server.port, ""), &resources);
    assert!(proxy.passes(9000));
    assert!(server.asked().is_none());
    assert!(proxy.passes(9001));
    assert_eq!(server.asked().unwrap().peer(), "");
    let ann = authority.client(Some("spiffe://cluster.local/ns/shop/sa/ann"));
    assert!(passes(ann.connect(proxy.opened(443), "ended.test")));
    assert_eq!(server.asked().unwrap().peer(), "spiffe://cluster.local/ns/shop/sa/ann");
    for verdict in [Verdict::Deny(403, &[], ""), Verdict::Fail] {
        server.tell(verdict);
        assert!(!proxy.passes(9001), "{verdict:?}");
        assert!(proxy.passes(9000));
    }
}

#[test]
fn it_fails_open_if_told_so_and_can_be_tried_out() {
    let server = Server::start();
    server.tell(Verdict::Fail);
    let open =
        Proxy::start(&[9001], "", &provider(server.port, ", failOpen: true"), &[asks("rpc", "['9001']")]);
    assert!(open.passes(9001));
    server.tell(Verdict::Deny(403, &[], ""));
    assert!(!open.passes(9001), "a verdict is a verdict");

    let tried = annotated(&asks("rpc", "['9001']"), "outrigger.io/dry-run");
    let proxy = Proxy::start(&[9001], "", &provider(server.port, ""), &[tried]);
    assert!(proxy.passes(9001));
    assert_eq!(proxy.stat("dry_run.denied"), 1);
}

/// A server that is asked by HTTP knows nothing of connections, as under Istio; one that nobody has refuses.
#[test]
fn others_pass_or_refuse() {
    let web = "{name: web, envoyExtAuthzHttp: {service: 127.0.0.1, port: 9}}";
    assert!(Proxy::start(&[9001], "", web, &[asks("web", "['9001']")]).passes(9001));
    let insisting = asks("none", "['9001']").replacen(
        '}',
        ", annotations: {galley.istio.io/analyze-suppress: OUT0250}}",
        1,
    );
    let proxy = Proxy::start(&[9000, 9001], "", web, &[insisting]);
    assert!(proxy.passes(9000) && !proxy.passes(9001));
}
