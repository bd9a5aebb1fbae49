//! Where services are.

use serde_json::{Value, json};

use super::destinations::{ENTRY, cluster, options};
use super::{GATEWAY, json_of, to};
use crate::render::render;
use crate::render::testing::{gateway, resources, sidecar};

/// The addresses of a cluster's endpoints.
fn addresses(cluster: &Value) -> Vec<String> {
    let localities = cluster["load_assignment"]["endpoints"].as_array().unwrap();
    let endpoints = localities.iter().flat_map(|locality| locality["lb_endpoints"].as_array().unwrap());
    endpoints
        .map(|endpoint| {
            let address = &endpoint["endpoint"]["address"]["socket_address"];
            format!("{}:{}", address["address"].as_str().unwrap(), address["port_value"])
        })
        .collect()
}

const SERVICE: &str = "
{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {ports: [{port: 8000, name: http}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: r, namespace: shop, labels: {kubernetes.io/service-name: reviews}},
 addressType: IPv4, ports: [{name: http, port: 8000}], endpoints: [{addresses: [10.0.0.1]}]}
";

#[test]
fn entries_of_one_host_and_namespace_join_their_endpoints() {
    let more = |changes: &[(&str, &str)]| {
        let mut text = ENTRY.replace("{name: reviews}", "{name: second}").replace("10.0.0.", "10.0.1.");
        for (from, to) in changes {
            text = text.replace(from, to);
        }
        addresses(&cluster(&[ENTRY, &text]))
    };
    let own = ["10.0.0.1:8000", "10.0.0.2:8000"];
    let joined = more(&[("number: 8000,", "number: 8000, targetPort: 9000,")]);
    assert_eq!(joined, [own[0], "10.0.1.1:9000", own[1], "10.0.1.2:9000"]);
    // Istio joins by the port's name.
    assert_eq!(more(&[("name: http,", "name: web,")]), own);
    assert_eq!(more(&[("{name: second}", "{name: second, namespace: other}")]), own);
    assert_eq!(more(&[("[reviews.test]", "['*.test']")]), own);
}

#[test]
fn a_service_is_not_what_a_wildcard_says_of_many_hosts() {
    let service = "
{apiVersion: v1, kind: Service, metadata: {name: reviews}, spec: {ports: [{port: 8000, name: http}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: r, labels: {kubernetes.io/service-name: reviews}},
 addressType: IPv4, ports: [{name: http, port: 8000}], endpoints: [{addresses: [10.0.0.1]}]}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: wild},
 spec: {hosts: ['*.svc.cluster.local'], ports: [{number: 8000, name: http, protocol: HTTP}]}}
";
    let all = resources(&[GATEWAY, &to("reviews"), service]);
    let found = json_of(&render(&all, &gateway(), &options()).unwrap());
    assert_eq!(found["clusters"]["outbound|8000||reviews.default.svc.cluster.local"]["type"], "STATIC");
}

#[test]
fn no_other_namespace_takes_a_service_over() {
    let entry = |namespace: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: e, namespace: {namespace}}}, spec: {{hosts: \
             [reviews.shop.svc.cluster.local], ports: [{{number: 8000, name: http, protocol: HTTP}}], resolution: STATIC, \
             endpoints: [{{address: 10.6.6.6}}]}}}}"
        )
    };
    for (namespaces, address) in [
        (&["evil"][..], "10.0.0.1"),
        (&["shop"], "10.6.6.6"),
        // The proxy's own.
        (&["default"], "10.6.6.6"),
        (&["evil", "worse"], "10.0.0.1"),
    ] {
        let to = to("reviews.shop.svc.cluster.local");
        let mut texts = vec![GATEWAY.to_owned(), to, SERVICE.to_owned()];
        texts.extend(namespaces.iter().map(|namespace| entry(namespace)));
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let found = json_of(&render(&resources(&texts), &gateway(), &options()).unwrap());
        let found = &found["clusters"]["outbound|8000||reviews.shop.svc.cluster.local"]["load_assignment"];
        assert!(found.to_string().contains(address), "{namespaces:?}: {found}");
    }
}

#[test]
fn a_service_that_is_another_name_is_what_has_that_name() {
    let rule = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r, namespace: shop}, spec: {host: \
                reviews, trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}}}}";
    for (spec, name, port) in [
        ("ports: [{port: 8000, name: http}]", "reviews.shop.svc.cluster.local", 8000),
        ("", "Reviews.shop.svc.cluster.local.", 8000),
        ("", "second.default.svc.cluster.local", 8000),
        ("", "elsewhere.example", 8000),
    ] {
        let alias = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: alias}}, spec: {{type: ExternalName, externalName: {name}, {spec}}}}}"
        );
        let second = "{apiVersion: v1, kind: Service, metadata: {name: second}, spec: {type: ExternalName, externalName: \
                      reviews.shop.svc.cluster.local}}";
        let all = resources(&[GATEWAY, &to("alias"), &alias, second, SERVICE, rule]);
        let found = json_of(&render(&all, &gateway(), &options()).unwrap());
        let found = &found["clusters"][format!("outbound|{port}||alias.default.svc.cluster.local")];
        let (is_known, text) = (name != "elsewhere.example", found.to_string());
        assert_eq!(text.contains("10.0.0.1"), is_known, "{spec} {name}: {text}");
        assert_eq!(text.contains(r#""max_connections":7"#), is_known, "{text}");
        assert_eq!(text.contains("elsewhere.example"), !is_known, "{text}");
    }
}

#[test]
fn a_port_that_wildcard_hosts_have_elsewhere_is_refused() {
    let entry = |target: u16| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: e}}, spec: {{hosts: ['*.wild.test'], \
             ports: [{{number: 8000, name: http, protocol: HTTP, targetPort: {target}}}], resolution: NONE}}}}"
        )
    };
    let said = |target| {
        let all = resources(&[GATEWAY, &to("a.wild.test"), &entry(target)]);
        render(&all, &gateway(), &options()).map(drop).map_err(|problems| problems[0].path.to_string())
    };
    assert_eq!((said(8000), said(9000)), (Ok(()), Err("spec.ports".to_owned())));
}

#[test]
fn slices_give_what_is_ready_or_else_what_still_serves() {
    let service = "
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {ports: [{name: http, port: 8000, protocol: UDP}, {name: http, port: 8000, targetPort: http}]}
";
    let slice = |ready: bool| {
        format!(
            "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: a, labels: {{kubernetes.io/service-name: reviews}}}}
ports: [{{name: http, port: 9080}}]
endpoints:
- {{addresses: [10.0.0.1], conditions: {{ready: {ready}, serving: {ready}}}, zone: '1'}}
- {{addresses: [10.0.0.2], conditions: {{ready: false, serving: true, terminating: true}}}}
"
        )
    };
    let host = "reviews.default.svc.cluster.local";
    let found = |ready| {
        let (route, slice) = (to(host), slice(ready));
        let all = [GATEWAY, &route, service, &slice];
        let rendered = render(&resources(&all), &gateway(), &options()).unwrap();
        json_of(&rendered)["clusters"][&format!("outbound|8000||{host}")]["load_assignment"]["endpoints"]
            .clone()
    };
    let address =
        |groups: &Value| groups[0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"].clone();
    assert_eq!(address(&found(true)), json!({"address": "10.0.0.1", "port_value": 9080}));
    // The region of a zone is this proxy's own, if the zone is.
    assert_eq!(found(true)[0]["locality"], json!({"region": "eu", "zone": "1"}));
    assert_eq!(address(&found(false)), json!({"address": "10.0.0.2", "port_value": 9080}));
}

/// One of `resolution`, with an endpoint at `address` unless that is empty.
fn entry(place: &str, resolution: &str, address: &str, more: &str) -> String {
    let endpoints =
        if address.is_empty() { String::new() } else { format!(", endpoints: [{{address: {address}}}]") };
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{{place}}}, spec: {{hosts: [reviews.test], ports: \
         [{{number: 8000, name: http, protocol: HTTP}}], resolution: {resolution}{endpoints}{more}}}}}"
    )
}

fn found(entries: &[String]) -> Vec<String> {
    addresses(&cluster(&entries.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[test]
fn entries_by_name_join_their_endpoints_too() {
    let two = |resolution, address| {
        found(&[entry("name: a", resolution, "one.test", ""), entry("name: b", resolution, address, "")])
    };
    assert_eq!(two("DNS", "two.test"), ["one.test:8000", "two.test:8000"]);
    assert_eq!(two("DNS", ""), ["one.test:8000", "reviews.test:8000"]);
    assert_eq!(two("DNS_ROUND_ROBIN", "two.test"), ["one.test:8000"]);
}

#[test]
fn a_selector_that_nothing_has_is_no_name() {
    let selector = ", workloadSelector: {labels: {app: nobody}}";
    for (more, addresses) in [("", &["reviews.test:8000"][..]), (selector, &[])] {
        assert_eq!(found(&[entry("name: a", "DNS", "", more)]), addresses, "{more}");
    }
}

#[test]
fn of_several_namespaces_the_proxys_own_counts_then_the_oldest() {
    let of = |namespace, age, address| {
        entry(
            &format!("name: a, namespace: {namespace}, creationTimestamp: '{age}-01-01T00:00:00Z'"),
            "STATIC",
            address,
            "",
        )
    };
    let (old, young) = (of("zz", 2020, "10.0.0.1"), of("aa", 2024, "10.0.0.2"));
    let own = of("default", 2025, "10.0.0.3");
    let rule = |namespace| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: a, namespace: {namespace}}}, spec: \
             {{host: reviews.test, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}}}"
        )
    };
    for (entries, address, namespace) in [
        ([&young, &old], "10.0.0.1:8000", "zz"),
        ([&old, &young], "10.0.0.1:8000", "zz"),
        ([&old, &own], "10.0.0.3:8000", "default"),
    ] {
        for of_rule in ["zz", "aa", "default"] {
            let rule = rule(of_rule);
            let cluster = cluster(&[entries[0], entries[1], &rule]);
            assert_eq!(addresses(&cluster), [address]);
            // Those of the proxy's own namespace come first.
            let counts = of_rule == namespace || of_rule == "default";
            assert_eq!(cluster["lb_policy"] == "RANDOM", counts, "{of_rule}: {cluster}");
        }
    }
}

#[test]
fn a_rule_of_the_namespace_that_declares_a_host_counts_whatever_its_name() {
    let host = "reviews.shop.svc.cluster.local";
    let entry = entry("name: a, namespace: infra", "STATIC", "10.0.0.1", "").replace("reviews.test", host);
    let rule = format!(
        "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: a, namespace: infra}}, spec: {{host: \
         {host}, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}}}"
    );
    let policy = |texts: &[&str]| {
        let route = to(host);
        let all = resources(&[&[GATEWAY, &route, &rule], texts].concat());
        let rendered = json_of(&render(&all, &gateway(), &options()).unwrap());
        rendered["clusters"][&format!("outbound|8000||{host}")]["lb_policy"].clone()
    };
    assert_eq!(policy(&[&entry]), "RANDOM");
    assert_ne!(policy(&[&entry, SERVICE]), "RANDOM");
}

#[test]
fn what_a_sidecar_does_not_import_says_not_where_a_service_is() {
    let import = |hosts: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {{name: s}}, spec: {{egress: [{{hosts: [{hosts}]}}]}}}}"
        )
    };
    let entries = [("default", "10.0.0.1"), ("other", "10.0.0.2")].map(|(namespace, address)| {
        entry(&format!("name: a, namespace: {namespace}"), "STATIC", address, "")
    });
    let route = to("reviews.test").replace("['*']", "[to.test]").replace("[gw]", "[mesh]");
    for (hosts, texts, address) in [
        ("'*/*'", vec![], "10.0.0.1:8000"),
        ("other/reviews.test", vec![], "10.0.0.2:8000"),
        ("'*/*', '~./reviews.test'", vec![], "10.0.0.2:8000"),
        // None of them is imported, and yet a VirtualService leads there.
        ("'*/to.test'", vec![route.as_str()], "10.0.0.1:8000"),
    ] {
        let sidecar_of = import(hosts);
        let texts = [&[sidecar_of.as_str(), &entries[0], &entries[1]], &texts[..]].concat();
        let rendered = json_of(&render(&resources(&texts), &sidecar(), &options()).unwrap());
        let cluster = &rendered["clusters"]["outbound|8000||reviews.test"];
        assert!(!cluster.is_null(), "{hosts}: {}", rendered["clusters"]);
        assert_eq!(addresses(cluster), [address], "{hosts}");
    }
}

#[test]
fn a_service_leads_to_what_workloads_call_its_target() {
    let entry = |name, address, ports| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {{name: {name}}}, spec: {{address: {address}, \
             labels: {{app: a}}, ports: {{{ports}}}}}}}"
        )
    };
    let ill = entry("w4", "10.0.0.4", "web: 9999").replace(
        "metadata: {name: w4}",
        "status: {conditions: [{type: Healthy, status: 'False'}]}, metadata: {name: w4, annotations: \
         {proxy.istio.io/health-checks-enabled: 'true'}}",
    );
    let entries = [
        entry("w1", "10.0.0.1", "web: 9999"),
        entry("w2", "10.0.0.2", "http: 7777"),
        entry("w3", "10.0.0.3", ""),
        ill,
    ];
    let found = |target| {
        let service = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{selector: {{app: a}}, ports: [{{port: 8000, name: \
             http{target}}}]}}}}"
        );
        let route = to("a");
        let all = resources(&[GATEWAY, &route, &service, &entries[0], &entries[1], &entries[2], &entries[3]]);
        let rendered = json_of(&render(&all, &gateway(), &options()).unwrap());
        addresses(&rendered["clusters"]["outbound|8000||a.default.svc.cluster.local"])
    };
    assert_eq!(found(""), ["10.0.0.1:8000", "10.0.0.2:7777", "10.0.0.3:8000"]);
    assert_eq!(found(", targetPort: 80"), ["10.0.0.1:80", "10.0.0.2:7777", "10.0.0.3:80"]);
    assert_eq!(found(", targetPort: web"), ["10.0.0.1:9999"], "the others have none of that name");
}

#[test]
fn pods_that_take_no_requests_are_no_endpoints() {
    let pod = |name: &str, address: &str, status: &str, ports: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: a}}}}, spec: {{containers: [{{name: c, image: \
             i{ports}}}]}}, status: {{podIP: {address}{status}}}}}"
        )
    };
    let condition = |status| {
        format!(", conditions: [{{type: Initialized, status: 'True'}}, {{type: Ready, status: '{status}'}}]")
    };
    let pods = [
        pod("named", "10.0.0.1", "", ", ports: [{name: http, containerPort: 9999}]"),
        pod("ready", "10.0.0.2", &condition("True"), ""),
        pod("unready", "10.0.0.3", &condition("False"), ""),
        pod("failed", "10.0.0.4", ", phase: Failed", ""),
    ];
    let selecting = entry("name: a", "STATIC", "", ", workloadSelector: {labels: {app: a}}");
    let all: Vec<_> = [selecting].into_iter().chain(pods).collect();
    assert_eq!(found(&all), ["10.0.0.1:9999", "10.0.0.2:8000"]);
}
