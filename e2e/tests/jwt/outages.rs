//! Servers that can't be asked for a while.

use std::time::{Duration, Instant};

use super::proxy::{Proxy, token};
use super::server::{Answer, Server};
use super::{THROUGH, all, keys, until};

const REFUSED: (u16, &str) = (401, "Jwks remote fetch is failed");

#[test]
fn keys_that_are_there_outlive_every_kind_of_outage() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 1s", server.port);
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 1s", &rule);
    let good = token("RS256", "i");
    until(&proxy, &good, 200);
    for answer in [
        Answer::Close,
        Answer::Hang,
        Answer::Slow,
        Answer::Status(500),
        Answer::Status(302),
        Answer::Long(10_000_000),
        Answer::Body("<html>down for maintenance</html>".to_owned()),
        Answer::Body("{\"keys\": []}".to_owned()),
    ] {
        let (asked, failed) = (server.asked(), proxy.stat("outrigger_jwks_fetch_failed"));
        server.tell(answer.clone());
        let count = all(&proxy, &good, THROUGH, Duration::from_secs(3));
        assert!(count > 20, "{answer:?}: only {count} requests");
        assert!(server.asked() > asked, "{answer:?}: nobody has asked");
        assert!(proxy.stat("outrigger_jwks_fetch_failed") > failed, "{answer:?}: did no harm");
        // Neither does any of these let anybody in.
        assert_eq!(proxy.get(Some(&token("ES256", "i"))).status, 401, "{answer:?}");
        assert_eq!(proxy.get(None).status, 200);
    }
    server.tell(Answer::Body(keys(&["rs256", "es256"])));
    until(&proxy, &token("ES256", "i"), 200);
}

#[test]
fn keys_are_not_used_for_ever() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 1s", server.port);
    let annotations = "outrigger.io/jwks-refresh: 1s, outrigger.io/jwks-max-stale: 2s";
    let proxy = Proxy::start(annotations, &rule);
    let good = token("RS256", "i");
    until(&proxy, &good, 200);
    server.tell(Answer::Status(503));
    let started = Instant::now();
    until(&proxy, &good, 401);
    // The last good answer may be as old as the interval.
    assert!(started.elapsed() > Duration::from_millis(1900), "{:?}", started.elapsed());
    all(&proxy, &good, REFUSED, Duration::from_secs(1));
    assert_eq!(proxy.get(None).status, 200);
    server.tell(Answer::Body(keys(&["rs256"])));
    until(&proxy, &good, 200);
}

#[test]
fn servers_are_asked_once_an_interval_by_all_threads_together() {
    let server = Server::start(Answer::Body(keys(&["rs256"])));
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys'", server.port);
    let proxy = Proxy::start("outrigger.io/jwks-refresh: 2s", &rule);
    let good = token("RS256", "i");
    until(&proxy, &good, 200);
    let (asked, started) = (server.asked(), Instant::now());
    assert_eq!(asked, 1);
    // Threads that all have the keys: of so many connections each thread gets some.
    all(&proxy, &good, THROUGH, Duration::from_secs(9));
    let (asked, seconds) = (server.asked() - asked, started.elapsed().as_secs_f64());
    // An interval is 1.6 to 1.8 s, and up to a second later somebody looks.
    let (least, most) = ((seconds / 2.9).floor(), (seconds / 1.6).ceil());
    assert!((least..=most).contains(&f64::from(asked)), "{asked} times in {seconds} s");
    assert_eq!(proxy.stat("outrigger_jwks_fetch_failed"), 0);
}
