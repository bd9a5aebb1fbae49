//! Values that no encoding likes: they come out as they went in, or as is written down, and a scrape never breaks.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use outrigger_e2e::metrics;
use outrigger_e2e::ports::free_port;
use outrigger_e2e::prometheus::{Prometheus, Target, promtool_reads};
use outrigger_e2e::raw;

use super::proxy::{Place, Proxy, TO_HTTPBIN, edge, httpbin, service_entry};

/// What callers choose freely, and a text with every character that YAML, CEL and Prometheus would escape.
const TELEMETRY: &str = r#"---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: labels, namespace: edge}
spec:
  metrics:
  - overrides:
    - tagOverrides:
        team: {value: "request.headers['x-team']"}
        a: {value: "'one letter'"}
        fixed: {value: "'line\\nbreak \\\\ \"quoted\" ;.; =.='"}
"#;

/// Values of a header, and of the label that is made of it. Control characters, dots at the end, and what is no text,
/// can't stand in a label.
fn values() -> Vec<(Vec<u8>, String)> {
    let long = "x".repeat(4096);
    let same = [
        "dots.in.it",
        "\"quoted\"",
        "back\\slash",
        "\\\"",
        "\\n",
        "{a=\"b\"},c 1",
        "# TYPE",
        "ünïcödé 🦀 日本語",
        "a;b.c=d",
        "=",
        ".=x",
        "a;",
        ".;",
        "a;.;b",
        "a=.=b",
        "x;.;response_code=.=999;.;",
        "$1 \\1 %s %00",
        "istio_requests_total",
        &long,
    ];
    let changed = [
        // Envoy's own doing.
        (&b"a=."[..], "a="),
        (b"ends;.", "ends;"),
        (b"example.org...", "example.org"),
        (b"tab\there", "tab_here"),
        (b"latin-1 \xe9", "latin-1 \u{fffd}"),
        (b"\xff\xfe\xf0\x9f", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"", "unknown"),
    ];
    let same = same.iter().map(|text| (text.as_bytes().to_vec(), (*text).to_owned()));
    same.chain(changed.iter().map(|(bytes, text)| (bytes.to_vec(), (*text).to_owned()))).collect()
}

/// The name of the workload, which comes from whoever deploys it, and what is told of it.
const WORKLOAD: (&str, &str) =
    ("dots.and \"quotes\" \\ é 🦀;.;x=.=y;.", "dots.and \"quotes\" \\ é 🦀;.;x=.=y;");

#[test]
fn hostile_values_come_out_as_written_down() {
    let httpbin = httpbin();
    let resources = edge(TO_HTTPBIN) + &service_entry("httpbin", "HTTP", httpbin.port, "") + TELEMETRY;
    let flags = [format!("--workload={}", WORKLOAD.0)];
    let proxy = Proxy::start_with(&Place::Edge, &resources, &flags);
    let values = values();
    for (bytes, _) in &values {
        assert_eq!(raw::status_of(proxy.client.address(), &request(bytes)).unwrap(), 200, "{bytes:?}");
    }

    let page = metrics::page(&proxy.admin).unwrap();
    promtool_reads(&page).unwrap();
    let page: metrics::Exposition = page.parse().unwrap();
    let known: Vec<_> = page.families.keys().filter(|name| name.contains("istio")).collect();
    assert_eq!(
        known,
        [
            "istio_build",
            "istio_request_bytes",
            "istio_request_duration_milliseconds",
            "istio_requests_total",
            "istio_response_bytes"
        ]
    );
    let mut expected = BTreeMap::new();
    for (_, text) in &values {
        *expected.entry(text.clone()).or_insert(0.0) += 1.0;
    }
    let mut seen = BTreeMap::new();
    for sample in &page.families["istio_requests_total"].samples {
        seen.insert(sample.label("team").unwrap().to_owned(), sample.value);
        assert_eq!(sample.label("fixed"), Some("line_break \\ \"quoted\" ;.; =.="));
        assert_eq!(sample.label("response_code"), Some("200"));
        assert_eq!(sample.label("source_workload"), Some(WORKLOAD.1));
        assert_eq!(sample.label("a"), Some("one letter"));
        // Istio's, and the three that the Telemetry adds.
        assert_eq!(sample.labels.len(), 28, "{sample:?}");
    }
    assert_eq!(seen, expected);

    // A real scrape reads the same.
    let target = Target { instance: "edge".to_owned(), admin: proxy.admin.address().to_owned() };
    let prometheus = Prometheus::start(&[target], &[]).unwrap();
    let scraped = prometheus.query("sum by (team) (istio_requests_total)").unwrap();
    let scraped: BTreeMap<_, _> =
        scraped.into_iter().map(|series| (series.labels["team"].clone(), series.value)).collect();
    assert_eq!(scraped, expected);
}

fn request(value: &[u8]) -> Vec<u8> {
    let head = b"GET /status/200 HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\nx-team: ";
    [&head[..], value, b"\r\n\r\n"].concat()
}

/// A caller without a certificate describes itself, as Istio's proxies do, by texts of its choice.
#[test]
fn hostile_descriptions_of_peers_stay_in_their_labels() {
    let httpbin = httpbin();
    let proxy = Proxy::start(&Place::Inbound(free_port().unwrap(), httpbin.port), "");
    let mut expected = BTreeMap::new();
    // What separates labels in Envoy's names, and what no header can hold.
    let more = [
        ("a\u{1e}l\u{1f}999", "a_l_999"),
        ("\u{1e}5\u{1f}", "_5_"),
        ("line\nbreak", "line_break"),
        ("\0\u{9b}", "__"),
    ];
    let more = more.map(|(text, told)| (text.as_bytes().to_vec(), told.to_owned()));
    let texts = values().into_iter().filter(|(bytes, _)| std::str::from_utf8(bytes).is_ok());
    for (bytes, text) in texts.chain(more) {
        let labels = structure(&[("app", &bytes, STRING), ("version", b"v1", STRING)]);
        let peer = structure(&[("WORKLOAD_NAME", &bytes, STRING), ("LABELS", &labels, STRUCT)]);
        let headers = [("x-envoy-peer-metadata".to_owned(), BASE64_STANDARD.encode(peer))];
        let seen = proxy.client.request("GET", "shop.example", "/headers", &headers).unwrap();
        assert_eq!(seen.status, Some(200), "{seen:?}");
        assert_eq!(seen.request_headers.unwrap().get("x-envoy-peer-metadata"), None);
        *expected.entry((text.clone(), text)).or_insert(0.0) += 1.0;
    }
    let page = metrics::page(&proxy.admin).unwrap();
    promtool_reads(&page).unwrap();
    let page: metrics::Exposition = page.parse().unwrap();
    let mut seen = BTreeMap::new();
    for sample in &page.families["istio_requests_total"].samples {
        let label = |name: &str| sample.label(name).unwrap().to_owned();
        assert_eq!((label("source_version"), sample.labels.len()), ("v1".to_owned(), 25), "{sample:?}");
        seen.insert((label("source_workload"), label("source_app")), sample.value);
    }
    assert_eq!(seen, expected);
}

/// Kinds of values in a `google.protobuf.Struct`, by the tags of their fields.
const STRING: u8 = 0x1a;
const STRUCT: u8 = 0x2a;

/// A `google.protobuf.Struct`.
fn structure(entries: &[(&str, &[u8], u8)]) -> Vec<u8> {
    let entry = |(key, value, kind): &(&str, &[u8], u8)| {
        field(0x0a, &[field(0x0a, key.as_bytes()), field(0x12, &field(*kind, value))].concat())
    };
    entries.iter().flat_map(entry).collect()
}

/// A field with its tag and length.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let mut length = content.len();
    while length > 127 {
        bytes.push(u8::try_from(length % 128).unwrap() | 128);
        length /= 128;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend_from_slice(content);
    bytes
}
