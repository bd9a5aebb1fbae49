//! Places for logs and traces in the mesh configuration, and what goes by default.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::parse_mesh_config;
use crate::types::mesh_config::MeshConfig;
use crate::types::telemetry::CustomTag;
use crate::types::telemetry_provider::{
    Collector, HeaderSource, LogFormat, OtlpExporter, TelemetryProviderKind as Kind,
};

fn read(text: &str) -> (MeshConfig, Vec<String>) {
    let (mesh, problems) = parse_mesh_config(text.as_bytes(), "m");
    (mesh, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn what_each_kind_says_is_kept() {
    let (mesh, problems) = read("
extensionProviders:
- {name: file, envoyFileAccessLog: {path: /a, logFormat: {labels: {k: {n: 1}}}}}
- {name: bare, envoyFileAccessLog: {}}
- {name: otel, opentelemetry: {service: a/b.test, port: 4318, http: {path: /v1, headers: [{name: x-a, envName: TOKEN}]}}}
- {name: zip, zipkin: {service: c.test, port: 9411}}
- {name: prom, prometheus: {}}
- {name: ask, envoyExtAuthzGrpc: {service: d.test, port: 1}}
");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(mesh.extension_providers.len(), 1);
    let [file, bare, otel, zip, prometheus] = &mesh.telemetry_providers[..] else { panic!("{mesh:?}") };
    let Kind::FileAccessLog(file) = &file.kind else { panic!("{file:?}") };
    let Some(LogFormat::Labels(labels)) = &file.format else { panic!("{file:?}") };
    assert_eq!((file.path.as_str(), labels["k"]["n"].as_i64()), ("/a", Some(1)));
    let Kind::FileAccessLog(bare) = &bare.kind else { panic!("{bare:?}") };
    assert_eq!((bare.path.as_str(), &bare.format), ("/dev/stdout", &None));
    let Kind::OpenTelemetry(otel) = &otel.kind else { panic!("{otel:?}") };
    let OtlpExporter::Http(http) = &otel.exporter else { panic!("{otel:?}") };
    assert_eq!(http.headers[0].value, HeaderSource::Environment("TOKEN".to_owned()));
    assert_eq!(otel.collector.service.to_string(), "a/b.test");
    let Kind::Zipkin(zip) = &zip.kind else { panic!("{zip:?}") };
    assert_eq!((zip.path.as_str(), zip.short_ids, zip.w3c), ("/api/v2/spans", false, false));
    assert_eq!(prometheus.kind, Kind::Prometheus);
}

#[test]
fn defaults_and_the_tracing_of_proxies_are_kept() {
    let (mesh, problems) = read("
enableTracing: false
extensionProviders: [{name: B, envoyFileAccessLog: {}}, {name: a, zipkin: {service: z.test, port: 1}}]
defaultProviders: {tracing: [a], metrics: [prometheus], accessLogging: [envoy, b]}
defaultConfig:
  meshId: mine
  tracing: {zipkin: {address: '[::1]:9411'}, sampling: 0, customTags: {t: {literal: {value: v}}}, enableIstioTags: false}
");
    assert_eq!(problems, Vec::<String>::new());
    assert!(mesh.without_tracing);
    assert_eq!(mesh.default_providers.access_logging, ["envoy", "b"]);
    assert_eq!((mesh.mesh_id.as_deref(), mesh.tracing.sampling), (Some("mine"), None));
    let Some(Collector { service, port }) = &mesh.tracing.zipkin else { panic!("{mesh:?}") };
    assert_eq!((service.host.as_str(), *port), ("::1", 9411));
    assert_eq!(mesh.tracing.custom_tags["t"], CustomTag::Literal("v".to_owned()));
    assert_eq!(mesh.tracing.enable_istio_tags, Some(false));
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    for (provider, said) in [
        ("envoyOtelAls: {port: 1}", "error: missing `service`"),
        ("envoyOtelAls: {service: a}", "error: missing `port`"),
        ("zipkin: {service: 'a b', port: 1}", "error: `a b` is not a host name"),
        ("zipkin: {service: a, port: 1, traceContextOption: W3C}", "error: "),
        ("zipkin: {service: a, port: 1, pth: /}", "error: unknown field `pth`"),
        ("envoyFileAccessLog: {logFormat: {text: a, labels: {}}}", "error: only one of"),
        ("envoyFileAccessLog: {logFormat: {labels: [a]}}", "error: expected a mapping"),
        ("opentelemetry: {service: a, port: 1, http: {timeout: 1s}}", "error: missing `path`"),
        ("opentelemetry: {service: a, port: 1, http: {path: /}, grpc: {}}", "error: only one of"),
        (
            "opentelemetry: {service: a, port: 1, http: {path: /, headers: [{name: x}]}}",
            "missing one of `value`",
        ),
        (
            "opentelemetry: {service: a, port: 1, http: {path: /, headers: [{name: 'x y', value: z}]}}",
            "is not the name",
        ),
        (
            "opentelemetry: {service: a, port: 1, dynatraceSampler: {}}",
            "`dynatraceSampler` is not carried out",
        ),
        (
            "envoyHttpAls: {service: a, port: 1, additionalRequestHeadersToLog: ['a b']}",
            "error: `a b` is not the name",
        ),
        (
            "datadog: {service: a, port: 1}",
            "warning: extension providers of kind `datadog` are not carried out",
        ),
    ] {
        let (_, problems) = read(&format!("extensionProviders:\n- {{name: a, {provider}}}"));
        assert_eq!(problems.len(), 1, "{provider}: {problems:#?}");
        assert!(problems[0].contains(said), "{provider}: {problems:#?}");
    }
    for (text, said) in [
        ("accessLogEncoding: JSON\naccessLogFormat: '%PROTOCOL%'", "m:2:18: error: is not an object of JSON"),
        ("defaultConfig: {tracing: {sampling: 101}}", "error: percentage `101` is not within 0 and 100"),
        ("defaultConfig: {tracing: {zipkin: {address: zipkin}}}", "error: `zipkin` is not `host:port`"),
        ("defaultConfig: {tracing: {zipkin: {address: 'a:0'}}}", "error: `a:0` does not end in a port"),
        ("defaultConfig: {tracing: {datadog: {address: a}}}", "warning: `datadog` of the tracing of proxies"),
        ("defaultProviders: {tracing: [zip]}", "m:1:30: warning: no extension provider is called `zip`"),
        (
            "defaultProviders: {accessLogging: [prometheus]}",
            "provider `prometheus` is of kind `prometheus`: nothing is logged there",
        ),
        (
            "defaultProviders: {metrics: [envoy]}",
            "is of kind `envoyFileAccessLog`: no metrics are sent there",
        ),
        ("defaultProviders: {tracng: [a]}", "did you mean `tracing`?"),
    ] {
        let (_, problems) = read(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        assert!(problems[0].contains(said), "{text}: {problems:#?}");
    }
}
