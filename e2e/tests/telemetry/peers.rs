//! What proxies tell each other of their workloads reaches nobody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_e2e::ports::free_port;
use outrigger_e2e::tally::Seen;
use prost_types::value::Kind;
use prost_types::{Struct, Value};

use super::proxy::{Place, Proxy, httpbin, service_entry};

const HTTPBIN: &str = "httpbin.shop.svc.cluster.local:8000";
const METADATA: &str = "x-envoy-peer-metadata";
const ID: &str = "x-envoy-peer-metadata-id";

/// What Istio's proxies send: more fields than anybody needs, in an order of their own.
fn metadata(namespace: &str) -> String {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let labels = [("app", "mobile"), ("service.istio.io/canonical-name", "phone")];
    let labels = labels.map(|(name, value)| (name.to_owned(), text(value)));
    let labels = Value { kind: Some(Kind::StructValue(Struct { fields: labels.into() })) };
    let fields = [
        ("CLUSTER_ID", text("east")),
        ("INSTANCE_IPS", text("10.0.0.1,fe80::1")),
        ("LABELS", labels),
        ("NAME", text("phone-7d9c-x2k")),
        ("NAMESPACE", text(namespace)),
        ("PLATFORM_METADATA", Value { kind: Some(Kind::StructValue(Struct::default())) }),
        ("WORKLOAD_NAME", text("phone-v3")),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    STANDARD.encode(prost::Message::encode_to_vec(&Struct { fields: fields.into() }))
}

fn send(proxy: &Proxy, metadata: &str) -> Seen {
    let header = (METADATA.to_owned(), metadata.to_owned());
    let seen = proxy.client.request("GET", HTTPBIN, "/headers", &[header]).unwrap();
    assert_eq!(seen.status, Some(200), "{seen:?}");
    seen
}

/// Whether the service has got the headers.
fn is_told(seen: &Seen) -> bool {
    let headers = seen.request_headers.as_ref().unwrap();
    let [metadata, id] = [METADATA, ID].map(|name| headers.contains_key(name));
    assert_eq!(metadata, id, "only one of them: {headers:?}");
    metadata
}

/// The labels of a series that counts requests, by the end of the request that they describe.
fn labels(proxy: &Proxy, side: &str) -> Vec<String> {
    let samples = outrigger_e2e::metrics::read(&proxy.admin, "istio_requests_total").unwrap();
    let [sample] = samples.as_slice() else { panic!("not one series: {samples:?}") };
    ["workload", "workload_namespace", "canonical_service", "canonical_revision", "app", "version", "cluster"]
        .map(|label| sample.label(&format!("{side}_{label}")).unwrap().to_owned())
        .to_vec()
}

#[test]
fn both_ends_know_each_other_and_their_applications_see_nothing_of_it() {
    let (httpbin, port) = (httpbin(), free_port().unwrap());
    let server = Proxy::start(&Place::Inbound(port, httpbin.port), "");
    let client = Proxy::start(&Place::Outbound, &service_entry("httpbin", "HTTP", port, ""));
    let seen = client.get(HTTPBIN, "/headers", 200);
    assert!(!is_told(&seen));
    assert!([METADATA, ID].iter().all(|name| !seen.headers.contains_key(*name)), "{seen:?}");
    let of_server = ["httpbin-v1", "shop", "httpbin", "v1", "httpbin", "v1", "unknown"];
    assert_eq!(labels(&client, "destination"), of_server);
    let of_client = ["web", "front", "web-front", "seven", "web", "v7", "unknown"];
    assert_eq!(labels(&server, "source"), of_client);
}

#[test]
fn what_istios_proxies_send_is_understood_and_answered() {
    let httpbin = httpbin();
    let server = Proxy::start(&Place::Inbound(free_port().unwrap(), httpbin.port), "");
    let seen = send(&server, &metadata("apps"));
    assert!(!is_told(&seen));
    let answer = STANDARD.decode(&seen.headers[METADATA]).unwrap();
    let answer = <Struct as prost::Message>::decode(&*answer).unwrap();
    let text = |name: &str| match &answer.fields[name].kind {
        Some(Kind::StringValue(text)) => text.clone(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!((text("WORKLOAD_NAME"), text("NAMESPACE")), ("httpbin-v1".to_owned(), "shop".to_owned()));
    assert!(!seen.headers[ID].is_empty());
    let labels = labels(&server, "source");
    assert_eq!(labels, ["phone-v3", "apps", "phone", "latest", "mobile", "unknown", "east"]);
}

#[test]
fn who_tells_nothing_is_told_nothing() {
    let httpbin = httpbin();
    let server = Proxy::start(&Place::Inbound(free_port().unwrap(), httpbin.port), "");
    let seen = server.get(HTTPBIN, "/headers", 200);
    assert!(!seen.headers.contains_key(METADATA), "{seen:?}");
    assert_eq!(labels(&server, "source")[0], "unknown");
    // Garbage does no harm.
    for garbage in ["%%%", "AAAA", "CgoKCgo="] {
        assert!(!is_told(&send(&server, garbage)), "{garbage}");
    }
    assert_eq!(labels(&server, "source")[0], "unknown");
}

#[test]
fn nobody_outside_of_the_mesh_is_told() {
    let httpbin = httpbin();
    let outside =
        service_entry("httpbin", "HTTP", httpbin.port, "").replace("MESH_INTERNAL", "MESH_EXTERNAL");
    let client = Proxy::start(&Place::Outbound, &outside);
    assert!(!is_told(&client.get(HTTPBIN, "/headers", 200)));
    let inside = Proxy::start(&Place::Outbound, &service_entry("httpbin", "HTTP", httpbin.port, ""));
    assert!(is_told(&inside.get(HTTPBIN, "/headers", 200)));
}
