//! TLS that the gateway ends, with the identity of the client; and TLS that is passed through, with its name alone.

use std::io::{Read as _, Write as _};

use super::identity::Authority;
use super::policy;
use super::proxy::{Proxy, connect, passes};

const SERVERS: &str =
    "  - {port: {number: 443, name: mutual, protocol: TLS}, hosts: [ended.test], tls: {mode: OPTIONAL_MUTUAL, credentialName: ended}}
  - {port: {number: 443, name: through, protocol: TLS}, hosts: ['*.through.test'], tls: {mode: PASSTHROUGH}}
";

fn start(rules: &str, action: &str, authority: &Authority) -> Proxy {
    let policy = policy("peers", &format!("{{action: {action}, rules: [{rules}]}}"));
    Proxy::start(&[9000], SERVERS, "", &[policy, authority.secret("ended", "ended.test")])
}

#[test]
fn peers_are_known_by_their_certificates() {
    let authority = Authority::new();
    let clients = [
        ("spiffe://cluster.local/ns/shop/sa/ann", "ann"),
        ("spiffe://cluster.local/ns/shop/sa/eve", "eve"),
        ("spiffe://cluster.local/ns/other/sa/ann", "other"),
        ("spiffe://foreign.test/ns/shop/sa/ann", "foreign"),
    ];
    let mut clients: Vec<_> =
        clients.into_iter().map(|(id, name)| (authority.client(Some(id)), name)).collect();
    clients.push((authority.client(None), "nobody"));
    let among = |proxy: &Proxy| -> Vec<&str> {
        let passing =
            |client: &super::identity::Client| passes(client.connect(proxy.opened(443), "ended.test"));
        clients.iter().filter(|(client, _)| passing(client)).map(|(_, name)| *name).collect()
    };
    for (rules, action, expected) in [
        ("{from: [{source: {principals: [cluster.local/ns/shop/sa/ann]}}]}", "ALLOW", &["ann"][..]),
        ("{from: [{source: {principals: ['*/ns/shop/sa/ann']}}]}", "ALLOW", &["ann", "foreign"]),
        ("{from: [{source: {principals: ['*']}}]}", "ALLOW", &["ann", "eve", "other", "foreign"]),
        (
            "{from: [{source: {namespaces: [shop], notPrincipals: [cluster.local/ns/shop/sa/eve]}}]}",
            "ALLOW",
            &["ann", "foreign"],
        ),
        ("{from: [{source: {serviceAccounts: [shop/ann]}}]}", "ALLOW", &["ann", "foreign"]),
        ("{from: [{source: {trustDomains: [foreign.test]}}]}", "ALLOW", &["foreign"]),
        ("{from: [{source: {notTrustDomains: [cluster.local]}}]}", "DENY", &["ann", "eve", "other"]),
        ("{when: [{key: source.namespace, values: ['sh*']}]}", "DENY", &["other", "nobody"]),
    ] {
        let proxy = start(rules, action, &authority);
        assert_eq!(among(&proxy), expected, "{action} {rules}");
    }
}

#[test]
fn connections_are_known_by_the_name_that_they_ask_for() {
    let authority = Authority::new();
    let proxy = start("{when: [{key: connection.sni, values: ['two*', ended.test]}]}", "DENY", &authority);
    assert!(!passes(authority.client(None).connect(proxy.opened(443), "ended.test")));
    // What comes back from the service is the client's own hello: no handshake, but bytes.
    for (name, expected) in [("one.through.test", true), ("two.through.test", false)] {
        assert_eq!(hello(&authority, &proxy, name), expected, "{name}");
    }
    // Without TLS there is no name.
    assert!(passes(connect(proxy.opened(9000))));
}

/// Whether the first bytes of a handshake for `name` come back.
fn hello(authority: &Authority, proxy: &Proxy, name: &str) -> bool {
    let mut stream = authority.client(None).connect(proxy.opened(443), name);
    let mut hello = Vec::new();
    stream.conn.write_tls(&mut hello).unwrap();
    let mut socket = stream.sock;
    socket.write_all(&hello).unwrap();
    let mut answer = vec![0; hello.len()];
    socket.read_exact(&mut answer).is_ok() && answer == hello
}
