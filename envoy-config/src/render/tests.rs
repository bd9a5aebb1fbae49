//! What comes of resources, as the whole that Envoy gets.

mod actions;
mod destinations;
mod gateways;
mod services;
mod sidecars;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::testing::{GATEWAY, gateway, rendered, resources, sidecar};
use super::{AppPort, Filters, INBOUND_PORT, Options, Rendered, is_incomplete, render};
use crate::mesh_config::{MeshConfig, OutboundTraffic, PathNormalization};

const MYAPP: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: myapp}
spec:
  hosts: ['*']
  gateways: [gw]
  http:
  - route:
    - {destination: {host: myapp, port: {number: 8080}, subset: v1}, weight: 80}
    - {destination: {host: myapp, port: {number: 8080}, subset: v2}, weight: 20}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: myapp}
spec:
  host: myapp
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
";

const MYAPP_ENDPOINTS: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: myapp}
spec:
  hosts: [myapp.default.svc.cluster.local]
  ports: [{number: 8080, name: http, protocol: HTTP, targetPort: 8000}]
  resolution: STATIC
  endpoints:
  - {address: 10.0.0.1, labels: {version: v1}}
  - {address: 10.0.0.2, labels: {version: v2}, ports: {http: 9000}, weight: 7}
  - {address: 10.0.0.3, labels: {version: v2}}
";

fn to(host: &str) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: to}}
spec:
  hosts: ['*']
  gateways: [gw]
  http: [{{route: [{{destination: {{host: {host}, port: {{number: 8000}}}}}}]}}]
"
    )
}

fn rule(spec: &str) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: rule}}
spec: {{host: httpbin, {spec}}}
"
    )
}

fn json_of(rendered: &Rendered) -> Value {
    let clusters: BTreeMap<_, _> =
        rendered.clusters.iter().map(|cluster| (cluster.name.clone(), cluster)).collect();
    json!({"clusters": clusters, "listeners": rendered.listeners})
}

/// Endpoints of a cluster as `address:port` or `address:port*weight`.
fn endpoints(rendered: &Rendered, cluster: &str) -> Vec<String> {
    let value = json_of(rendered);
    let endpoints = &value["clusters"][cluster]["load_assignment"]["endpoints"][0]["lb_endpoints"];
    let text = |endpoint: &Value| {
        let address = &endpoint["endpoint"]["address"]["socket_address"];
        let weight =
            endpoint["load_balancing_weight"].as_u64().map_or(String::new(), |weight| format!("*{weight}"));
        format!("{}:{}{weight}", address["address"].as_str().unwrap(), address["port_value"])
    };
    endpoints.as_array().unwrap_or_else(|| panic!("no `{cluster}` in {value:#}")).iter().map(text).collect()
}

fn messages(result: Result<Rendered, Vec<outrigger_api::Problem>>) -> Vec<String> {
    result.unwrap_err().iter().map(|problem| format!("{} {problem}", problem.code)).collect()
}

#[test]
fn subsets_choose_endpoints_by_label() {
    let rendered = rendered(&[GATEWAY, MYAPP, MYAPP_ENDPOINTS]).unwrap();
    let host = "myapp.default.svc.cluster.local";
    assert_eq!(endpoints(&rendered, &format!("outbound|8080|v1|{host}")), ["10.0.0.1:8000"]);
    assert_eq!(
        endpoints(&rendered, &format!("outbound|8080|v2|{host}")),
        ["10.0.0.2:9000*7", "10.0.0.3:8000"]
    );
    assert_eq!(rendered.clusters.len(), 2);
}

#[test]
fn a_subset_of_endpoints_that_nobody_names_is_refused() {
    let problems = rendered(&[GATEWAY, MYAPP]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(is_incomplete));
    assert!(
        problems[0].to_string().contains("subset `v1` of `myapp.default.svc.cluster.local`"),
        "{}",
        problems[0]
    );
    assert!(problems[0].to_string().contains("ServiceEntry"), "{}", problems[0]);
}

#[test]
fn dns_is_asked_for_the_name_as_written() {
    for (host, cluster, asked) in [
        ("httpbin", "outbound|8000||httpbin.default.svc.cluster.local", "httpbin:8000"),
        ("httpbin.example.com", "outbound|8000||httpbin.example.com", "httpbin.example.com:8000"),
        (
            "httpbin.other.svc.cluster.local",
            "outbound|8000||httpbin.other.svc.cluster.local",
            "httpbin.other.svc.cluster.local:8000",
        ),
    ] {
        let rendered = rendered(&[GATEWAY, &to(host)]).unwrap();
        assert_eq!(endpoints(&rendered, cluster), [asked]);
    }
}

#[test]
fn a_destination_rule_limits_connections() {
    let text = rule(
        "trafficPolicy: {connectionPool: {tcp: {maxConnections: 3, connectTimeout: 2s}, \
         http: {http1MaxPendingRequests: 50, maxRequestsPerConnection: 3}}, loadBalancer: {simple: ROUND_ROBIN}}",
    );
    let value = json_of(&rendered(&[GATEWAY, &to("httpbin"), &text]).unwrap());
    let cluster = &value["clusters"]["outbound|8000||httpbin.default.svc.cluster.local"];
    let limits = &cluster["circuit_breakers"]["thresholds"][0];
    assert_eq!(limits["max_connections"], 3);
    assert_eq!(limits["max_pending_requests"], 50);
    assert_eq!(limits["max_requests"], u32::MAX);
    assert_eq!(cluster["connect_timeout"], "2s");
    assert_eq!(cluster["lb_policy"], "ROUND_ROBIN");
    let options = &cluster["typed_extension_protocol_options"].as_object().unwrap().values().next().unwrap();
    assert_eq!(options["common_http_protocol_options"]["max_requests_per_connection"], 3);
}

#[test]
fn what_is_said_for_a_port_takes_the_place_of_everything_else() {
    let text = rule(
        "trafficPolicy: {loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 3}}, \
         portLevelSettings: [{port: {number: 8000}, loadBalancer: {simple: ROUND_ROBIN}}]}",
    );
    let value = json_of(&rendered(&[GATEWAY, &to("httpbin"), &text]).unwrap());
    let cluster = &value["clusters"]["outbound|8000||httpbin.default.svc.cluster.local"];
    assert_eq!(cluster["lb_policy"], "ROUND_ROBIN");
    assert_eq!(cluster["circuit_breakers"]["thresholds"][0]["max_connections"], u32::MAX);
}

#[test]
fn outlier_detection_enforces_what_is_counted() {
    let text =
        rule("trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 4}}");
    let value = json_of(&rendered(&[GATEWAY, &to("httpbin"), &text]).unwrap());
    let cluster = &value["clusters"]["outbound|8000||httpbin.default.svc.cluster.local"];
    assert_eq!(
        cluster["outlier_detection"],
        json!({"enforcing_consecutive_5xx": 0, "consecutive_gateway_failure": 4,
               "enforcing_consecutive_gateway_failure": 100, "enforcing_success_rate": 0})
    );
    assert_eq!(cluster["common_lb_config"]["healthy_panic_threshold"]["value"], 0);
}

#[test]
fn what_is_not_carried_out_is_refused_where_it_stands() {
    let text = rule(
        "trafficPolicy: {tunnel: {targetHost: a, targetPort: 1}, loadBalancer: {consistentHash: {httpHeaderName: x, \
         ringHash: {minimumRingSize: 8388609}}}}",
    );
    let found = messages(rendered(&[GATEWAY, &to("httpbin"), &text]));
    assert!(found[0].contains("OUT0002") && found[0].contains("(spec.trafficPolicy.tunnel)"), "{found:?}");
    assert!(found[0].contains("test.yaml:"), "{found:?}");
    assert!(found[1].contains("consistentHash"), "{found:?}");
    let tls = GATEWAY.replace("HTTP}", "HTTPS}, tls: {mode: SIMPLE, credentialName: x}");
    let found = messages(rendered(&[&tls, &to("httpbin")]));
    assert!(found[0].contains("spec.servers[0].tls.credentialName"), "{found:?}");
}

#[test]
fn kubernetes_services_have_the_endpoints_of_their_slices() {
    let service = "
apiVersion: v1
kind: Service
metadata: {name: httpbin}
spec: {ports: [{name: http2-x, port: 8000, targetPort: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: httpbin-abc, labels: {kubernetes.io/service-name: httpbin}}
addressType: IPv4
ports: [{name: http2-x, port: 80}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {ready: false}}
- {addresses: [10.0.0.3]}
";
    let rendered = rendered(&[GATEWAY, &to("httpbin"), service]).unwrap();
    let name = "outbound|8000||httpbin.default.svc.cluster.local";
    assert_eq!(endpoints(&rendered, name), ["10.0.0.1:80", "10.0.0.3:80"]);
    let value = json_of(&rendered);
    let options = &value["clusters"][name]["typed_extension_protocol_options"];
    assert!(options.to_string().contains("http2_protocol_options"), "{options}");
}

#[test]
fn a_gateway_listens_where_its_gateways_say() {
    let more = GATEWAY.replace("name: gw", "name: more").replace("number: 80", "number: 8081");
    let same = GATEWAY.replace("name: gw", "name: same");
    let foreign = GATEWAY.replace("name: gw", "name: foreign").replace("ingressgateway", "egressgateway");
    let resources = resources(&[GATEWAY, &more, &same, &foreign.replace("number: 80", "number: 9999")]);
    let options =
        Options { ports: [(80, 8080)].into(), bind: "127.0.0.1".parse().ok(), ..Options::default() };
    let rendered = render(&resources, &gateway(), &options).unwrap();
    let names: Vec<_> = rendered.listeners.iter().map(|listener| listener.name.as_str()).collect();
    assert_eq!(names, ["127.0.0.1_8080", "127.0.0.1_8081"]);
    assert_eq!(rendered.warnings, []);

    let ports = [(80, 8080), (8080, 80)].into();
    let rendered = render(&resources, &gateway(), &Options { ports, ..Options::default() }).unwrap();
    let said: Vec<_> = rendered.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(said, ["`--port 8080=80` has no effect: nothing listens on port 8080"]);
}

#[test]
fn a_gateway_without_gateways_has_nowhere_to_listen() {
    let found = rendered(&[&to("httpbin")]).unwrap_err();
    assert!(found.iter().any(|problem| problem.message.contains("`istio=ingressgateway`")), "{found:?}");
    assert!(found.iter().all(is_incomplete));
}

#[test]
fn two_listeners_do_not_share_a_port() {
    let options =
        Options { ports: [(80, 15000)].into(), bind: "127.0.0.1".parse().ok(), ..Options::default() };
    let found = messages(render(&resources(&[GATEWAY]), &gateway(), &options));
    assert!(found[0].contains("127.0.0.1:15000"), "{found:?}");
    // A listener for all addresses takes the port too.
    let options = Options { ports: [(80, 15000)].into(), ..Options::default() };
    let found = messages(render(&resources(&[GATEWAY]), &gateway(), &options));
    assert!(found[0].contains("spec.servers[0].port.number"), "{found:?}");

    let app_ports = [9080, 9081].map(|port| AppPort { port, opened: INBOUND_PORT }).to_vec();
    let options = Options { app_ports, ..Options::default() };
    let found = render(&[], &sidecar(), &options).unwrap_err();
    assert!(found[0].hint.as_ref().is_some_and(|hint| hint.contains("--app-port 9080=15007")), "{found:?}");
}

#[test]
fn the_mesh_configuration_shapes_a_listener() {
    let mesh = MeshConfig {
        path_normalization: PathNormalization::DecodeAndMergeSlashes,
        trusted_proxies: 2,
        access_log_file: Some("/dev/stdout".to_owned()),
        ..MeshConfig::default()
    };
    let options = Options { mesh, ..Options::default() };
    let value = json_of(&render(&resources(&[GATEWAY]), &gateway(), &options).unwrap());
    let manager = &value["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(manager["xff_num_trusted_hops"], 2);
    assert_eq!(manager["merge_slashes"], true);
    assert_eq!(manager["path_with_escaped_slashes_action"], "UNESCAPE_AND_FORWARD");
    assert_eq!(manager["access_log"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_address_of_the_peer_is_kept_where_the_client_is_another() {
    let policy = |source: &str| {
        format!(
            "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: near}}
spec: {{rules: [{{from: [{{source: {{{source}}}}}]}}]}}"
        )
    };
    for (source, trusted_proxies, kept, client_is_peer) in [
        ("ipBlocks: [10.0.0.0/8]", 0, false, true),
        ("ipBlocks: [10.0.0.0/8]", 1, true, false),
        ("remoteIpBlocks: [10.0.0.0/8]", 0, false, false),
    ] {
        let mesh = MeshConfig { trusted_proxies, ..MeshConfig::default() };
        let options = Options { mesh, ..Options::default() };
        let rendered = render(&resources(&[GATEWAY, &policy(source)]), &gateway(), &options).unwrap();
        let json = json_of(&rendered).to_string();
        let found = ["outrigger.source_ip", "clientIsPeer"].map(|text| json.contains(text));
        assert_eq!(found, [kept, client_is_peer], "{source}");
    }
    let inbound =
        Options { app_ports: vec![AppPort { port: 9080, opened: INBOUND_PORT }], ..Options::default() };
    let rendered = render(&resources(&[&policy("ipBlocks: [10.0.0.0/8]")]), &sidecar(), &inbound).unwrap();
    let json = json_of(&rendered).to_string();
    assert!(json.contains("outrigger.source_ip") && !json.contains("clientIsPeer"), "{json}");
}

/// Istio's table of modes, in Envoy's words: `normalize_path`, `merge_slashes`, what becomes of `%2F`.
#[test]
fn paths_are_normalised_as_the_mesh_says() {
    for (how, expected) in [
        (PathNormalization::None, json!([false, false, "KEEP_UNCHANGED"])),
        (PathNormalization::Base, json!([true, false, "KEEP_UNCHANGED"])),
        (PathNormalization::MergeSlashes, json!([true, true, "KEEP_UNCHANGED"])),
        (PathNormalization::DecodeAndMergeSlashes, json!([true, true, "UNESCAPE_AND_FORWARD"])),
    ] {
        let mesh = MeshConfig { path_normalization: how, ..MeshConfig::default() };
        let options = Options {
            mesh,
            app_ports: vec![AppPort { port: 9080, opened: INBOUND_PORT }],
            ..Options::default()
        };
        for proxy in [gateway(), sidecar()] {
            let value = json_of(&render(&resources(&[GATEWAY]), &proxy, &options).unwrap());
            for listener in value["listeners"].as_array().unwrap() {
                let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
                let found = ["normalize_path", "merge_slashes", "path_with_escaped_slashes_action"]
                    .map(|field| manager[field].clone());
                assert_eq!(json!(found), expected, "{how:?}");
            }
        }
    }
}

#[test]
fn a_sidecar_lets_unknown_hosts_pass_unless_told_otherwise() {
    for (policy, route, has_cluster) in
        [(OutboundTraffic::AllowAny, "allow_any", true), (OutboundTraffic::RegistryOnly, "block_all", false)]
    {
        let mesh = MeshConfig { outbound_traffic: policy, ..MeshConfig::default() };
        let options = Options {
            mesh,
            app_ports: vec![AppPort { port: 9080, opened: INBOUND_PORT }],
            ..Options::default()
        };
        let rendered = render(&[], &sidecar(), &options).unwrap();
        let value = json_of(&rendered);
        assert!(value["listeners"][0].to_string().contains(route));
        assert_eq!(value["clusters"]["PassthroughCluster"].is_object(), has_cluster);
        assert_eq!(endpoints(&rendered, "inbound|9080||"), ["127.0.0.1:9080"]);
        let names: Vec<_> = rendered.listeners.iter().map(|listener| listener.name.as_str()).collect();
        assert_eq!(names, ["127.0.0.1_15001", "0.0.0.0_15006"]);
    }
}

#[test]
fn separate_filters_get_what_they_read() {
    let options = Options { filters: Filters::Separate, ..Options::default() };
    let rendered = render(&resources(&[GATEWAY, &to("httpbin")]), &gateway(), &options).unwrap();
    let value = json_of(&rendered);
    let filters = &value["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
    let has = |index: usize| {
        filters[index]["typed_config"]["config"]["configuration"]["value"]
            .as_str()
            .unwrap()
            .contains("VirtualService")
    };
    let names: Vec<_> =
        filters.as_array().unwrap().iter().map(|filter| filter["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "outrigger.jwt_authn",
            "outrigger.authz",
            "outrigger.fault",
            "outrigger.router",
            "outrigger.metrics",
            "envoy.filters.http.grpc_stats",
            "envoy.filters.http.router"
        ]
    );
    assert_eq!([has(0), has(1), has(2), has(3), has(4)], [false, false, true, true, false]);
}

#[test]
fn messages_of_grpc_are_counted_where_a_metric_needs_them() {
    let counts = |overrides: &str| {
        let telemetry = format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: metrics}}\nspec: {{metrics: \
             [{{overrides: [{overrides}]}}]}}\n"
        );
        let rendered =
            render(&resources(&[GATEWAY, &to("httpbin"), &telemetry]), &gateway(), &Options::default());
        json_of(&rendered.unwrap())["listeners"][0].to_string().contains("envoy.filters.http.grpc_stats")
    };
    let [requests, responses] = ["GRPC_REQUEST_MESSAGES", "GRPC_RESPONSE_MESSAGES"]
        .map(|metric| format!("{{match: {{metric: {metric}}}, disabled: true}}"));
    assert!(counts("{match: {metric: REQUEST_COUNT}, disabled: true}"));
    assert!(counts(&requests));
    assert!(!counts(&format!("{requests}, {responses}")));
    assert!(!counts("{disabled: true}"));
    assert!(counts(&format!("{{disabled: true}}, {}", responses.replace("true", "false"))));
}

/// The text that a person reads. `BLESS=1` writes it anew.
#[test]
fn the_text_is_as_expected() {
    let options = Options { module_dir: "/etc/envoy".into(), ..Options::default() };
    let rendered = render(&resources(&[GATEWAY, MYAPP, MYAPP_ENDPOINTS]), &gateway(), &options).unwrap();
    let text = rendered.to_yaml().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gateway.yaml");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    for (number, (expected, seen)) in expected.lines().zip(text.lines()).enumerate() {
        assert_eq!(seen, expected, "line {} of {} (BLESS=1 writes it anew)", number + 1, path.display());
    }
    assert_eq!(text.lines().count(), expected.lines().count());
}
