//! Requests that come before the first keys.

use std::net::TcpListener;
use std::time::Duration;

use super::proxy::{Proxy, free_port, token};
use super::server::{Answer, Server};
use super::{keys, until};

#[test]
fn requests_wait_for_a_server_that_starts_after_the_proxy() {
    let port = free_port();
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{port}/keys'");
    let proxy = Proxy::start("", &rule);
    let good = token("RS256", "i");
    std::thread::scope(|scope| {
        let early: Vec<_> = (0..40).map(|_| scope.spawn(|| proxy.get(Some(&good)))).collect();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(proxy.get(None).status, 200);
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let _server = Server::on(listener, Answer::Body(keys(&["rs256"])));
        for answer in early {
            let answered = answer.join().unwrap();
            assert_eq!(answered.status, 200, "{answered:?}");
        }
        until(&proxy, &good, 200);
    });
}

/// More than may wait, on each of its four threads.
const LEAVE: usize = 6000;

#[test]
fn who_has_left_takes_nobodys_place() {
    // Who asks is connected, and has no answer before anybody serves.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{port}/keys', timeout: 20s");
    let proxy = Proxy::start("", &rule);
    let good = token("RS256", "i");
    for _ in 0..LEAVE {
        proxy.ask_and_leave(&good);
    }
    std::thread::scope(|scope| {
        let patient: Vec<_> = (0..20).map(|_| scope.spawn(|| proxy.get(Some(&good)))).collect();
        std::thread::sleep(Duration::from_millis(200));
        let _server = Server::on(listener, Answer::Body(keys(&["rs256"])));
        for answer in patient {
            let answered = answer.join().unwrap();
            assert_eq!(answered.status, 200, "{answered:?}");
        }
    });
}

#[test]
fn nobody_waits_for_ever_and_nobody_is_let_in() {
    for answer in [Answer::Hang, Answer::Status(404)] {
        let server = Server::start(answer.clone());
        let rule = format!("issuer: i, jwksUri: 'http://127.0.0.1:{}/keys', timeout: 1s", server.port);
        let proxy = Proxy::start("", &rule);
        let good = token("RS256", "i");
        std::thread::scope(|scope| {
            let early: Vec<_> = (0..20).map(|_| scope.spawn(|| proxy.get(Some(&good)))).collect();
            for each in early {
                let answered = each.join().unwrap();
                let told = (answered.status, answered.body.as_str());
                assert_eq!(told, (401, "Jwks remote fetch is failed"), "{answer:?}");
                assert!(answered.after < Duration::from_secs(15), "{answered:?}");
            }
        });
        // What is wrong with a token is told before anybody needs a key.
        let answered = proxy.get(Some(&token("RS256", "j")));
        assert_eq!((answered.status, answered.body.as_str()), (401, "Jwt issuer is not configured"));
        assert_eq!(proxy.get(None).status, 200);
    }
}
