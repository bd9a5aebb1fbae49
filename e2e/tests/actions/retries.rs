//! The wait between tries, and what a request meets whose route is not there yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_e2e::launch::Local;

use super::{Proxy, virtual_service};

const RULES: &str = "
  - match: [{uri: {prefix: /flaky/slow}}]
    route: [{destination: {host: httpbin}}]
    retries: {attempts: 1, retryOn: 5xx, backoff: 2s}
  - match: [{uri: {prefix: /flaky/plain}}]
    route: [{destination: {host: httpbin}}]
    retries: {attempts: 1, retryOn: 5xx}
  - match: [{uri: {prefix: /flaky/same}}]
    route: [{destination: {host: reviews}}]
    retries: {attempts: 2, retryOn: 5xx, retryIgnorePreviousHosts: false}
  - match: [{uri: {prefix: /flaky/far}}]
    route: [{destination: {host: httpbin}}]
    retries: {attempts: 2, retryOn: 5xx, retryRemoteLocalities: true}
";

/// Envoy waits for a random part of the base, the 25 ms of its default or our 2 s: of 24 waits the sum is 24 s at the
/// mean, and less than 8 s once in a billion runs.
#[test]
fn the_first_retry_waits_for_up_to_the_base() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES)]);
    let waited = |kind: &str| -> f64 {
        let took = std::thread::scope(|scope| {
            let each = |number| {
                let proxy = &proxy;
                scope.spawn(move || {
                    let seen = proxy.send("GET", &format!("/flaky/{kind}{number}/1/503"), &[]);
                    assert_eq!(seen.status, Some(200), "{seen:?}");
                    seen.took.unwrap_or_default()
                })
            };
            let workers: Vec<_> = (0..24).map(each).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        took.iter().sum()
    };
    let (slow, plain) = (waited("slow"), waited("plain"));
    assert!(slow > 8.0, "24 waits of up to 2 s came to {slow} s");
    assert!(plain < slow / 2.0, "24 waits of up to 25 ms came to {plain} s, those of up to 2 s to {slow} s");
}

#[test]
fn every_profile_retries() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES)]);
    for number in 0..4 {
        assert_eq!(proxy.send("GET", &format!("/flaky/far{number}/2/503"), &[]).status, Some(200));
        assert_eq!(proxy.send("GET", &format!("/flaky/same{number}/1/503"), &[]).status, Some(200));
    }
}

/// Filters and routes change at different moments: nobody may notice.
#[test]
fn no_request_fails_while_profiles_come_and_go() {
    let services = Local::start().unwrap();
    let rules = |backoff: &str| {
        virtual_service(&format!(
            "
  - route: [{{destination: {{host: httpbin}}}}]
    retries: {{attempts: 2, retryOn: 5xx{backoff}}}
"
        ))
    };
    let proxy = Proxy::start(&services, &[rules("")]);
    let file = proxy.folder.path().join("resources.yaml");
    let rounds =
        [", backoff: 10ms", ", retryIgnorePreviousHosts: false", "", ", retryRemoteLocalities: true"];
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                let seen = proxy.send("GET", &format!("/flaky/reload{sent}/2/503"), &[]);
                assert_eq!(seen.status, Some(200), "request {sent}: {seen:?}");
                sent += 1;
            }
            sent
        });
        for round in rounds {
            std::thread::sleep(Duration::from_millis(1500));
            let text = [super::GATEWAY, &rules(round)].join("\n---\n");
            std::fs::write(&file, text).unwrap();
        }
        std::thread::sleep(Duration::from_millis(2500));
        stop.store(true, Ordering::Relaxed);
        assert!(sender.join().unwrap() > 20);
    });
}
