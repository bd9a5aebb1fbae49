//! The chains of a gateway, and what the filters of each get.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json_of;
use crate::render::testing::{gateway, rendered, resources};
use crate::render::{Entrance, Options, Reached, entered, reached, render};

const SERVERS: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: open, protocol: HTTP}, hosts: [open.example.com]}
  - {port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example.com, '*.a.example.com'], tls: {mode: SIMPLE, credentialName: shop}}
  - {port: {number: 443, name: b, protocol: HTTPS}, hosts: [b.example.com], tls: {mode: MUTUAL, credentialName: shop, subjectAltNames: [x]}}
  - {port: {number: 443, name: t, protocol: TLS}, hosts: [t.example.com], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: moved}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: moved, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}]
";

const SERVICES: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a.example.com]
  gateways: [gw]
  http: [{route: [{destination: {host: a.test}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: others}
spec:
  hosts: [b.example.com, open.example.com, t.example.com]
  gateways: [gw]
  http: [{route: [{destination: {host: b.test}}]}]
  tls:
  - {match: [{sniHosts: [t.example.com]}], route: [{destination: {host: t.test, port: {number: 443}}}]}
";

#[test]
fn a_request_on_which_nothing_happens_is_not_given_up_and_a_handshake_is() {
    let listeners = json_of(&rendered(&[SERVERS, SERVICES, &secret()]).unwrap())["listeners"].to_string();
    let count = |text: &str| listeners.matches(text).count();
    let (managers, handshakes) = (count(r#""http_filters""#), count("DownstreamTlsContext"));
    assert!(managers >= 3 && handshakes >= 2, "{listeners}");
    assert_eq!(count(r#""stream_idle_timeout":"0s""#), managers);
    assert_eq!(count(r#""transport_socket_connect_timeout":"15s""#), handshakes);
}

fn secret() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let (certificate, key) = (indented(&certificate), indented(&key.serialize_pem()));
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: shop}}\nstringData:\n  tls.crt: |\n{certificate}  ca.crt: |\n\
         {certificate}  tls.key: |\n{key}"
    )
}

/// The names of the resources in each filter's configuration, by the filter's listener and chain.
fn seen_by_filters(listeners: &Value) -> BTreeMap<String, Vec<String>> {
    let mut seen = BTreeMap::new();
    for listener in listeners.as_array().unwrap() {
        for chain in listener["filter_chains"].as_array().unwrap() {
            let filters = &chain["filters"][0]["typed_config"]["http_filters"];
            let Some(config) = filters[0]["typed_config"]["config"]["configuration"]["value"].as_str() else {
                continue;
            };
            let config: Value = serde_json::from_str(config).unwrap();
            let names = config["resources"].as_array().unwrap().iter().map(|resource| {
                let servers = resource["spec"]["servers"].as_array().map(|servers| {
                    servers.iter().map(|server| server["port"]["name"].as_str().unwrap()).collect::<Vec<_>>()
                });
                format!(
                    "{}{}",
                    resource["metadata"]["name"].as_str().unwrap(),
                    servers.unwrap_or_default().concat()
                )
            });
            let name = format!("{}/{}", listener["name"], chain["name"].as_str().unwrap_or_default());
            seen.insert(name.replace('"', ""), names.collect());
        }
    }
    seen
}

#[test]
fn each_chain_has_its_own_hosts_and_rules() {
    let rendered = rendered(&[SERVERS, SERVICES, &secret()]).unwrap();
    let value = json_of(&rendered);
    let seen = seen_by_filters(&value["listeners"]);
    let expected = [
        ("0.0.0.0_443/default.gw.a", vec!["gwa", "a"]),
        ("0.0.0.0_443/default.gw.b", vec!["gwb", "others"]),
        ("0.0.0.0_80/", vec!["gwopen", "others"]),
    ];
    let expected = expected
        .map(|(chain, names)| (chain.to_owned(), names.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    assert_eq!(seen, BTreeMap::from(expected));

    let tls = &value["listeners"][1];
    assert_eq!(tls["name"], "0.0.0.0_443");
    assert_eq!(tls["listener_filters"][0]["name"], "envoy.filters.listener.tls_inspector");
    let chains = &tls["filter_chains"];
    assert_eq!(
        chains[0]["filter_chain_match"],
        json!({"server_names": ["*.a.example.com", "a.example.com"]})
    );
    let context = |index: usize| &chains[index]["transport_socket"]["typed_config"];
    assert_eq!(context(0)["require_client_certificate"], false);
    assert_eq!(context(1)["require_client_certificate"], true);
    let names =
        &context(1)["common_tls_context"]["combined_validation_context"]["default_validation_context"];
    assert_eq!(names["match_typed_subject_alt_names"].as_array().map(Vec::len), Some(4));
    assert_eq!(context(1)["common_tls_context"]["alpn_protocols"], json!(["h2", "http/1.1"]));
    let proxy = &chains[2]["filters"][0]["typed_config"];
    assert_eq!(
        (&chains[2]["transport_socket"], &proxy["cluster"]),
        (&Value::Null, &json!("outbound|443||t.test"))
    );
    assert!(value["clusters"]["outbound|443||t.test"].is_object());
    let secrets: Vec<_> = rendered.secrets.keys().collect();
    assert_eq!(secrets, ["kubernetes://shop", "kubernetes://shop-cacert"]);
}

#[test]
fn plain_http_is_sent_to_https_but_for_what_is_served() {
    let value = json_of(&rendered(&[SERVERS, SERVICES, &secret()]).unwrap());
    let config = &value["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["route_config"];
    let hosts = config["virtual_hosts"].as_array().unwrap();
    assert_eq!((&hosts[0]["require_tls"], &hosts[1]["require_tls"]), (&json!("ALL"), &Value::Null));
    assert_eq!(hosts[0]["routes"], json!([]));
    // Narrower ones are named where something narrower is served.
    assert_eq!(hosts[1]["domains"], json!(["open.example.com"]));
    assert_eq!(hosts[0]["domains"], json!(["*"]));
    assert_eq!(config["ignore_port_in_host_matching"], true);
}

#[test]
fn a_request_is_taken_by_the_chain_that_fits_best() {
    let all = resources(&[SERVERS, SERVICES, &secret()]);
    let reached_by = |port, sni, host, forwarded_https| {
        let names = |resources: Vec<outrigger_api::Resource>| {
            let services = resources.into_iter().filter(|it| it.kind == outrigger_api::Kind::VirtualService);
            services.map(|service| service.meta.name).collect::<Vec<_>>().join(",")
        };
        match reached(&all, &gateway(), Entrance { port, sni, host, forwarded_https }) {
            Reached::Filters(resources) => names(resources),
            Reached::ToHttps(resources) => format!("https, {}", names(resources)),
            Reached::Nobody(_) => "nobody".to_owned(),
        }
    };
    let reached = |port, sni, host| reached_by(port, sni, host, false);
    // Where nobody listens, or speaks otherwise.
    for (port, sni) in [(81, None), (81, Some("a.example.com")), (443, None), (80, Some("a.example.com"))] {
        assert_eq!(reached(port, sni, "a.example.com"), "nobody", "{port} {sni:?}");
    }
    assert_eq!(reached(443, Some("a.example.com"), "b.example.com"), "a");
    assert_eq!(reached(443, Some("x.a.example.com"), "x.a.example.com"), "a");
    assert_eq!(reached(443, Some("b.example.com"), "b.example.com"), "others");
    assert_eq!(reached(443, Some("t.example.com"), "t.example.com"), "nobody");
    assert_eq!(reached(443, Some("c.example.com"), "c.example.com"), "nobody");
    assert_eq!(reached(80, None, "open.example.com"), "others");
    assert_eq!(reached(80, None, "a.example.com"), "https, others");
    assert_eq!(reached_by(80, None, "a.example.com", true), "others");
}

/// Istio's gateways redirect by `x-forwarded-proto`, as far as they believe who sends it.
#[test]
fn who_came_to_a_trusted_proxy_by_https_is_not_redirected() {
    let services = SERVICES.replace("gateways: [gw]", "gateways: [gw, moved]");
    let moved = SERVERS.replace("hosts: ['*']", "hosts: [a.example.com, b.example.com]");
    for (trusted_proxies, rules) in [(0, &["others"][..]), (1, &["a", "others", "others"])] {
        let mesh = crate::mesh_config::MeshConfig { trusted_proxies, ..Default::default() };
        let options = Options { mesh, ..Options::default() };
        let all = resources(&[&moved, &services, &secret()]);
        let listeners = json_of(&render(&all, &gateway(), &options).unwrap())["listeners"].take();
        let manager = &listeners[0]["filter_chains"][0]["filters"][0]["typed_config"];
        let hosts = &manager["route_config"]["virtual_hosts"];
        assert_eq!(hosts[0]["require_tls"], "ALL");
        let routes = if trusted_proxies > 0 { &hosts[1]["routes"] } else { &json!([]) };
        assert_eq!(&hosts[0]["routes"], routes);
        let config = &manager["http_filters"][0]["typed_config"]["config"]["configuration"]["value"];
        let config: Value = serde_json::from_str(config.as_str().unwrap()).unwrap();
        let found = config["resources"].as_array().unwrap().iter();
        let found: Vec<_> = found.filter(|one| one["kind"] == "VirtualService").collect();
        let names: Vec<_> = found.iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, rules, "{trusted_proxies}");
        if let [a, open, closed] = found.as_slice() {
            let guarded = json!([{"headers": {"x-forwarded-proto": {"exact": "https"}}}]);
            assert_eq!(
                (&a["spec"]["http"][0]["match"], &closed["spec"]["http"][0]["match"]),
                (&guarded, &guarded)
            );
            assert_eq!(open["spec"]["http"][0]["match"], Value::Null);
            let hosts = (&open["spec"]["hosts"], &closed["spec"]["hosts"]);
            assert_eq!(hosts, (&json!(["open.example.com"]), &json!(["b.example.com"])));
        }
    }
}

#[test]
fn a_urls_port_is_that_of_a_server_if_there_is_a_choice() {
    let http = |ports: &[u16]| {
        let server = |port: &u16| {
            format!("{{port: {{number: {port}, name: http-{port}, protocol: HTTP}}, hosts: ['*']}}")
        };
        let servers: Vec<_> = ports.iter().map(server).collect();
        let tls = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}";
        resources(&[&format!(
            "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: g}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{}, {tls}]}}",
            servers.join(", ")
        )])
    };
    for (ports, port, tls, entered_by) in [
        (&[80][..], 8080, false, 80),
        (&[80], 80, false, 80),
        (&[80], 443, false, 443),
        (&[80], 8443, true, 443),
        (&[80, 81], 8080, false, 8080),
    ] {
        assert_eq!(entered(&http(ports), &gateway(), port, tls), entered_by, "{ports:?} {port}");
    }
}

#[test]
fn one_servers_rules_touch_no_others_filter() {
    let secret = secret();
    let with = |destination: &str| {
        let services = SERVICES.replace("a.test", destination);
        let all = resources(&[SERVERS, &services, &secret]);
        let rendered = render(&all, &gateway(), &Options::default()).unwrap();
        json_of(&rendered)["listeners"].take()
    };
    let (one, other) = (with("a.test"), with("z.test"));
    let chains = |value: &Value, at: usize| value[1]["filter_chains"][at].clone();
    assert_ne!(chains(&one, 0), chains(&other, 0));
    assert_eq!(chains(&one, 1), chains(&other, 1));
    assert_eq!(one[0], other[0]);
}
