//! What turns the names of the filters' metrics into Prometheus labels.

use std::collections::BTreeSet;

use outrigger_core::telemetry;

use crate::envoy::bootstrap::{HistogramBuckets, StatsConfig, TagSpecifier};
use crate::envoy::scalars::StringMatcher;

/// Upper bounds of Istio's duration histogram, in milliseconds.
const BUCKETS: [f64; 19] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

const OWN_LABELS: &[&str] = &[
    telemetry::VIRTUAL_SERVICE,
    telemetry::REQUEST_AUTHENTICATION,
    telemetry::AUTHORIZATION_POLICY,
    telemetry::DRY_RUN_ACTION,
    telemetry::DRY_RUN_RESULT,
    telemetry::COMPONENT,
    telemetry::TAG,
];

/// How the names of Istio's metrics begin.
const ISTIO: &str = "wasmcustom.istio_";

/// Labels and buckets of Istio's metrics, and the labels of those about faults, tokens and authorization. `added`: labels
/// that Telemetries add.
pub(super) fn config(added: &BTreeSet<String>) -> StatsConfig {
    let known: Vec<_> = telemetry::LABELS.iter().chain(OWN_LABELS).copied().collect();
    let added = added.iter().map(String::as_str).filter(|label| !known.contains(label));
    let all: Vec<_> = known.iter().copied().chain(added).collect();
    let tag =
        |label: &&str| TagSpecifier { tag_name: (*label).to_owned(), regex: telemetry::tag_regex(label) };
    let name = StringMatcher::Prefix(ISTIO.to_owned());
    StatsConfig {
        stats_tags: all.iter().map(tag).collect(),
        histogram_bucket_settings: vec![HistogramBuckets { name, buckets: BUCKETS.to_vec() }],
    }
}
