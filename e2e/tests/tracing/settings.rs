//! Tags that were asked for, and what is passed on.

use super::mesh::Mesh;

#[test]
fn tags_of_ones_own_by_each_source() {
    let mesh = Mesh::start(
        "{providers: [{name: otlp}], randomSamplingPercentage: 100, enableIstioTags: false, customTags: {
            color: {literal: {value: blue}},
            home: {environment: {name: HOME, defaultValue: none}},
            absent: {environment: {name: OUTRIGGER_NO_SUCH_VARIABLE}},
            other: {environment: {name: OUTRIGGER_NO_SUCH_VARIABLE, defaultValue: instead}},
            tenant: {header: {name: X-Tenant, defaultValue: nobody}},
            nothing: {header: {name: x-nothing}},
            code: {formatter: {value: '%RESPONSE_CODE%-%REQ(:METHOD)%'}}}}",
        "",
    );
    assert_eq!(mesh.get("/here/a", &[("x-tenant", "acme")]).status, Some(200));
    let spans = mesh.trace("/here/a", 1);
    let tags = &spans[0].tags;
    for (tag, value) in [
        ("color", "blue"),
        ("home", &std::env::var("HOME").unwrap()),
        ("other", "instead"),
        ("tenant", "acme"),
        ("code", "200-GET"),
    ] {
        assert_eq!(tags.get(tag).map(String::as_str), Some(value), "{tag}: {tags:#?}");
    }
    assert!(!tags.contains_key("absent") && !tags.contains_key("nothing"), "{tags:#?}");
    assert!(tags.keys().all(|tag| !tag.starts_with("istio.") && !tag.starts_with("outrigger.")), "{tags:#?}");
}

#[test]
fn services_need_not_be_told() {
    let mesh = Mesh::start(
        "{providers: [{name: otlp}], randomSamplingPercentage: 100, disableContextPropagation: true}",
        "",
    );
    let seen = mesh.get("/headers", &[]);
    assert_eq!(seen.status, Some(200));
    assert!(!seen.body.to_lowercase().contains("traceparent"), "{}", seen.body);
    // Whoever is told nothing begins a trace of its own.
    let of_gateway = mesh.collector.trace(2, |span| span.service == "istio-ingressgateway.default").unwrap();
    let of_a = mesh.collector.trace(1, |span| span.service == "a.default").unwrap();
    assert_eq!((of_gateway.len(), of_a.len()), (2, 1), "{of_gateway:#?} {of_a:#?}");
    assert_ne!(of_gateway[0].trace, of_a[0].trace);
}

#[test]
fn only_one_side_may_be_traced() {
    let mesh =
        Mesh::start("{providers: [{name: otlp}], randomSamplingPercentage: 100, match: {mode: SERVER}}", "");
    assert_eq!(mesh.get("/via/b.default.svc.cluster.local/headers", &[]).status, Some(200));
    let of_b = mesh.collector.trace(1, |span| span.service == "b.default").unwrap();
    let of_a = mesh.collector.trace(1, |span| span.service == "a.default").unwrap();
    for span in of_a.iter().chain(&of_b) {
        assert_eq!(span.kind, "SERVER", "{span:#?}");
    }
    assert!(mesh.collector.spans().iter().all(|span| span.service != "istio-ingressgateway.default"));
}
