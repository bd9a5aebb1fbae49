//! Endpoints come and go under load, and nothing else is touched.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::upstream::{Service, slow};
use super::{CLUSTER, GATEWAY, Proxy, rule, service};

#[test]
fn nothing_else_is_touched() {
    let services: Vec<_> = ["1", "2", "3"].map(Service::start).into_iter().collect();
    let with = |chosen: &[usize]| {
        service(&chosen.iter().map(|index| (services[*index].port, "")).collect::<Vec<_>>())
    };
    let proxy = Proxy::start(&[GATEWAY, &with(&[0])], &[]);
    let everything = || {
        [
            "cluster_manager.cluster_added",
            "cluster_manager.cluster_modified",
            "cluster_manager.cds.update_success",
            "listener_manager.lds.update_success",
            "listener_manager.listener_modified",
        ]
        .map(|name| proxy.stat(name))
    };
    let before = everything();
    let (stop, sent, failed) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seen = proxy.client.request("GET", "reviews.test", "/", &[]);
                    let good = seen.is_ok_and(|seen| seen.status == Some(200));
                    sent.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(u32::from(!good), Ordering::Relaxed);
                }
            });
        }
        let sets: [&[usize]; 6] = [&[0, 1], &[1, 2], &[2], &[0, 1, 2], &[1], &[0, 2]];
        for chosen in sets {
            proxy.change(&[GATEWAY, &with(chosen)]);
            proxy.says("reloaded: endpoints");
            thread::sleep(Duration::from_millis(100));
            let mut names: Vec<_> = proxy.served(24).into_keys().collect();
            names.sort();
            let wanted: Vec<_> = chosen.iter().map(|index| format!("reviews-{}", index + 1)).collect();
            assert_eq!(names, wanted);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (sent, failed) = (sent.into_inner(), failed.into_inner());
    assert!(sent > 300 && failed == 0, "{failed} of {sent} requests failed");
    assert_eq!(everything(), before);
    assert_eq!(proxy.stat(&format!("{CLUSTER}.update_success")), 7);
}

#[test]
fn the_endpoint_is_told_who_the_client_is() {
    let port = slow(Duration::ZERO);
    let entry = service(&[(port, "")]);
    let proxy = Proxy::start(&[GATEWAY, &entry, &rule("proxyProtocol: {version: V1}")], &[]);
    let first = proxy.get("/", &[]).body;
    assert!(first.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "), "{first:?}");
    proxy.change(&[GATEWAY, &entry, &rule("proxyProtocol: {version: V2}")]);
    proxy.says("reloaded");
    let first = proxy.get("/", &[]).body;
    assert!(first.starts_with(r"\r\n\r\n\x00\r\nQUIT\n"), "{first:?}");
}

/// As in the mesh: nothing else gets its requests, and the other subset is served on.
#[test]
fn a_subset_may_lose_its_last_endpoint() {
    let (one, two) = (Service::start("1"), Service::start("2"));
    let rule = "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews.test
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
";
    let subset = |name: &str| format!("{{route: [{{destination: {{host: reviews.test, subset: {name}}}}}]}}");
    let to_second = format!("http: [{{match: [{{uri: {{prefix: /2}}}}], {}", &subset("v2")[1..]);
    let gateway = GATEWAY.replace(
        "http: [{route: [{destination: {host: reviews.test}}], retries: {attempts: 0}}]",
        &format!("{to_second}, {}]", subset("v1")),
    );
    for resolution in ["STATIC", "DNS"] {
        let with = |endpoints: &[(u16, &str)]| service(endpoints).replace("STATIC", resolution);
        let v1 = (one.port, ", labels: {version: v1}");
        let both = with(&[v1, (two.port, ", labels: {version: v2}")]);
        let proxy = Proxy::start(&[&gateway, &both, rule], &[]);
        let of_second = || proxy.get("/2", &[]);
        assert_eq!(of_second().forward.as_deref(), Some("reviews-2"), "{resolution}");
        proxy.change(&[&gateway, &with(&[v1]), rule]);
        proxy.says("reloaded: ");
        let seen = of_second();
        assert_eq!((seen.status, seen.forward), (Some(503), None), "{resolution}");
        assert_eq!(proxy.get("/1", &[]).forward.as_deref(), Some("reviews-1"), "{resolution}");
        proxy.change(&[&gateway, &both, rule]);
        proxy.says("reloaded: ");
        assert_eq!(of_second().forward.as_deref(), Some("reviews-2"), "{resolution}");
    }
}
