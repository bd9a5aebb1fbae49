//! What the filter only asks for and the generic route carries out: retries and copies.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use outrigger_api::types::common::{Destination, ExportTo, Labels, Millionths};
use outrigger_api::types::destination_rule::{
    DestinationRule, HashAlgorithm, HashKey, LoadBalancer, LoadBalancerPolicy, PolicySettings,
    PortTrafficPolicy, Subset, TrafficPolicy,
};
use outrigger_api::types::virtual_service::{HttpRetry, HttpRoute, Mirror, RouteAction};
use outrigger_api::{Kind, Spec};

use super::super::super::testing::*;
use super::*;

fn retry(attempts: u32) -> HttpRetry {
    HttpRetry {
        attempts,
        per_try_timeout: None,
        retry_on: None,
        retry_remote_localities: None,
        retry_ignore_previous_hosts: None,
        backoff: None,
    }
}

fn to(host: &str, subset: Option<&str>) -> Destination {
    Destination { host: host.into(), subset: subset.map(Into::into), port: None }
}

fn served(rules: Vec<HttpRoute>, more: &[Resource]) -> Table {
    let mut resources = vec![gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], rules)];
    resources.extend_from_slice(more);
    table(&resources, &ingress())
}

/// The header `name` of what goes on to the router.
fn header(table: &Table, path: &str, draw: u32, name: &str) -> Option<String> {
    let all = outcome(table, &get("a.com", path, &[]), draw)?;
    let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.map(str::to_owned)
}

#[test]
fn each_retry_profile_needs_a_route_once() {
    let rule = |path: &str, change: fn(&mut HttpRetry)| {
        let mut retries = retry(2);
        change(&mut retries);
        on(HttpRoute { retries: Some(retries), ..forward(&[("v1", 0)]) }, &[prefix(path)])
    };
    let table = served(
        vec![
            rule("/plain", |_| {}),
            rule("/slow", |retries| retries.backoff = Some(Duration::from_secs(1))),
            rule("/slow2", |retries| retries.backoff = Some(Duration::from_secs(1))),
            rule("/far", |retries| retries.retry_remote_localities = Some(true)),
        ],
        &[],
    );
    let names: Vec<_> = table.profiles().iter().map(|profile| profile.name()).collect();
    assert_eq!(names, ["own,remote-localities", "own,back-off-ms=1000"]);
    let named = |path| header(&table, path, 0, "x-outrigger-profile");
    assert_eq!(named("/plain"), None);
    assert_eq!(named("/slow2").as_deref(), Some("own,back-off-ms=1000"));
    assert_eq!(named("/far").as_deref(), Some("own,remote-localities"));
}

#[test]
fn headers_of_the_router_are_removed_by_a_route() {
    let removing = |names: &[&str]| {
        let mut rule = forward(&[("v1", 0)]);
        rule.headers.request.remove = names.iter().map(|name| (*name).to_owned()).collect();
        rule
    };
    let table = served(
        vec![
            on(removing(&["x-forwarded-proto", "x-a", "x-envoy-attempt-count"]), &[prefix("/both")]),
            on(removing(&["x-a"]), &[prefix("/own")]),
        ],
        &[],
    );
    let named = |path| header(&table, path, 0, "x-outrigger-profile");
    let both = "mesh,remove=x-envoy-attempt-count,remove=x-forwarded-proto";
    assert_eq!(named("/both").as_deref(), Some(both));
    assert_eq!(named("/own"), None);
}

#[test]
fn mirrors_name_a_route_with_the_retries_around_them() {
    let mirror = |host: &str, millionths| Mirror {
        destination: to(host, None),
        percentage: Millionths::new(millionths),
    };
    let mirrors = vec![mirror("m0", 1_000_000), mirror("m1", 250_001)];
    let own = HttpRetry { backoff: Some(Duration::from_secs(1)), ..retry(1) };
    let table = served(
        vec![
            on(HttpRoute { mirrors: mirrors.clone(), ..forward(&[("v1", 0)]) }, &[prefix("/mesh")]),
            on(HttpRoute { mirrors, retries: Some(own), ..forward(&[("v1", 0)]) }, &[prefix("/own")]),
            forward(&[("v1", 0)]),
        ],
        &[],
    );
    let list = ",mirror=outbound|80||m0.default.svc.cluster.local*1000000\
                ,mirror=outbound|80||m1.default.svc.cluster.local*250001";
    for (path, expected) in [
        ("/mesh", Some(format!("mesh{list}"))),
        ("/own", Some(format!("own,back-off-ms=1000{list}"))),
        ("/none", None),
    ] {
        assert_eq!(header(&table, path, 0, "x-outrigger-profile"), expected, "{path}");
    }
    // A mirror needs a cluster as any destination does.
    let hosts: Vec<_> = table.destinations().map(|to| to.host.split('.').next().unwrap()).collect();
    assert_eq!(hosts, ["m0", "m1", "v1"]);
}

fn hashing(hash: bool) -> PolicySettings {
    let policy = match hash {
        true => LoadBalancerPolicy::ConsistentHash {
            key: HashKey::SourceIp,
            algorithm: HashAlgorithm::RingHash { minimum_ring_size: 1024 },
        },
        false => LoadBalancerPolicy::RoundRobin,
    };
    PolicySettings {
        load_balancer: Some(LoadBalancer { policy, ..LoadBalancer::default() }),
        ..PolicySettings::default()
    }
}

fn policy(hash: bool) -> Option<TrafficPolicy> {
    Some(TrafficPolicy { settings: hashing(hash), ..TrafficPolicy::default() })
}

fn destination_rule(host: &str, traffic_policy: Option<TrafficPolicy>, subsets: &[(&str, bool)]) -> Resource {
    let subsets = subsets.iter().map(|(name, hash)| Subset {
        name: (*name).to_owned(),
        labels: Labels::new(),
        traffic_policy: policy(*hash),
    });
    let rule = DestinationRule {
        host: outrigger_api::host::HostPattern::parse(host),
        traffic_policy,
        subsets: subsets.collect(),
        export_to: ExportTo::Default,
        workload_selector: None,
    };
    resource(host, Kind::DestinationRule, Spec::DestinationRule(Box::new(rule)))
}

#[test]
fn an_only_destination_chosen_by_a_hash_may_be_tried_again() {
    let subset = |name: &str| {
        let mut rule = forward(&[("sub", 0)]);
        let RouteAction::Route(routes) = &mut rule.action else { panic!("{rule:?}") };
        routes[0].destination = to("sub", Some(name));
        on(rule, &[prefix(&format!("/{name}"))])
    };
    let mut ports = policy(true);
    if let Some(policy) = &mut ports {
        policy.port_level_settings = vec![PortTrafficPolicy { port: 80, settings: hashing(false) }];
    }
    let own = HttpRoute { retries: Some(retry(3)), ..forward(&[("ring", 0)]) };
    let others = HttpRetry { retry_ignore_previous_hosts: Some(true), ..retry(3) };
    let table = served(
        vec![
            on(forward(&[("ring", 0)]), &[prefix("/ring")]),
            on(own, &[prefix("/own")]),
            on(HttpRoute { retries: Some(others), ..forward(&[("ring", 0)]) }, &[prefix("/others")]),
            on(forward(&[("ring", 1), ("v1", 1)]), &[prefix("/two")]),
            on(forward(&[("ports", 0)]), &[prefix("/ports")]),
            subset("hashed"),
            subset("turn"),
            subset("unknown"),
            on(forward(&[("plain", 0)]), &[prefix("/plain")]),
        ],
        &[
            destination_rule("ring", policy(true), &[]),
            destination_rule("ports", ports, &[]),
            destination_rule("sub", policy(true), &[("hashed", true), ("turn", false)]),
        ],
    );
    for (path, expected) in [
        ("/ring", Some("mesh,same-hosts")),
        ("/own", Some("own,same-hosts")),
        ("/others", None),
        ("/two", None),
        ("/ports", None),
        ("/hashed", Some("mesh,same-hosts")),
        ("/turn", None),
        ("/unknown", Some("mesh,same-hosts")),
        ("/plain", None),
    ] {
        assert_eq!(header(&table, path, 0, "x-outrigger-profile").as_deref(), expected, "{path}");
    }
}
