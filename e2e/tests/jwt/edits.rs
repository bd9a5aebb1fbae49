//! A configuration that follows another one, and finds what that has left.

use std::time::{Duration, Instant};

use super::proxy::{Proxy, token};
use super::server::{Answer, Server};
use super::{all, keys, until};

#[test]
fn keys_that_are_there_are_used_as_long_as_the_new_one_says() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 1s", server.port);
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 1h", &rule);
    let good = token("RS256", "i");
    until(&proxy, &good, 200);
    server.tell(Answer::Status(503));
    proxy.edit("outrigger.io/jwks-refresh: 1s, outrigger.io/jwks-max-stale: 2s", &rule);
    until(&proxy, &good, 401);
    server.tell(Answer::Body(keys(&["rs256"])));
    until(&proxy, &good, 200);
}

#[test]
fn keys_are_asked_for_as_often_as_the_hastiest_of_two_rules_says() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys'", server.port);
    // Rules are looked at in this order: what is found by then is found for the other one.
    let hasty = format!(
        "{rule}}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: z-hasty, annotations: {{outrigger.io/jwks-refresh: 2s}}}}
spec:
  jwtRules: [{{issuer: j, jwksUri: 'http://127.0.0.1:{}/keys'",
        server.port
    );
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 1h", &hasty);
    let good = token("RS256", "i");
    until(&proxy, &good, 200);
    let asked = server.asked();
    all(&proxy, &good, super::THROUGH, Duration::from_secs(7));
    assert!(server.asked() >= asked + 2, "asked {} times", server.asked());
}

#[test]
fn a_server_that_hangs_holds_up_no_configuration_but_the_one_that_has_asked() {
    let server = Server::start(Answer::Hang);
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 15s", server.port);
    let proxy = Proxy::start("outrigger.io/token-cache: 'true'", &rule);
    assert_eq!(proxy.get(None).status, 200);
    // What has just been asked for counts as asked by the same configuration.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(server.asked(), 1);
    server.tell(Answer::Body(keys(&["rs256"])));
    proxy.edit("outrigger.io/token-cache: 'false'", &rule);
    let edited = Instant::now();
    while server.asked() == 1 {
        assert!(edited.elapsed() < Duration::from_secs(10), "nobody asks");
        std::thread::sleep(Duration::from_millis(20));
    }
    until(&proxy, &token("RS256", "i"), 200);
    assert_eq!(server.asked(), 2);
}
