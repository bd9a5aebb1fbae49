//! The benchmark compares like with like: our filters and Envoy's own decide alike on the resources it measures with.

use outrigger_e2e::bench::{check, options::Options};

#[test]
fn every_listener_decides_as_it_should() {
    check(&Options::by_default()).unwrap();
}
