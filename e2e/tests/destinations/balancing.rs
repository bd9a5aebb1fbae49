//! Each way of choosing an endpoint, by what real endpoints get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::upstream::{Service, slow};
use super::{GATEWAY, Proxy, count, rule, service};

fn three() -> Vec<Service> {
    ["1", "2", "3"].map(Service::start).into_iter().collect()
}

fn at(services: &[Service]) -> String {
    service(&services.iter().map(|service| (service.port, "")).collect::<Vec<_>>())
}

/// Whether `count` of `all` is what a share of `share` gives, within four standard deviations.
fn is_share(count: u32, all: u32, share: f64) -> bool {
    let all = f64::from(all);
    (f64::from(count) - all * share).abs() <= 4.0 * (all * share * (1.0 - share)).sqrt()
}

#[test]
fn round_robin_random_and_hashes() {
    let services = three();
    let entry = at(&services);
    let with = |balancer: &str| rule(&format!("loadBalancer: {{{balancer}}}"));
    let proxy = Proxy::start(&[GATEWAY, &entry, &with("simple: ROUND_ROBIN")], &[]);
    let all = ["reviews-1", "reviews-2", "reviews-3"];
    assert_eq!(proxy.served(90), all.map(|name| (name.to_owned(), 30)).into());

    proxy.change(&[GATEWAY, &entry, &with("simple: RANDOM")]);
    proxy.says("reloaded");
    let served = proxy.served(600);
    assert!(served.len() == 3 && served.values().all(|one| is_share(*one, 600, 1.0 / 3.0)), "{served:?}");

    for algorithm in ["ringHash: {minimumRingSize: 1024}", "maglev: {tableSize: 65537}"] {
        let hash = format!("consistentHash: {{httpHeaderName: x-user, {algorithm}}}");
        proxy.change(&[GATEWAY, &entry, &with(&hash)]);
        proxy.says("reloaded");
        let home = |user: u32| proxy.get("/", &[("x-user", &format!("user{user}"))]).forward.unwrap();
        let homes: Vec<_> = (0..60).map(home).collect();
        assert_eq!(homes, (0..60).map(home).collect::<Vec<_>>(), "{algorithm}");
        for name in all {
            let share = u32::try_from(homes.iter().filter(|home| *home == name).count()).unwrap();
            assert!(is_share(share, 60, 1.0 / 3.0), "{algorithm}: {name} has {share} of 60");
        }
    }
}

#[test]
fn least_request_prefers_who_has_nothing_to_do() {
    let services = [Service::start("1"), Service::start("2")];
    let busy = slow(Duration::from_millis(100));
    let entry = service(&[(services[0].port, ""), (services[1].port, ""), (busy, "")]);
    let share = |policy: &str| {
        let proxy = Proxy::start(&[GATEWAY, &entry, &rule(policy)], &[]);
        let served = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let seen = proxy.get("/", &[]);
                        served.lock().unwrap().push(seen);
                    }
                });
            }
        });
        let counts = count(served.into_inner().unwrap().into_iter());
        *counts.get("reviews-slow").unwrap_or(&0)
    };
    let (least, turns) =
        (share("loadBalancer: {simple: LEAST_REQUEST}"), share("loadBalancer: {simple: ROUND_ROBIN}"));
    assert!((130..=137).contains(&turns) && least * 2 < turns, "of 400: {least}, in turn {turns}");
}

#[test]
fn localities_by_share_and_by_distance() {
    let mut services = three();
    let places = ["eu/1/a", "eu/2/a", "us/1/a"];
    let endpoints: Vec<_> = services
        .iter()
        .zip(places)
        .map(|(service, place)| (service.port, format!(", locality: {place}")))
        .collect();
    let endpoints: Vec<_> = endpoints.iter().map(|(port, more)| (*port, more.as_str())).collect();
    let entry = service(&endpoints);
    let shares = rule(
        "loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {distribute: \
         [{from: eu/1/*, to: {eu/1/*: 70, eu/2/*: 20, us/*: 10}}]}}",
    );
    let proxy = Proxy::start(&[GATEWAY, &entry, &shares], &["--locality", "eu/1/a"]);
    let served = proxy.served(500);
    for (name, share) in [("reviews-1", 0.7), ("reviews-2", 0.2), ("reviews-3", 0.1)] {
        assert!(is_share(served[name], 500, share), "{name}: {served:?}");
    }

    let distance = rule(
        "outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100}, \
         loadBalancer: {localityLbSetting: {failover: [{from: eu, to: us}]}}",
    );
    proxy.change(&[GATEWAY, &entry, &distance]);
    proxy.says("reloaded");
    let only = |name: &str| BTreeMap::from([(name.to_owned(), 20)]);
    for name in ["reviews-1", "reviews-2", "reviews-3"] {
        assert_eq!(proxy.served(20), only(name));
        services.remove(0).stop();
        if services.is_empty() {
            break;
        }
        // The first to find it gone.
        let found: BTreeSet<_> = (0..3).map(|_| proxy.get("/", &[]).status).collect();
        assert!(found.contains(&Some(503)), "{found:?}");
        // Envoy gathers the changes of a second before its workers get them.
        thread::sleep(Duration::from_millis(2500));
    }
}
