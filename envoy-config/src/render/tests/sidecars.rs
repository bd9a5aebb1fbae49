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
