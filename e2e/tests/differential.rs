//! A short run of `./makew differential`.

use outrigger_e2e::differential::{options::Options, run};

#[test]
fn native_envoy_does_the_same() {
    let summary = run(&Options::short(200, 8_000)).unwrap();
    assert_eq!(summary.failed, 0);
    assert!(summary.passed >= 8_000);
}
