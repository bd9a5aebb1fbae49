//! Where a proxy logs, by what its Telemetries say.

use outrigger_e2e::scenario::Role;

use super::proxy::Proxy;

const EDGE: &str = "
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec: {hosts: ['*'], gateways: [edge], http: [{directResponse: {status: 200}}]}
";

fn telemetry(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{{spec}}}
"
    )
}

#[test]
fn a_level_switches_off_what_the_one_above_has_named() {
    let resources = [
        telemetry("mesh", "istio-system", "accessLogging: [{providers: [{name: text}, {name: json}]}]"),
        telemetry(
            "namespace",
            "default",
            "accessLogging: [{providers: [{name: text}], disabled: true}, {providers: [{name: json}]},
             {match: {mode: SERVER}, providers: [{name: own}]}]",
        ),
    ];
    let proxy = Proxy::start(Role::Gateway, &(resources.concat() + EDGE));
    assert_eq!(proxy.get("/a", &[]).status, Some(200));
    assert_eq!(proxy.log("json", 1).len(), 1);
    for silent in ["text", "own", "mesh"] {
        assert_eq!(proxy.written(silent), "", "{silent}");
    }
}

#[test]
fn what_no_telemetry_is_about_goes_to_the_meshs_file() {
    let server = telemetry(
        "mesh",
        "istio-system",
        "accessLogging: [{match: {mode: SERVER}, providers: [{name: text}]}]",
    );
    let proxy = Proxy::start(Role::Gateway, &(server + EDGE));
    assert_eq!(proxy.get("/a", &[]).status, Some(200));
    assert_eq!(proxy.log("mesh", 1), ["mesh 200"]);
    assert_eq!(proxy.written("text"), "");
}

#[test]
fn both_sides_of_a_sidecar_have_logs_of_their_own() {
    let both = telemetry(
        "mesh",
        "istio-system",
        "accessLogging: [{match: {mode: CLIENT}, providers: [{name: own}]}, {match: {mode: SERVER}, providers: [{name: json}]}]",
    );
    let proxy = Proxy::start(Role::Inbound, &both);
    assert_eq!(proxy.get_of("reviews.default.svc.cluster.local:9080", "/a").status, Some(200));
    assert_eq!(proxy.get_inbound("/status/201").status, Some(201));
    assert_eq!(proxy.log("own", 1), ["own 200 <> /a"]);
    let inbound = proxy.log("json", 1);
    assert_eq!(inbound.len(), 1, "{inbound:?}");
    assert!(inbound[0].contains("\"path\":\"/status/201\""), "{inbound:?}");
    assert_eq!(proxy.written("mesh"), "");
}
