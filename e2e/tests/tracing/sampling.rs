//! How many requests are traced.

use std::collections::BTreeMap;
use std::time::Duration;

use super::mesh::Mesh;

/// Requests to the gateway, all of them answered there.
const REQUESTS: usize = 4000;

fn sampled(percent: &str) -> usize {
    let tracing = format!("{{providers: [{{name: otlp}}], randomSamplingPercentage: {percent}}}");
    let mesh = Mesh::start(&tracing, "");
    for _ in 0..REQUESTS {
        assert_eq!(mesh.get("/here", &[]).status, Some(200));
    }
    // Envoy sends what it has at least every five seconds.
    std::thread::sleep(Duration::from_secs(6));
    mesh.collector.spans().len()
}

#[test]
fn one_percent() {
    // 40 are to be expected, with a standard deviation of 6.3: one run in millions is outside of this.
    let sampled = sampled("1");
    assert!((8..=80).contains(&sampled), "{sampled}");
}

#[test]
fn all_and_none() {
    assert_eq!(sampled("100"), REQUESTS);
    assert_eq!(sampled("0"), 0);
}

/// The gateway decides, and its decision goes on with the request's id.
#[test]
fn what_is_traced_is_traced_as_a_whole() {
    let mesh = Mesh::start("{providers: [{name: otlp}], randomSamplingPercentage: 50}", "");
    for _ in 0..60 {
        assert_eq!(mesh.get("/via/b.default.svc.cluster.local/status/200", &[]).status, Some(200));
    }
    std::thread::sleep(Duration::from_secs(6));
    let mut traces = BTreeMap::<String, usize>::new();
    for span in mesh.collector.spans() {
        *traces.entry(span.trace).or_default() += 1;
    }
    // 30 are to be expected, with a standard deviation of 3.9.
    assert!((10..=50).contains(&traces.len()), "{traces:?}");
    assert!(traces.values().all(|spans| *spans == 5), "{traces:?}");
}
