//! Short runs of `./makew differential`.

use outrigger_e2e::differential::options::{Options, Which};
use outrigger_e2e::differential::run;

fn native_envoy_does_the_same(policy: Which, configurations: usize, requests: usize) {
    let summary = run(&Options::short(policy, configurations, requests)).unwrap();
    assert_eq!(summary.failed, 0);
    let deviate: usize = summary.deviations.values().sum();
    assert!(summary.passed + deviate >= requests, "{summary:?}");
    // A deviation is the exception.
    assert!(summary.passed >= requests * 9 / 10, "{summary:?}");
}

#[test]
fn routes() {
    native_envoy_does_the_same(Which::Routes, 200, 8_000);
}

#[test]
fn tokens() {
    native_envoy_does_the_same(Which::Jwt, 60, 6_000);
}

#[test]
fn authorization() {
    native_envoy_does_the_same(Which::Authz, 40, 4_000);
}
