//! Issuers that say themselves where their keys are.

use super::proxy::{Proxy, free_port, token};
use super::server::{Answer, Server};
use super::{keys, until};

#[test]
fn the_keys_are_where_the_issuer_says() {
    let server = Server::start(Answer::Body(keys(&["es256"])));
    let uri = format!("{{\"jwks_uri\": \"http://127.0.0.1:{}/keys\"}}", server.port);
    let issuer = Server::start(Answer::Body(uri));
    // Found by its name, as those that are not addresses are.
    let name = format!("http://localhost:{}", issuer.port);
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 1s", &format!("issuer: '{name}'"));
    let good = token("ES256", &name);
    until(&proxy, &good, 200);
    assert_eq!(proxy.get(Some(&token("RS256", &name))).status, 401);

    // It may move.
    let other = Server::start(Answer::Body(keys(&["rs256"])));
    issuer.tell(Answer::Body(format!("{{\"jwks_uri\": \"http://127.0.0.1:{}/k\"}}", other.port)));
    until(&proxy, &token("RS256", &name), 200);
    until(&proxy, &good, 401);
    issuer.tell(Answer::Body(format!("{{\"jwks_uri\": \"http://127.0.0.1:{}/k\"}}", free_port())));
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(proxy.get(Some(&token("RS256", &name))).status, 200);
}
