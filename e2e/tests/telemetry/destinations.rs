//! Metrics name the workload that a request came to, also when the endpoints of its service change.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use outrigger_e2e::services::Single;

use super::proxy::{Place, Proxy, TO_HTTPBIN, edge};

/// So long a filter takes a workload to be where it was.
const FRESH: Duration = Duration::from_secs(1);

/// httpbin with an endpoint for each of these versions, which is the workload `httpbin-VERSION`.
fn resources(versions: &[(&str, u16)]) -> String {
    let endpoints = versions.iter().map(|(version, port)| {
        format!("  - {{address: 127.0.0.1, ports: {{http: {port}}}, labels: {{app: httpbin, version: {version}}}}}\n")
    });
    edge(TO_HTTPBIN)
        + "---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: httpbin, namespace: shop}
spec:
  hosts: [httpbin.shop.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}]
  endpoints:
" + &endpoints.collect::<String>()
}

/// How many requests came to each version, which is what its service is called.
fn send(proxy: &Proxy, count: usize) -> BTreeMap<String, u32> {
    let mut came = BTreeMap::new();
    for _ in 0..count {
        let seen = proxy.get("shop.example", "/headers", 200);
        let (service, _) = seen.forward.as_deref().unwrap().split_once('-').unwrap();
        *came.entry(service.to_owned()).or_default() += 1;
    }
    came
}

/// How many requests each version has been counted for.
fn counted(proxy: &Proxy) -> BTreeMap<String, u32> {
    let samples = outrigger_e2e::metrics::read(&proxy.admin, "istio_requests_total").unwrap();
    let each = samples.iter().map(|sample| {
        let label = |name: &str| sample.label(name).unwrap();
        assert_eq!(label("destination_service_name"), "httpbin.shop.svc.cluster.local", "{sample:?}");
        (label("destination_canonical_revision").to_owned(), sample.value as u32)
    });
    each.collect()
}

/// Waits for what the services and the metrics say to be the same.
fn assert_counted(proxy: &Proxy, before: &BTreeMap<String, u32>, came: &BTreeMap<String, u32>) {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let mut counted = counted(proxy);
        for (version, count) in &mut counted {
            *count -= before.get(version).copied().unwrap_or(0);
        }
        counted.retain(|_, count| *count > 0);
        if counted == *came {
            return;
        }
        assert!(Instant::now() < end, "{came:?} requests came to each, {counted:?} were counted");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits for the endpoints to be those of the last change, for every thread and filter.
fn wait_for(proxy: &Proxy, version: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while !send(proxy, 10).contains_key(version) {
        assert!(Instant::now() < end, "{version} gets no requests");
    }
    std::thread::sleep(FRESH + FRESH / 2);
}

#[test]
fn each_request_counts_for_the_workload_that_it_came_to() {
    let [one, two, three] = ["v1", "v2", "v3"].map(|version| Single::start("httpbin", version, "").unwrap());
    let proxy = Proxy::start(&Place::Edge, &resources(&[("v1", one.port)]));
    let check = || {
        let before = counted(&proxy);
        let came = send(&proxy, 60);
        assert_counted(&proxy, &before, &came);
        came
    };
    assert_eq!(check(), BTreeMap::from([("v1".to_owned(), 60)]));

    proxy.change(&resources(&[("v1", one.port), ("v2", two.port)]));
    wait_for(&proxy, "v2");
    assert_eq!(check().into_keys().collect::<Vec<_>>(), ["v1", "v2"]);

    proxy.change(&resources(&[("v3", three.port)]));
    wait_for(&proxy, "v3");
    assert_eq!(check(), BTreeMap::from([("v3".to_owned(), 60)]));
}
