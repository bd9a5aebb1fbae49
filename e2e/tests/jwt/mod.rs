//! Tokens on real Envoy: keys that are fetched, from servers that die, hang, talk nonsense and change their keys; and
//! rules that are tried out.

mod discovery;
mod edits;
mod first;
mod logged;
mod outages;
mod proxy;
mod rotation;
pub(crate) mod server;
mod tls;

use std::time::{Duration, Instant};

use serde_json::Value;

use self::proxy::Proxy;

/// The key set of `e2e/keys`, with these keys only.
fn keys(kids: &[&str]) -> String {
    let mut set: Value = serde_json::from_str(include_str!("../../keys/jwks.json")).unwrap();
    let list = set["keys"].as_array_mut().unwrap();
    list.retain(|key| kids.contains(&key["kid"].as_str().unwrap()));
    assert_eq!(list.len(), kids.len());
    set.to_string()
}

/// Sends requests with `token` until one is answered like this.
///
/// # Panics
/// None is within ten seconds.
fn until(proxy: &Proxy, token: &str, status: u16) {
    let started = Instant::now();
    loop {
        let answered = proxy.get(Some(token));
        if answered.status == status {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "still {answered:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends requests with `token` for so long, which all have to be answered like this; how many.
fn all(proxy: &Proxy, token: &str, (status, body): (u16, &str), time: Duration) -> usize {
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < time {
        let answered = proxy.get(Some(token));
        let at = started.elapsed();
        assert_eq!((answered.status, answered.body.as_str()), (status, body), "{answered:?} after {at:?}");
        count += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    count
}

/// What a request with a good token gets.
const THROUGH: (u16, &str) = (200, "through");
