//! Endpoints that are asked whether they work.

use std::collections::BTreeMap;

use super::upstream::Service;
use super::{CLUSTER, GATEWAY, Proxy, free_port, service};

#[test]
fn an_endpoint_that_does_not_answer_gets_no_request() {
    let good = Service::start("good");
    let annotated = |kind: &str| {
        let entry = service(&[(good.port, ""), (free_port(), "")]);
        let annotations = format!(
            "{{outrigger.io/health-check: '{kind}', outrigger.io/health-check-interval: 200ms, \
             outrigger.io/health-check-unhealthy-threshold: '1'}}"
        );
        entry.replace("{name: reviews}", &format!("{{name: reviews, annotations: {annotations}}}"))
    };
    let proxy = Proxy::start(&[GATEWAY, &annotated("http:/healthz")], &[]);
    assert_eq!(proxy.served(20), BTreeMap::from([("reviews-good".to_owned(), 20)]));
    assert_eq!(proxy.stat(&format!("{CLUSTER}.membership_healthy")), 1);
    assert_eq!(proxy.stat(&format!("{CLUSTER}.membership_total")), 2);
    proxy.change(&[GATEWAY, &annotated("tcp")]);
    proxy.says("reloaded");
    assert_eq!(proxy.served(20), BTreeMap::from([("reviews-good".to_owned(), 20)]));
}
