//! The whole of Istio's metrics that a proxy must show: each series with all of its labels, and none besides.
//!
//! A file a proxy: `defaults` are the labels that its requests have in common, on top of those that Istio gives where
//! nothing is known, and each entry of `requests` is one set of labels with the number of requests that have it; each
//! entry of `messages` those of gRPC, which have fewer labels. The version is told by every proxy.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::metrics::{self, Exposition, Kind};
use serde::Deserialize;

type Labels = BTreeMap<String, String>;

/// A metric and the labels of one of its series.
type Series = (String, Labels);

/// Those of each request over HTTP; of a histogram the number of its values is compared.
const OF_REQUESTS: [(&str, Kind); 4] = [
    ("istio_requests_total", Kind::Counter),
    ("istio_request_duration_milliseconds", Kind::Histogram),
    ("istio_request_bytes", Kind::Histogram),
    ("istio_response_bytes", Kind::Histogram),
];

/// Those of gRPC besides.
const OF_MESSAGES: [(&str, Kind); 2] =
    [("istio_request_messages_total", Kind::Counter), ("istio_response_messages_total", Kind::Counter)];

/// The labels that these lack.
const NOT_OF_MESSAGES: [&str; 5] = [
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
];

/// What runs, always 1.
const BUILD: (&str, Kind) = ("istio_build", Kind::Gauge);

/// Every label of a request, and what it says where nothing is known.
const DEFAULTS: &[(&str, &str)] = &[
    ("reporter", "unknown"),
    ("source_workload", "unknown"),
    ("source_canonical_service", "unknown"),
    ("source_canonical_revision", "latest"),
    ("source_workload_namespace", "unknown"),
    ("source_principal", "unknown"),
    ("source_app", "unknown"),
    ("source_version", "unknown"),
    ("source_cluster", "unknown"),
    ("destination_workload", "unknown"),
    ("destination_workload_namespace", "unknown"),
    ("destination_principal", "unknown"),
    ("destination_app", "unknown"),
    ("destination_version", "unknown"),
    ("destination_service", "unknown"),
    ("destination_service_name", "unknown"),
    ("destination_service_namespace", "unknown"),
    ("destination_canonical_service", "unknown"),
    ("destination_canonical_revision", "latest"),
    ("destination_cluster", "unknown"),
    ("request_protocol", "http"),
    ("response_code", "unknown"),
    ("grpc_response_status", ""),
    ("response_flags", "-"),
    ("connection_security_policy", "unknown"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: BTreeMap<String, Scalar>,
    requests: Vec<Entry>,
    #[serde(default)]
    messages: Vec<Messages>,
}

#[derive(Deserialize)]
struct Entry {
    count: u32,
    #[serde(flatten)]
    labels: BTreeMap<String, Scalar>,
}

#[derive(Deserialize)]
struct Messages {
    request: u32,
    response: u32,
    #[serde(flatten)]
    labels: BTreeMap<String, Scalar>,
}

/// A label's value, which may look like a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u64),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Waits until Envoy shows what `expected/NAME.yaml` says, and nothing more.
pub(crate) fn assert_metrics(admin: &Client, name: &str) {
    let expected = read(name);
    let mut settled = None;
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let difference = difference(&expected, &seen(&metrics::exposition(admin).unwrap()));
        match (difference.is_empty(), settled) {
            // A series too many may come late: it has to stay so for a while.
            (true, None) => settled = Some(Instant::now() + Duration::from_millis(500)),
            (true, Some(since)) if Instant::now() > since => return,
            (true, Some(_)) => {}
            (false, _) => {
                settled = None;
                assert!(Instant::now() < end, "{name}: the metrics differ\n{}", difference.join("\n"));
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn read(name: &str) -> BTreeMap<Series, f64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/telemetry/expected");
    let path = folder.join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File = yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let build = [("component", "proxy"), ("tag", env!("CARGO_PKG_VERSION"))];
    let build = build.map(|(label, value)| (label.to_owned(), value.to_owned())).into_iter().collect();
    let mut all = BTreeMap::from([((BUILD.0.to_owned(), build), 1.0)]);
    let mut add = |metric: &str, labels: &Labels, value: u32| {
        let new = all.insert((metric.to_owned(), labels.clone()), f64::from(value));
        assert!(new.is_none(), "{name}: twice {labels:?}");
    };
    for entry in &file.requests {
        let labels = whole(&file.defaults, &entry.labels);
        for (metric, _) in OF_REQUESTS {
            add(metric, &labels, entry.count);
        }
    }
    for entry in &file.messages {
        let mut labels = whole(&file.defaults, &entry.labels);
        labels.retain(|label, _| !NOT_OF_MESSAGES.contains(&label.as_str()));
        for ((metric, _), value) in OF_MESSAGES.iter().zip([entry.request, entry.response]) {
            add(metric, &labels, value);
        }
    }
    all
}

/// All labels of a series: those that it has of its own, then those of its file, then Istio's.
fn whole(of_file: &BTreeMap<String, Scalar>, own: &BTreeMap<String, Scalar>) -> Labels {
    let mut labels: Labels =
        DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (label, value) in of_file.iter().chain(own) {
        let known = labels.insert(label.clone(), value.text());
        assert!(known.is_some(), "`{label}` is no label of Istio's");
    }
    labels
}

/// Every series of every metric of Istio's. A histogram is told by its count: that the rest of it fits, its reader has
/// checked.
fn seen(page: &Exposition) -> BTreeMap<Series, f64> {
    let mut all = BTreeMap::new();
    for (name, family) in page.families.iter().filter(|(name, _)| name.starts_with("istio_")) {
        let known = OF_REQUESTS.iter().chain(&OF_MESSAGES).chain([&BUILD]).find(|(metric, _)| metric == name);
        assert_eq!(known.map(|(_, kind)| *kind), Some(family.kind), "the metric {name}");
        let count = format!("{name}_count");
        for sample in &family.samples {
            if family.kind != Kind::Histogram || sample.name == count {
                all.insert((name.clone(), sample.labels.clone()), sample.value);
            }
        }
    }
    all
}

/// What is missing, what nobody expects, and what has another value, in lines that differ only where the labels do.
fn difference(expected: &BTreeMap<Series, f64>, seen: &BTreeMap<Series, f64>) -> Vec<String> {
    let mut lines = Vec::new();
    for (series, value) in expected {
        match seen.get(series) {
            None => lines.push(format!("- {}", line(series, *value))),
            Some(other) if other != value => {
                lines.push(format!("~ {}, not {other}", line(series, *value)));
            }
            Some(_) => {}
        }
    }
    for (series, value) in seen.iter().filter(|(series, _)| !expected.contains_key(*series)) {
        lines.push(format!("+ {}", line(series, *value)));
    }
    lines
}

/// Only the labels that say something.
fn line((metric, labels): &Series, value: f64) -> String {
    let default = |name: &str| DEFAULTS.iter().find(|(label, _)| *label == name).map(|(_, value)| *value);
    let said: Vec<_> = labels
        .iter()
        .filter(|(name, value)| default(name) != Some(value.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let missing: Vec<_> = DEFAULTS.iter().filter(|(name, _)| !labels.contains_key(*name)).collect();
    let missing = if missing.is_empty() { String::new() } else { format!(" without {missing:?}") };
    format!("{metric} {{{}}}{missing} {value}", said.join(", "))
}

#[test]
fn a_series_more_or_less_or_otherwise_is_a_difference() {
    let series = |code: &str| {
        let mut labels: Labels =
            DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        labels.insert("response_code".to_owned(), code.to_owned());
        ("istio_requests_total".to_owned(), labels)
    };
    let map = |all: &[(&str, f64)]| all.iter().map(|(code, value)| (series(code), *value)).collect();
    let (expected, same) = (map(&[("200", 1.0)]), map(&[("200", 1.0)]));
    assert!(difference(&expected, &same).is_empty());
    for (other, mark) in [
        (map(&[]), "- istio_requests_total {response_code: 200} 1"),
        (map(&[("200", 1.0), ("404", 1.0)]), "+ istio_requests_total {response_code: 404} 1"),
        (map(&[("200", 2.0)]), "~ istio_requests_total {response_code: 200} 1, not 2"),
    ] {
        assert_eq!(difference(&expected, &other), [mark]);
    }
}
