//! Envoy itself judges what is rendered.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod support;

use std::process::Command;
use std::{fs, path::Path};

use envoy_config::mesh_config::{AccessLogEncoding, MeshConfig, OutboundTraffic, PathNormalization};
use envoy_config::render::{AppPort, Filters, INBOUND_PORT, Options, render};
use outrigger_api::{Proxy, Role};

const GATEWAY: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}
  - {port: {number: 8443, name: grpc, protocol: GRPC}, hosts: ['*.example.com']}
";

/// Something of every kind that makes a difference in the rendered text.
const ROUTES: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ['*.example.com']
  gateways: [gw, mesh]
  http:
  - route:
    - {destination: {host: static.test, port: {number: 80}, subset: v1}, weight: 50}
    - {destination: {host: static.test, port: {number: 80}, subset: v2}, weight: 50}
    match: [{uri: {prefix: /static}}]
  - {route: [{destination: {host: dns.test, port: {number: 80}}}], match: [{uri: {prefix: /dns}}]}
  - {route: [{destination: {host: turns.test, port: {number: 80}}}], match: [{uri: {prefix: /turns}}]}
  - match: [{uri: {prefix: /actions}}]
    route:
    - {destination: {host: hashed, subset: ring}, weight: 1}
    - {destination: {host: hashed, subset: maglev}, weight: 1}
    - {destination: {host: hashed, subset: header}, weight: 1}
    - {destination: {host: hashed, subset: query}, weight: 1}
    mirrors: [{destination: {host: httpbin}}, {destination: {host: hashed}, percentage: {value: 1.5}}]
    retries: {attempts: 3, backoff: 1s, retryRemoteLocalities: true, retryIgnorePreviousHosts: false}
  - {route: [{destination: {host: hashed}}], match: [{uri: {prefix: /hashed}}]}
  - {route: [{destination: {host: httpbin, port: {number: 8000}}}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hashed}
spec:
  host: hashed
  trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}, outlierDetection: {minHealthPercent: 20}}
  subsets:
  - name: ring
    trafficPolicy:
      loadBalancer:
        consistentHash:
          httpCookie: {name: c, ttl: 0s, path: /p, attributes: [{name: SameSite, value: Lax}, {name: Secure}]}
          ringHash: {minimumRingSize: 77}
  - {name: maglev, trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: c}, maglev: {tableSize: 251}}}}}
  - {name: header, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
  - {name: query, trafficPolicy: {loadBalancer: {consistentHash: {httpQueryParameterName: user}}}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: static}
spec:
  hosts: [static.test]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1, labels: {version: v1}, weight: 3}, {address: '::1', labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: dns}
spec:
  hosts: [dns.test]
  ports: [{number: 80, name: grpc, protocol: GRPC}]
  resolution: DNS
  endpoints: [{address: localhost}, {address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: turns}
spec:
  hosts: [turns.test]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS_ROUND_ROBIN
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: static}
spec:
  host: static.test
  trafficPolicy:
    loadBalancer: {simple: RANDOM}
    connectionPool:
      tcp:
        maxConnections: 3
        connectTimeout: 25ms
        maxConnectionDuration: 1h
        tcpKeepalive: {probes: 3, time: 60s, interval: 10s}
      http:
        http1MaxPendingRequests: 50
        http2MaxRequests: 60
        maxRequestsPerConnection: 3
        maxRetries: 4
        idleTimeout: 5m
    outlierDetection:
      consecutive5xxErrors: 7
      consecutiveGatewayErrors: 0
      splitExternalLocalOriginErrors: true
      consecutiveLocalOriginFailures: 3
      interval: 5s
      baseEjectionTime: 1m
      maxEjectionPercent: 100
      minHealthPercent: 20
  subsets:
  - {name: v1, labels: {version: v1}}
  - name: v2
    labels: {version: v2}
    trafficPolicy:
      loadBalancer: {simple: ROUND_ROBIN}
      connectionPool: {http: {useClientProtocol: true, maxConcurrentStreams: 10}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin}
spec:
  host: httpbin
  trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: office}
spec: {rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}
";

/// Renders for `proxy` into a folder, and lets Envoy judge it.
fn accepted(proxy: &Proxy, options: Options) -> String {
    let folder = tempfile::tempdir().unwrap();
    support::write_modules(folder.path());
    let text = [GATEWAY, ROUTES].join("\n---\n");
    let parsed = outrigger_api::parse_yaml(text.as_bytes(), "all.yaml", "default");
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let options = Options { module_dir: folder.path().to_owned(), ..options };
    let rendered = render(&parsed.resources, proxy, &options).unwrap();
    let path = folder.path().join("envoy.yaml");
    let text = rendered.to_yaml().unwrap();
    fs::write(&path, &text).unwrap();
    validate(&path, &text);
    text
}

fn validate(path: &Path, text: &str) {
    let mut envoy = Command::new(support::envoy());
    let output =
        envoy.args(["--mode", "validate", "--log-level", "warning", "-c"]).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{text}");
    // `max_grpc_timeout` is what Istio writes too: its successor does not tell the upstream the time that is left.
    let deprecated =
        said.lines().filter(|line| line.contains("eprecated") && !line.contains("max_grpc_timeout"));
    assert_eq!(deprecated.collect::<Vec<_>>(), Vec::<&str>::new());
}

fn gateway() -> Proxy {
    let labels = [("istio".to_owned(), "ingressgateway".to_owned())].into();
    Proxy { labels, workload: "ingress".to_owned(), ..Proxy::default() }
}

fn sidecar() -> Proxy {
    Proxy { role: Role::Sidecar, workload: "reviews".to_owned(), ..Proxy::default() }
}

#[test]
fn a_gateway_with_one_filter() {
    let text = accepted(&gateway(), Options::default());
    assert!(text.contains("outbound|80|v1|static.test"), "{text}");
}

#[test]
fn a_gateway_with_five_filters() {
    accepted(&gateway(), Options { filters: Filters::Separate, ..Options::default() });
}

#[test]
fn a_sidecar() {
    let text = accepted(
        &sidecar(),
        Options { app_ports: vec![AppPort { port: 9080, opened: INBOUND_PORT }], ..Options::default() },
    );
    assert!(text.contains("PassthroughCluster") && text.contains("inbound|9080||"), "{text}");
}

#[test]
fn a_sidecar_with_a_mesh_configuration() {
    for (encoding, format) in [
        (AccessLogEncoding::Text, None),
        (AccessLogEncoding::Text, Some("%DURATION% %FILTER_STATE(wasm.outrigger:PLAIN)%".to_owned())),
        (AccessLogEncoding::Json, None),
        (AccessLogEncoding::Json, Some(r#"{"status": "%RESPONSE_CODE%"}"#.to_owned())),
    ] {
        let mesh = MeshConfig {
            path_normalization: PathNormalization::DecodeAndMergeSlashes,
            outbound_traffic: OutboundTraffic::RegistryOnly,
            access_log_file: Some("/dev/stdout".to_owned()),
            access_log_format: format,
            access_log_encoding: encoding,
            trusted_proxies: 1,
            ..MeshConfig::default()
        };
        accepted(&sidecar(), Options { mesh, ..Options::default() });
    }
}

/// Every provider of logs and traces that is carried out, with all that it can say.
const PROVIDERS: &str = "
extensionProviders:
- {name: text, envoyFileAccessLog: {path: /tmp/log, logFormat: {text: '%REQ_WITHOUT_QUERY(:PATH)% %CEL(request.path)%'}}}
- {name: labels, envoyFileAccessLog: {logFormat: {labels: {a: {b: ['%RESPONSE_FLAGS%', 3]}}}, omitEmptyValues: true}}
- {name: otel, envoyOtelAls: {service: collector.test, port: 4317, logName: n, logFormat: {text: t, labels: {a: '%REQ_WITHOUT_QUERY(:PATH)%'}}}}
- {name: plain-otel, envoyOtelAls: {service: collector.test, port: 4317}}
- name: http-als
  envoyHttpAls:
    service: als.test
    port: 9000
    filterStateObjectsToLog: [a]
    additionalRequestHeadersToLog: [b]
    additionalResponseHeadersToLog: [c]
    additionalResponseTrailersToLog: [d]
- {name: tcp-als, envoyTcpAls: {service: als.test, port: 9000, logName: n, filterStateObjectsToLog: [a]}}
- name: by-grpc
  opentelemetry:
    service: collector.test
    port: 4317
    maxTagLength: 99
    grpc: {timeout: 3s, initialMetadata: [{name: x-a, value: b}]}
    resourceDetectors: {environment: {}, dynatrace: {}}
- {name: by-http, opentelemetry: {service: collector.test, port: 4318, http: {path: v1/traces, timeout: 1s, headers: [{name: x-a, envName: HOME}]}}}
- {name: zipkin, zipkin: {service: zipkin.test, port: 9411}}
- name: new-zipkin
  zipkin:
    service: zipkin.test
    port: 9411
    path: /spans
    enable64bitTraceId: true
    traceContextOption: USE_B3_WITH_W3C_PROPAGATION
    timeout: 2s
    headers: [{name: x-a, value: b}]
defaultConfig:
  meshId: m
  tracing: {sampling: 0.5, maxPathTagLength: 20, customTags: {a: {literal: {value: b}}, f: {formatter: {value: '%PROTOCOL%'}}}}
";

#[test]
fn every_provider_of_logs_and_traces() {
    for provider in ["by-grpc", "by-http", "zipkin", "new-zipkin"] {
        let defaults = format!(
            "defaultProviders: {{tracing: [{provider}], accessLogging: [text, labels, otel, plain-otel, http-als, tcp-als, envoy]}}"
        );
        let (mesh, problems) =
            outrigger_api::parse_mesh_config(format!("{PROVIDERS}{defaults}").as_bytes(), "mesh.yaml");
        assert_eq!(problems, []);
        let text = accepted(&gateway(), Options { mesh, ..Options::default() });
        for part in [
            "envoy.access_loggers.tcp_grpc",
            "envoy.access_loggers.http_grpc",
            "envoy.access_loggers.open_telemetry",
            "value: 0.5",
            "operation:",
            "max_path_tag_length:",
        ] {
            assert!(text.contains(part), "{provider}: {part}\n{text}");
        }
    }
}
