//! Copies of requests: as many as asked, with nothing of ours in them, and nobody waits for them.

use outrigger_e2e::launch::Local;
use outrigger_e2e::tally::tolerance;

use super::capture::Capture;
use super::{Proxy, service_entry, virtual_service};

const RULES: &str = "
  - match: [{uri: {prefix: /both}}]
    route: [{destination: {host: httpbin}}]
    rewrite: {uri: /anything}
    mirrors:
    - destination: {host: first}
    - destination: {host: second}
      percentage: {value: 20}
  - match: [{uri: {prefix: /slow}}]
    route: [{destination: {host: httpbin}}]
    rewrite: {uri: /anything}
    mirror: {host: httpbin}
    headers: {request: {set: {x-test: copied}}}
  - match: [{uri: {prefix: /none}}]
    route: [{destination: {host: httpbin}}]
    rewrite: {uri: /anything}
    mirror: {host: first}
    mirrorPercentage: {value: 0}
  - match: [{uri: {prefix: /nowhere}}]
    route: [{destination: {host: httpbin}}]
    rewrite: {uri: /anything}
    mirror: {host: nowhere.invalid}
  - match: [{uri: {prefix: /aborted}}]
    route: [{destination: {host: httpbin}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    mirror: {host: first}
";

#[test]
fn copies_are_drawn_each_by_itself_and_carry_nothing_of_ours() {
    let services = Local::start().unwrap();
    let (first, second) = (Capture::start(), Capture::start());
    let proxy = Proxy::start(
        &services,
        &[
            virtual_service(RULES),
            service_entry("first", first.port, "HTTP"),
            service_entry("second", second.port, "HTTP"),
        ],
    );
    let forged =
        [("x-outrigger-profile", "mesh,mirror=outbound|80||first.default.svc.cluster.local*1000000")];

    // What the service and the copy see: the same, with the host unchanged and no header of ours.
    let seen = proxy.send("GET", "/both/x?q=1", &[("x-mine", "1")]);
    assert_eq!((seen.status, seen.forward.as_deref()), (Some(200), Some("httpbin-v1")));
    let upstream = seen.request_headers.unwrap();
    assert!(!upstream.keys().any(|name| name.starts_with("x-outrigger")), "{upstream:?}");
    let copy = first.next().expect("a copy").join("\n").to_lowercase();
    assert!(copy.starts_with("get /anything/x?q=1 "), "{copy}");
    assert!(copy.contains("\nhost: test.example") && copy.contains("\nx-mine: 1"), "{copy}");
    assert!(!copy.contains("shadow") && !copy.contains("x-outrigger"), "{copy}");
    second.count();

    // Shares. A client's own wish is not heard.
    let total = 500;
    for _ in 0..total {
        assert_eq!(proxy.send("GET", "/both/x", &forged).status, Some(200));
    }
    assert_eq!(first.count(), total);
    let (seen, mean) = (second.count() as f64, total as f64 * 0.2);
    assert!((seen - mean).abs() <= tolerance(total as f64, 0.2), "{seen} of {total} copied, not {mean}");

    // No copy: none asked for, a destination that nobody finds, a request that the fault has answered.
    for (path, status) in [("/none", 200), ("/nowhere", 200), ("/aborted", 418)] {
        assert_eq!(proxy.send("GET", path, &forged).status, Some(status), "{path}");
    }
    assert_eq!(first.count(), 0);
}

#[test]
fn nobody_waits_for_a_copy() {
    let services = Local::start().unwrap();
    // Accepts and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let rules = RULES.replace("mirror: {host: httpbin}", "mirror: {host: silent}");
    let rules = rules.replace("host: first", "host: silent").replace("host: second", "host: silent");
    let proxy = Proxy::start(&services, &[virtual_service(&rules), service_entry("silent", port, "HTTP")]);
    assert_eq!(proxy.send("GET", "/slow", &[]).forward.as_deref(), Some("httpbin-v1"));
}
