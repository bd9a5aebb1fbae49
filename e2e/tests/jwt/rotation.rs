//! Keys that change while requests come in.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::proxy::{Proxy, token};
use super::server::{Answer, Server};
use super::{keys, until};

#[test]
fn both_keys_count_while_both_are_in_the_set_and_the_old_one_ends_with_it() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 2s", server.port);
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 2s", &rule);
    let (old, new) = (token("RS256", "i"), token("ES256", "i"));
    until(&proxy, &old, 200);
    assert_eq!(proxy.get(Some(&new)).status, 401);

    // Once one thread has asked for the new key, each of them takes it, also one that has not looked since.
    server.tell(Answer::Body(keys(&["rs256", "es256"])));
    until(&proxy, &new, 200);
    let (done, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for token in [&old, &new, &old, &new] {
            let (proxy, done, count) = (&proxy, &done, &count);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let answered = proxy.get(Some(token));
                    assert_eq!(answered.status, 200, "{answered:?}");
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(5));
        done.store(true, Ordering::SeqCst);
    });
    assert!(count.load(Ordering::SeqCst) > 100, "{count:?}");

    // A token that is remembered goes with its key.
    server.tell(Answer::Body(keys(&["es256"])));
    until(&proxy, &old, 401);
    std::thread::sleep(Duration::from_secs(1));
    for _ in 0..40 {
        assert_eq!(proxy.get(Some(&old)).status, 401);
        assert_eq!(proxy.get(Some(&new)).status, 200);
    }
    assert!(proxy.stat("outrigger_jwt_cache_hit") > 100);
}

#[test]
fn tokens_with_a_key_that_nobody_has_do_not_make_the_proxy_ask_more_than_now_and_then() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys'", server.port);
    let proxy = Proxy::start("", &rule);
    until(&proxy, &token("RS256", "i"), 200);
    let unknown = token("ES256", "i");
    for _ in 0..200 {
        let answered = proxy.get(Some(&unknown));
        let told = (answered.status, answered.body.as_str());
        assert_eq!(told, (401, "Jwks doesn't have key to match kid or alg from Jwt"));
    }
    assert!(server.asked() <= 2, "{}", server.asked());
}
