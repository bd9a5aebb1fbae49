//! The same caller reaches the same endpoint, by header, cookie, query parameter or address.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_e2e::launch::Local;

use super::{Proxy, virtual_service};

const RULES: &str = "
  - match: [{uri: {prefix: /header}}]
    route: [{destination: {host: reviews}}]
  - match: [{uri: {prefix: /cookie}}]
    route: [{destination: {host: reviews, subset: cookie}}]
  - match: [{uri: {prefix: /query}}]
    rewrite: {uri: /elsewhere}
    route: [{destination: {host: reviews, subset: query}}]
  - match: [{uri: {prefix: /address}}]
    route: [{destination: {host: reviews, subset: address}}]
  - match: [{uri: {prefix: /plain}}]
    route: [{destination: {host: reviews, subset: plain}}]
  - match: [{uri: {prefix: /flaky/hashed}}]
    route: [{destination: {host: reviews}}]
  - match: [{uri: {prefix: /flaky/plain}}]
    route: [{destination: {host: reviews, subset: plain}}]
";

const BALANCING: &str = "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: hashes
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {consistentHash: {httpHeaderName: x-user}}
  subsets:
  - name: cookie
    labels: {app: reviews}
    trafficPolicy:
      loadBalancer:
        consistentHash:
          httpCookie: {name: user, ttl: 60s, path: /cookie, attributes: [{name: SameSite, value: Strict}]}
          maglev: {tableSize: 251}
  - name: query
    labels: {app: reviews}
    trafficPolicy: {loadBalancer: {consistentHash: {httpQueryParameterName: user}}}
  - name: address
    labels: {app: reviews}
    trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}
  - name: plain
    labels: {app: reviews}
    trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
";

fn served_by(proxy: &Proxy, path: &str, headers: &[(&str, &str)]) -> String {
    let seen = proxy.send("GET", path, headers);
    assert_eq!(seen.status, Some(200), "{path}: {seen:?}");
    seen.forward.expect("a service")
}

#[test]
fn a_caller_stays_where_it_is() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES), BALANCING.to_owned()]);
    let both = BTreeSet::from(["reviews-v1".to_owned(), "reviews-v2".to_owned()]);
    let users: Vec<String> = (0..24).map(|user| format!("user{user}")).collect();

    type Ask<'a> = &'a dyn Fn(&str) -> String;
    let cookie = |user: &str| served_by(&proxy, "/cookie", &[("cookie", &format!("a=b; user={user}"))]);
    let ways: [(&str, Ask<'_>); 3] = [
        ("header", &|user| served_by(&proxy, "/header", &[("x-user", user)])),
        ("query", &|user| served_by(&proxy, &format!("/query?a=b&user={user}"), &[])),
        ("cookie", &cookie),
    ];
    for (way, ask) in ways {
        let homes: BTreeMap<&str, String> = users.iter().map(|user| (user.as_str(), ask(user))).collect();
        assert_eq!(homes.values().cloned().collect::<BTreeSet<_>>(), both, "{way}");
        for (user, home) in homes {
            assert_eq!((0..4).map(|_| ask(user)).find(|seen| *seen != home), None, "{user} by {way}");
        }
    }

    // By address we are one caller; without anything to hash every endpoint serves.
    let seen = |path: &str| (0..24).map(|_| served_by(&proxy, path, &[])).collect::<BTreeSet<_>>();
    assert_eq!(seen("/address").len(), 1);
    assert_eq!(seen("/header"), both);
    assert_eq!(seen("/plain"), both);
}

#[test]
fn envoy_makes_the_cookie_that_is_missing() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES), BALANCING.to_owned()]);
    let first = proxy.send("GET", "/cookie", &[]);
    let cookie = first.headers.get("set-cookie").expect("a cookie").clone();
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(attributes, "Max-Age=60; Path=/cookie; SameSite=Strict; HttpOnly");
    assert!(pair.starts_with("user="), "{cookie}");
    for _ in 0..8 {
        let again = proxy.send("GET", "/cookie", &[("cookie", pair)]);
        assert_eq!(
            (again.forward.as_deref(), again.headers.get("set-cookie")),
            (first.forward.as_deref(), None)
        );
    }
    assert_eq!(proxy.send("GET", "/header", &[]).headers.get("set-cookie"), None);
}

/// Each endpoint fails twice before it answers, and the mesh retries twice: only who tries the same one three times
/// succeeds.
#[test]
fn retries_stay_with_the_endpoint_of_the_hash() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(&services, &[virtual_service(RULES), BALANCING.to_owned()]);
    let status = |path: &str| {
        let headers = [("content-type", "application/grpc"), ("x-user", "me")];
        proxy.send("POST", path, &headers).headers.get("grpc-status").cloned()
    };
    for attempt in 0..5 {
        assert_eq!(status(&format!("/flaky/hashed{attempt}/2/unavailable")).as_deref(), Some("0"));
        assert_eq!(status(&format!("/flaky/plain{attempt}/2/unavailable")).as_deref(), Some("14"));
    }
}
