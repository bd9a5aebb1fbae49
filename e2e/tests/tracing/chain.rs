//! One request, one trace: who is part of whom, what each is called, and what services are told.

use std::collections::BTreeMap;

use outrigger_e2e::collector::Span;

use super::mesh::{A, B, Mesh, short};

const PATH: &str = "/via/b.default.svc.cluster.local/headers";

/// The way of a request through all proxies.
fn whole_way() -> [String; 5] {
    [
        format!("istio-ingressgateway.default SERVER {A}/*"),
        "istio-ingressgateway.default CLIENT router outbound|80||a.default.svc.cluster.local egress"
            .to_owned(),
        format!("a.default SERVER {A}/*"),
        format!("a.default CLIENT {B}/*"),
        format!("b.default SERVER {B}/*"),
    ]
}

/// The headers that the last service got.
fn told(body: &str) -> BTreeMap<String, String> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let headers = body["headers"].as_object().unwrap().iter();
    headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect()
}

fn run(provider: &str, check: impl FnOnce(&Mesh, &[Span], &BTreeMap<String, String>)) {
    let mesh =
        Mesh::start(&format!("{{providers: [{{name: {provider}}}], randomSamplingPercentage: 100}}"), "");
    let seen = mesh.get(PATH, &[]);
    assert_eq!(seen.status, Some(200), "{seen:?}");
    let spans = mesh.trace(PATH, 5);
    assert_eq!(short(&spans), whole_way(), "{spans:#?}");
    assert_eq!(spans[0].parent, "", "{spans:#?}");
    for span in &spans {
        assert_eq!(span.trace.len(), 32, "{span:?}");
        assert_eq!(span.tags["http.status_code"], "200", "{span:?}");
    }
    check(&mesh, &spans, &told(&seen.body));
}

#[test]
fn by_otlp_over_grpc_and_with_istios_tags() {
    run("otlp", |mesh, spans, told| {
        let last = &spans[4];
        assert_eq!(told["traceparent"], format!("00-{}-{}-01", last.trace, last.id));
        assert!(!told.contains_key("x-b3-traceid"), "{told:?}");
        for (at, service) in [(0, "istio-ingressgateway"), (2, "a"), (3, "a"), (4, "b")] {
            let tags = &spans[at].tags;
            let revision = if at == 0 { "latest" } else { "v1" };
            for (tag, value) in [
                ("istio.canonical_service", service),
                ("istio.canonical_revision", revision),
                ("istio.mesh_id", "cluster.local"),
                ("istio.namespace", "default"),
                ("istio.cluster_id", "unknown"),
            ] {
                assert_eq!(tags[tag], value, "{tags:#?}");
            }
        }
        assert_eq!(spans[0].tags["outrigger.route"], "default/shop[1]");
        for none in ["outrigger.authz", "outrigger.authz_dry_run", "outrigger.fault", "outrigger.jwt"] {
            assert!(spans.iter().all(|span| !span.tags.contains_key(none)), "{none}: {spans:#?}");
        }
        assert!(mesh.collector.requests("grpc")[0]["user-agent"].starts_with("OTel-OTLP"));
    });
}

#[test]
fn by_otlp_over_http() {
    run("otlp-http", |mesh, spans, told| {
        assert_eq!(told["traceparent"], format!("00-{}-{}-01", spans[4].trace, spans[4].id));
        let requests = mesh.collector.requests("/v1/traces");
        assert!(requests.iter().all(|headers| headers["x-token"] == "secret"), "{requests:?}");
        assert!(requests.iter().all(|headers| headers["host"] == "collector.test"), "{requests:?}");
    });
}

#[test]
fn by_zipkin_with_b3() {
    run("b3", |mesh, spans, told| {
        let (last, before) = (&spans[4], &spans[3]);
        assert_eq!(told["x-b3-traceid"], last.trace);
        assert_eq!(told["x-b3-spanid"], last.id);
        assert_eq!(told["x-b3-parentspanid"], before.id);
        assert_eq!(told["x-b3-sampled"], "1");
        assert!(!told.contains_key("traceparent"), "{told:?}");
        assert_eq!(mesh.collector.requests("/api/v2/spans")[0]["host"], "collector.test");
    });
}

#[test]
fn by_zipkin_with_b3_and_w3c() {
    run("b3-and-w3c", |_, spans, told| {
        assert_eq!(told["x-b3-traceid"], spans[4].trace);
        assert_eq!(told["traceparent"], format!("00-{}-{}-01", spans[4].trace, spans[4].id));
    });
}

/// By OTLP Envoy reports it only if its own sampling says so too.
#[test]
fn a_trace_that_a_client_began_goes_on() {
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let w3c = format!("00-{trace}-{parent}-01");
    let b3 = [("x-b3-traceid", trace), ("x-b3-spanid", parent), ("x-b3-sampled", "1")];
    for (provider, percent, headers) in
        [("otlp", 100, &[("traceparent", w3c.as_str())][..]), ("b3", 0, &b3[..])]
    {
        let tracing = format!("{{providers: [{{name: {provider}}}], randomSamplingPercentage: {percent}}}");
        let mesh = Mesh::start(&tracing, "");
        let seen = mesh.get(PATH, headers);
        let spans = mesh.trace(PATH, 5);
        assert_eq!(short(&spans), whole_way());
        assert_eq!((spans[0].trace.as_str(), spans[0].parent.as_str()), (trace, parent));
        let told = told(&seen.body);
        let said = told.get("traceparent").or(told.get("x-b3-traceid"));
        assert!(said.is_some_and(|said| said.contains(trace)), "{told:?}");
    }
}
