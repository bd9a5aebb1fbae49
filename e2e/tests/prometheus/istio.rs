//! What Istio's own dashboards ask, as far as it is about HTTP.

use super::ask::{assert_data, filled, queries};
use super::traffic::Traffic;

/// Each dashboard with what is chosen on it.
const DASHBOARDS: &[(&str, &[(&str, &str)])] = &[
    (include_str!("queries/istio-mesh.promql"), &[]),
    (
        include_str!("queries/istio-service.promql"),
        &[
            ("$service", "b.demo-b.svc.cluster.local"),
            ("$qrep", "source|destination"),
            ("$srccluster", ".*"),
            ("$srcns", ".*"),
            ("$srcwl", ".*"),
            ("$dstcluster", ".*"),
            ("$dstns", ".*"),
            ("$dstwl", ".*"),
        ],
    ),
    (
        include_str!("queries/istio-workload.promql"),
        &[
            ("$workload", "a"),
            ("$namespace", "demo-app"),
            ("$qrep", "source|destination"),
            ("$srcns", ".*"),
            ("$srcwl", ".*"),
            ("$dstsvc", ".*"),
        ],
    ),
    (include_str!("queries/istio-performance.promql"), &[]),
];

#[test]
fn istios_dashboards_have_data() {
    let traffic = Traffic::start();
    traffic.observed(&[], |prometheus| {
        let mut all = Vec::new();
        for (text, variables) in DASHBOARDS {
            all.extend(queries(text).into_iter().map(|query| filled(query, variables)));
        }
        assert_data(prometheus, &all);
    });
}
