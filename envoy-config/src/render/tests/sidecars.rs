//! Ports of an application that speaks something else than HTTP.

use rstest::rstest;

use super::*;

const POLICY: &str = "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: db}
spec: {rules: [{to: [{operation: {ports: ['5432']}}]}]}
";

fn service(port: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: db}}\nspec: {{selector: {{app: reviews}}, ports: [{port}]}}\n"
    )
}

fn entry(port: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: db}}\nspec: {{hosts: [db.test], \
         resolution: STATIC, workloadSelector: {{labels: {{app: reviews}}}}, ports: [{port}]}}\n"
    )
}

fn ingress(protocol: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{ingress: [{{port: {{number: 5432, \
         name: db, protocol: {protocol}}}, defaultEndpoint: '127.0.0.1:5432'}}]}}\n"
    )
}

/// The network filters of the port 5432, of which policies are the first where bytes are passed on.
fn filters(resource: &str) -> (Vec<String>, Value) {
    let options =
        Options { app_ports: vec![AppPort { port: 5432, opened: INBOUND_PORT }], ..Options::default() };
    let rendered = render(&resources(&[resource, POLICY]), &sidecar(), &options).unwrap();
    let value = json_of(&rendered);
    let filters = value["listeners"][1]["filter_chains"][0]["filters"].as_array().unwrap().clone();
    let names = filters.iter().map(|filter| filter["name"].as_str().unwrap().to_owned());
    (names.collect(), value)
}

#[rstest]
#[case(service("{port: 5432, name: tcp-db}"))]
#[case(service("{port: 1, targetPort: 5432, name: x, appProtocol: mysql}"))]
#[case(service("{port: 1, targetPort: 5432, name: x, appProtocol: tls-x}"))]
#[case(service("{port: 3306, targetPort: 5432, name: db}"))]
#[case(service("{port: 5432, name: a, protocol: UDP}, {port: 5432, name: tcp-db}"))]
#[case(entry("{number: 5432, name: db, protocol: TCP}"))]
#[case(entry("{number: 1, targetPort: 5432, name: db, protocol: HTTPS}"))]
#[case(ingress("TCP"))]
#[case(ingress("MONGO"))]
#[case(ingress("TLS"))]
fn bytes_are_passed_on(#[case] resource: String) {
    let (names, value) = filters(&resource);
    assert_eq!(names, ["envoy.filters.network.rbac", "envoy.filters.network.tcp_proxy"], "{resource}");
    let filters = &value["listeners"][1]["filter_chains"][0]["filters"];
    assert_eq!(filters[1]["typed_config"]["cluster"], "inbound|5432||");
    assert_eq!(filters[1]["typed_config"]["stat_prefix"], "inbound_0.0.0.0_15006");
    // The port by which policies know it, not the one that is opened.
    let rules = filters[0]["typed_config"]["rules"]["policies"].to_string();
    assert!(rules.contains(r#""or_rules":{"rules":[{"any":true}]}"#), "{rules}");
    let cluster = &value["clusters"]["inbound|5432||"];
    assert!(cluster.is_object() && cluster.get("typed_extension_protocol_options").is_none(), "{cluster}");
}

#[rstest]
#[case(service("{port: 5432, name: http-db}"))]
#[case(service("{port: 5432, name: db}"))]
#[case(service("{port: 5433, name: tcp-db}"))]
#[case(service("{port: 3306, targetPort: 5432, name: http-db}"))]
#[case(entry("{number: 5432, name: db, protocol: HTTP}"))]
#[case(entry("{number: 5432, name: db}"))]
#[case(entry("{number: 5433, name: db, protocol: TCP}"))]
#[case(entry("{number: 5432, name: db, protocol: TCP}").replace("app: reviews", "app: other"))]
#[case(ingress("HTTP2"))]
fn requests_are_read(#[case] resource: String) {
    assert_eq!(filters(&resource).0, ["envoy.filters.network.http_connection_manager"], "{resource}");
}

/// What is asked of a connection by each filter chain of the port 5432, and whether its beginning is looked at.
fn chains(resource: &str, mode: &str) -> (Vec<Value>, bool) {
    let mode = format!(
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: p}}\nspec: {{mtls: {{mode: {mode}}}}}\n"
    );
    let app_ports = vec![AppPort { port: 5432, opened: INBOUND_PORT }];
    let options = Options { app_ports, ..super::destinations::options() };
    let value = json_of(&render(&resources(&[resource, &mode]), &sidecar(), &options).unwrap());
    let listener = &value["listeners"][1];
    let chains = listener["filter_chains"].as_array().unwrap();
    let matches = chains.iter().map(|chain| chain["filter_chain_match"].clone());
    (matches.collect(), listener["listener_filters"].as_array().is_some_and(|filters| !filters.is_empty()))
}

#[test]
fn tls_of_the_applications_own_is_passed_on() {
    let of_mesh = json!({"transport_protocol": "tls", "application_protocols":
        ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"]});
    let (plain, tls) = (json!({"transport_protocol": "raw_buffer"}), json!({"transport_protocol": "tls"}));
    let (bytes, requests) = (service("{port: 5432, name: tls-db}"), service("{port: 5432, name: http-db}"));
    assert_eq!(chains(&bytes, "PERMISSIVE"), (vec![of_mesh.clone(), plain.clone(), tls.clone()], true));
    assert_eq!(chains(&requests, "PERMISSIVE"), (vec![of_mesh, plain.clone()], true));
    let (of_any, looked_at) = chains(&bytes, "DISABLE");
    assert!(
        of_any.iter().all(|one| one.as_object().is_none_or(|one| one.is_empty())) && !looked_at,
        "{of_any:?}"
    );
    assert_eq!(chains(&requests, "DISABLE").0, [plain]);
    assert_eq!(chains(&bytes, "STRICT").0, [tls]);
}

#[test]
fn a_named_target_is_what_the_workloads_containers_call_so() {
    let service = service("{port: 1, targetPort: pg, name: tcp-db}");
    let pod = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p, labels: {{app: reviews}}}}, spec: {{containers: [{{name: c, image: i, \
             ports: [{{name: {name}, containerPort: 5432}}]}}]}}}}"
        )
    };
    let is_tcp = |name| {
        let options =
            Options { app_ports: vec![AppPort { port: 5432, opened: INBOUND_PORT }], ..Options::default() };
        let rendered = render(&resources(&[&service, &pod(name)]), &sidecar(), &options).unwrap();
        json_of(&rendered)["listeners"][1].to_string().contains("tcp_proxy")
    };
    assert_eq!([is_tcp("pg"), is_tcp("other")], [true, false]);
}

#[test]
fn an_application_is_not_where_its_sidecar_listens() {
    let ingress = |rest: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {{name: s}}, spec: {{ingress: [{{port: {{number: 9080, \
             protocol: HTTP, name: a}}{rest}}}]}}}}"
        )
    };
    let port = |port, opened| AppPort { port, opened };
    for (rest, app_ports, app_host, loops) in [
        (Some(""), vec![], None, true),
        (Some(", defaultEndpoint: '127.0.0.1:9080'"), vec![], None, true),
        (Some(", defaultEndpoint: '127.0.0.1:9081'"), vec![], None, false),
        (Some(", bind: 10.0.0.5"), vec![], None, false),
        (Some(""), vec![port(9080, 15006)], None, false),
        (None, vec![port(9080, 9080)], None, true),
        (None, vec![port(9080, 9080)], Some("10.0.0.9"), false),
    ] {
        let resources = resources(&rest.map(ingress).iter().map(String::as_str).collect::<Vec<_>>());
        let options = Options { app_ports, app_host: app_host.map(str::to_owned), ..Options::default() };
        let problems = render(&resources, &sidecar(), &options).err().unwrap_or_default();
        assert_eq!(
            problems.iter().any(|problem| problem.code == "OUT0115"),
            loops,
            "{rest:?} {app_host:?} {problems:?}"
        );
    }
}

#[test]
fn what_passes_does_not_come_back() {
    let egress = |mode: &str, port: u16| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {{name: s}}, spec: {{{mode} egress: [{{port: {{number: \
             {port}, protocol: HTTP, name: a}}, captureMode: NONE, hosts: ['*/*']}}, {{hosts: ['*/*']}}]}}}}"
        )
    };
    let routes = |mode: &str, port: u16, listener: usize| {
        let rendered = render(&resources(&[&egress(mode, port)]), &sidecar(), &Options::default()).unwrap();
        let manager =
            &json_of(&rendered)["listeners"][listener]["filter_chains"][0]["filters"][0]["typed_config"];
        manager["route_config"]["virtual_hosts"][0]["routes"].as_array().unwrap().clone()
    };
    for (port, listener, itself) in [
        (9000, 0, json!({"suffix": ":15001"})),
        (9000, 1, json!({"suffix": ":9000"})),
        (80, 1, json!({"safe_regex": {"regex": r"localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\]|.*:80"}})),
    ] {
        let first = &routes("", port, listener)[0];
        assert_eq!(first["direct_response"], json!({"status": 502}));
        let headers = &first["match"]["headers"];
        assert_eq!(headers[0]["string_match"], json!({"exact": "PassthroughCluster"}));
        assert_eq!((&headers[1]["name"], &headers[1]["string_match"]), (&json!(":authority"), &itself));
    }
    let refused = routes("outboundTrafficPolicy: {mode: REGISTRY_ONLY},", 9000, 0);
    assert!(refused.iter().all(|route| route["name"] != "block_itself"), "{refused:?}");
}

/// The cluster of the application's port 5432.
fn application(texts: &[&str]) -> Value {
    let options =
        Options { app_ports: vec![AppPort { port: 5432, opened: INBOUND_PORT }], ..Options::default() };
    let rendered = render(&resources(texts), &sidecar(), &options).unwrap();
    json_of(&rendered)["clusters"]["inbound|5432||"].clone()
}

#[rstest]
#[case(service("{port: 80, targetPort: 5432, name: http}"), "explicit_http_config", "http_protocol_options")]
#[case(
    service("{port: 80, targetPort: 5432, name: grpc-web}"),
    "explicit_http_config",
    "http2_protocol_options"
)]
#[case(entry("{number: 5432, name: x, protocol: HTTP2}"), "explicit_http_config", "http2_protocol_options")]
#[case(ingress("HTTP"), "explicit_http_config", "http_protocol_options")]
// Nobody says it: as the client has it.
#[case(
    service("{port: 80, targetPort: 5432, name: x}"),
    "use_downstream_protocol_config",
    "http2_protocol_options"
)]
#[case(
    entry("{number: 5432, name: x, protocol: UDP}"),
    "use_downstream_protocol_config",
    "http2_protocol_options"
)]
fn applications_get_what_their_port_is_said_to_speak(
    #[case] resource: String,
    #[case] config: &str,
    #[case] version: &str,
) {
    let upgrade = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: d}, spec: {host: db, \
                   trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}}}";
    let found = application(&[&resource, upgrade]);
    let options = found["typed_extension_protocol_options"].as_object().unwrap().values().next().unwrap();
    assert!(options[config][version].is_object(), "{resource} {options}");
}

#[test]
fn a_service_has_the_room_that_its_rules_give_clients() {
    let rule = |more: &str, limit: u32| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: d{limit}}}, spec: {{host: db, \
             {more} trafficPolicy: {{portLevelSettings: [{{port: {{number: 80}}, connectionPool: {{http: {{http2MaxRequests: \
             {limit}}}}}}}]}}}}}}"
        )
    };
    let limit =
        |texts: &[&str]| application(texts)["circuit_breakers"]["thresholds"][0]["max_requests"].clone();
    let service = service("{port: 80, targetPort: 5432, name: http}");
    let for_all = rule("", 7);
    let for_some = rule("workloadSelector: {matchLabels: {app: reviews}},", 8);
    assert_eq!(limit(&[&service, &for_some, &for_all]), 7);
    let own = "{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: s}, spec: {inboundConnectionPool: \
               {http: {http2MaxRequests: 9}}}}";
    assert_eq!(limit(&[&service, &for_all, own]), 9);
    assert_eq!(limit(&[&service, &for_some]), u32::MAX);
}

/// A port of the application is found by the number that the sidecar opens for it, too.
#[rstest]
#[case("number: 8000, targetPort: 5432", "", Some(8000))]
#[case("number: 8000, targetPort: 15006", "", Some(8000))]
#[case("number: 8000, targetPort: 25006", "", Some(8000))]
#[case("number: 8000", "ports: {db: 15006}", Some(8000))]
#[case("number: 8000", "ports: {db: 25006}", Some(8000))]
#[case("number: 8000", "ports: {db: 5432}", Some(8000))]
#[case("number: 8000", "ports: {db: 5433}", None)]
#[case("number: 8000", "ports: {other: 15006}", None)]
#[case("number: 8000", "labels: {app: reviews, version: v2}, ports: {db: 15006}", None)]
#[case("number: 8000", "labels: {app: other}, ports: {db: 15006}", None)]
#[case("number: 9000", "", None)]
fn services_lead_to_a_port_by_either_number(
    #[case] port: &str,
    #[case] workload: &str,
    #[case] number: Option<u16>,
) {
    let labels = if workload.contains("labels") { "" } else { "labels: {app: reviews}, " };
    let workload = format!(
        "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: w}}\nspec: {{address: 10.0.0.1, {labels}{workload}}}\n"
    );
    let entry = entry(&format!("{{{port}, name: db, protocol: TCP}}"));
    let mut proxy = sidecar();
    proxy.labels.insert("version".to_owned(), "v1".to_owned());
    let app_ports = vec![AppPort { port: 5432, opened: INBOUND_PORT }, AppPort { port: 9090, opened: 9000 }];
    let options = Options { app_ports, ports: [(INBOUND_PORT, 25006)].into(), ..Options::default() };
    let rendered = render(&resources(&[&entry, &workload]), &proxy, &options).unwrap();
    let value = json_of(&rendered);
    let cluster = &value["clusters"]["inbound|5432||"];
    let service = &cluster["metadata"]["filter_metadata"]["istio"]["services"][0]["host"];
    let passed_on = cluster.get("typed_extension_protocol_options").is_none();
    let expected = number.map_or(Value::Null, |_| "db.test".into());
    assert_eq!((service, passed_on), (&expected, number.is_some()), "{port} {workload}");
}
