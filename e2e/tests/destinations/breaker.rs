//! Limits of connections and requests, and the ejection of an endpoint that fails.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use super::upstream::{Service, answering};
use super::{CLUSTER, GATEWAY, Proxy, rule, service};

#[test]
fn what_is_over_the_limit_is_answered_at_once() {
    // The upstream answers nobody until all those are refused who are one too many.
    let gate = Arc::new(RwLock::new(()));
    let closed = gate.write().unwrap();
    let waiting = Arc::clone(&gate);
    let busy = answering(move || drop(waiting.read()));
    let limits = rule(
        "connectionPool: {tcp: {maxConnections: 3}, \
         http: {http1MaxPendingRequests: 50, maxRequestsPerConnection: 3}}",
    );
    let folder = tempfile::tempdir().unwrap();
    let (log, mesh) = (folder.path().join("access.log"), folder.path().join("mesh.yaml"));
    let format = "%RESPONSE_CODE% %RESPONSE_FLAGS%\\n";
    fs::write(&mesh, format!("accessLogFile: {}\naccessLogFormat: \"{format}\"\n", log.display())).unwrap();
    let proxy = Proxy::start(
        &[GATEWAY, &service(&[(busy, "")]), &limits],
        &["--mesh-config", mesh.to_str().unwrap()],
    );
    let answers = Mutex::new(Vec::new());
    let end = Instant::now() + Duration::from_secs(20);
    let before_any_is_served = thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let seen = proxy.get("/", &[]);
                answers.lock().unwrap().push((seen.status.unwrap(), seen.headers));
            });
        }
        let answered = || answers.lock().unwrap().len();
        while answered() < 100 - 53 && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        let before = answered();
        drop(closed);
        before
    });
    let answers = answers.into_inner().unwrap();
    let refused: Vec<_> = answers.iter().filter(|(status, ..)| *status == 503).collect();
    let served = answers.iter().filter(|(status, ..)| *status == 200).count();
    // Three on connections and fifty that wait; while the first connections are made, those three wait as well.
    assert!((50..=53).contains(&served) && served + refused.len() == 100, "{served} of 100 were served");
    assert!(before_any_is_served >= 100 - 53, "only {before_any_is_served} were refused at once");
    assert!(refused.iter().all(|(_, headers)| headers.get("x-envoy-overloaded").is_some()));
    let stat = |name: &str| proxy.stat(&format!("{CLUSTER}.{name}"));
    assert_eq!(stat("upstream_rq_pending_overflow"), u64::try_from(refused.len()).unwrap());
    // Three requests a connection, three connections at a time.
    assert!(stat("upstream_cx_total") >= u64::try_from(served.div_ceil(3)).unwrap());
    let full = u64::try_from(served / 3).unwrap();
    assert!((full - 3..=full).contains(&stat("upstream_cx_max_requests")), "{served} served");
    drop(proxy);
    let lines = fs::read_to_string(log).unwrap();
    assert_eq!(lines.lines().filter(|line| *line == "503 UO").count(), refused.len(), "{lines}");
    assert_eq!(lines.lines().filter(|line| *line == "200 -").count(), served, "{lines}");
}

#[test]
fn an_endpoint_that_fails_is_left_out_and_comes_back() {
    let (good, bad) = (Service::start("good"), Service::start("bad"));
    let entry = service(&[(good.port, ""), (bad.port, "")]);
    let policy = rule(
        "loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 2, interval: 200ms, \
         baseEjectionTime: 4s, maxEjectionPercent: 100}",
    );
    let proxy = Proxy::start(&[GATEWAY, &entry, &policy], &[]);
    let both = BTreeMap::from([("reviews-bad".to_owned(), 5), ("reviews-good".to_owned(), 5)]);
    assert_eq!(proxy.served(10), both);
    let port = bad.stop();
    let failing = proxy.served(10);
    assert_eq!(failing.get("503"), Some(&2), "{failing:?}");
    let ejected = || proxy.stat(&format!("{CLUSTER}.outlier_detection.ejections_active"));
    assert_eq!(ejected(), 1);
    assert_eq!(proxy.served(10), BTreeMap::from([("reviews-good".to_owned(), 10)]));
    let _again = Service::on(port, "bad");
    let end = Instant::now() + Duration::from_secs(30);
    while ejected() > 0 {
        assert!(Instant::now() < end, "it never comes back");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(proxy.served(10), both);
    assert_eq!(proxy.stat(&format!("{CLUSTER}.outlier_detection.ejections_enforced_consecutive_5xx")), 1);
}
