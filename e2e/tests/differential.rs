//! Short runs of `./makew differential`.

use outrigger_e2e::differential::options::{Options, Which};
use outrigger_e2e::differential::run;

#[test]
fn native_envoy_does_the_same() {
    for (policy, configurations, requests) in [(Which::Routes, 200, 8_000), (Which::Jwt, 60, 6_000)] {
        let summary = run(&Options::short(policy, configurations, requests)).unwrap();
        assert_eq!(summary.failed, 0, "{policy:?}");
        let deviate: usize = summary.deviations.values().sum();
        assert!(summary.passed + deviate >= requests, "{policy:?}: {summary:?}");
    }
}
