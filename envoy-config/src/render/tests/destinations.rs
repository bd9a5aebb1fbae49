//! What DestinationRules come to, and mutual TLS between services.

use outrigger_api::Proxy;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{GATEWAY, json_of, to};
use crate::envoy::cluster::Locality;
use crate::envoy::secret::Inline;
use crate::identity::Identity;
use crate::render::testing::{gateway, resources, sidecar};
use crate::render::{Options, render, with_account};

pub(super) const ENTRY: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}]
  endpoints:
  - {address: 10.0.0.1, labels: {version: v1, security.istio.io/tlsMode: istio}, serviceAccount: a, locality: eu/1}
  - {address: 10.0.0.2, labels: {version: v2, security.istio.io/tlsMode: disabled}, serviceAccount: b, locality: us/1}
";

fn rule(spec: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: dr}}, spec: {{host: \
         reviews.test, {spec}}}}}"
    )
}

/// With a certificate of the mesh.
pub(super) fn options() -> Options {
    let identity = Identity {
        certificate_chain: Inline::new("C"),
        private_key: Inline::new("K"),
        roots: Inline::new("R"),
        id: "spiffe://cluster.local/ns/default/sa/a".parse().unwrap(),
        names: Vec::new(),
        serial_number: String::new(),
        starts: OffsetDateTime::UNIX_EPOCH,
        ends: OffsetDateTime::UNIX_EPOCH,
    };
    let locality = Locality { region: "eu".to_owned(), zone: "1".to_owned(), sub_zone: String::new() };
    Options { identity: Some(identity), locality, ..Options::default() }
}

#[test]
fn who_this_end_is_says_its_certificate() {
    let whole = "spiffe://td.test/ns/shop/sa/cart";
    for (certified, namespace, flag, account) in [
        (Some(whole), "shop", None, Some("cart")),
        (Some(whole), "shop", Some("other"), Some("cart")),
        (Some(whole), "default", None, Some(whole)),
        (Some("spiffe://td.test/vm/7"), "shop", Some("cart"), Some("spiffe://td.test/vm/7")),
        (None, "shop", Some("cart"), Some("cart")),
        (None, "shop", None, None),
    ] {
        let mut options = options();
        options.identity = options
            .identity
            .zip(certified)
            .map(|(identity, id)| Identity { id: id.parse().unwrap(), ..identity });
        let (trust_domain, namespace) = ("td.test".to_owned(), namespace.to_owned());
        let proxy =
            Proxy { service_account: flag.map(str::to_owned), trust_domain, namespace, ..Proxy::default() };
        let told = with_account(&proxy, &options).service_account;
        assert_eq!(told.as_deref(), account, "{certified:?} {flag:?}");
    }
}

pub(super) fn cluster(texts: &[&str]) -> Value {
    let route = to("reviews.test");
    let all = [&[GATEWAY, &route], texts].concat();
    let rendered = render(&resources(&all), &gateway(), &options()).unwrap();
    json_of(&rendered)["clusters"]["outbound|8000||reviews.test"].clone()
}

#[test]
fn endpoints_of_the_mesh_get_mutual_tls_if_they_have_a_certificate() {
    let found = cluster(&[ENTRY]);
    let cases = found["transport_socket_matches"].as_array().unwrap();
    assert_eq!((&cases[0]["match"], &cases[1]["match"]), (&json!({"tlsMode": "istio"}), &json!({})));
    let tls = &cases[0]["transport_socket"]["typed_config"];
    assert_eq!(tls["sni"], "outbound_.8000_._.reviews.test");
    let common = &tls["common_tls_context"];
    assert_eq!(common["alpn_protocols"], json!(["istio-peer-exchange", "istio"]));
    let names = &common["combined_validation_context"]["default_validation_context"];
    let names = names["match_typed_subject_alt_names"].as_array().unwrap();
    let ids: Vec<_> = names.iter().map(|name| name["matcher"]["exact"].as_str().unwrap()).collect();
    assert_eq!(ids, ["spiffe://cluster.local/ns/default/sa/a", "spiffe://cluster.local/ns/default/sa/b"]);
    let groups = found["load_assignment"]["endpoints"].as_array().unwrap();
    let metadata = |group: &Value| group["lb_endpoints"][0]["metadata"]["filter_metadata"].clone();
    let marked = json!({
        "envoy.transport_socket_match": {"tlsMode": "istio"},
        "istio": {"workload": ";default;;v1;"}
    });
    let unmarked = json!({"istio": {"workload": ";default;;v2;"}});
    assert_eq!((metadata(&groups[0]), metadata(&groups[1])), (marked, unmarked));
}

#[test]
fn accounts_are_accepted_beside_the_names_of_the_service() {
    let ids = |more: &str| {
        let entry =
            ENTRY.replace(", serviceAccount: b", "").replace("location:", &format!("{more}location:"));
        cluster(&[&entry])["transport_socket_matches"][0].to_string()
    };
    let has = |text: &str, account: &str| {
        text.contains(&format!("spiffe://cluster.local/ns/default/sa/{account}\""))
    };
    // Who the second one is, nobody says.
    let (any, named) = (ids(""), ids("subjectAltNames: ['spiffe://cluster.local/ns/default/sa/y']\n  "));
    assert!(!has(&any, "a") && has(&named, "a") && has(&named, "y"), "{any} {named}");
}

#[test]
fn who_names_a_service_account_has_a_certificate_unless_told_otherwise() {
    let selected = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: reviews}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, labels: {app: reviews}}
spec: {address: 10.0.0.1, serviceAccount: a}
";
    let modes = |texts: &[&str]| {
        let found = cluster(texts);
        let endpoint = &found["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
        endpoint["metadata"]["filter_metadata"]["envoy.transport_socket_match"]["tlsMode"].clone()
    };
    assert_eq!(modes(&[selected]), "istio");
    let labelled = selected.replace(
        "labels: {app: reviews}}\nspec:",
        "labels: {app: reviews, security.istio.io/tlsMode: disabled}}\nspec:",
    );
    assert_eq!(modes(&[&labelled]), Value::Null);
    assert_eq!(modes(&[&selected.replace(", serviceAccount: a", "")]), Value::Null);
    let plain = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: p}, spec: {mtls: {mode: DISABLE}}}";
    assert_eq!(modes(&[selected, plain]), Value::Null);
}

#[test]
fn accounts_of_earlier_trust_domains_are_accepted() {
    let proxy = outrigger_api::Proxy { trust_domain_aliases: vec!["old.test".to_owned()], ..gateway() };
    let names = |entry: &str| {
        let rendered =
            render(&resources(&[GATEWAY, &to("reviews.test"), entry]), &proxy, &options()).unwrap();
        let cluster = &json_of(&rendered)["clusters"]["outbound|8000||reviews.test"];
        let tls =
            &cluster["transport_socket_matches"][0]["transport_socket"]["typed_config"]["common_tls_context"];
        let asks = &tls["combined_validation_context"]["default_validation_context"];
        let names = asks["match_typed_subject_alt_names"].as_array().unwrap().clone();
        names.iter().map(|name| name["matcher"]["exact"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let accounts = ["cluster.local", "old.test"];
    let accounts =
        accounts.map(|domain| ["a", "b"].map(|account| format!("spiffe://{domain}/ns/default/sa/{account}")));
    assert_eq!(names(ENTRY), accounts.concat());
    let by_name =
        ENTRY.replace("  endpoints:", "  subjectAltNames: ['spiffe://x.test/y', reviews.test]\n  endpoints:");
    let found = names(&by_name);
    for name in ["spiffe://x.test/y", "spiffe://old.test/y", "reviews.test"] {
        assert!(found.iter().any(|found| found == name), "{found:?}");
    }
}

#[test]
fn subsets_choose_by_place_and_by_the_labels_of_the_metadata() {
    let addresses = |labels: &str| {
        let entry = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.test]
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: reviews}}
---
{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: one, labels: {app: reviews, version: v2}},
 spec: {address: 10.0.0.1, locality: eu/1, labels: {version: v1}}}
---
{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: two, labels: {app: reviews}},
 spec: {address: 10.0.0.2, locality: us/1, network: n}}
";
        let subset = rule(&format!("subsets: [{{name: one, labels: {{{labels}}}}}]"));
        let route = to("reviews.test").replace("host: reviews.test,", "host: reviews.test, subset: one,");
        let all = resources(&[GATEWAY, &route, entry, &subset]);
        let found = json_of(&render(&all, &gateway(), &options()).unwrap());
        let groups = &found["clusters"]["outbound|8000|one|reviews.test"]["load_assignment"]["endpoints"];
        let endpoints =
            groups.as_array().unwrap().iter().flat_map(|group| group["lb_endpoints"].as_array().unwrap());
        let address = |endpoint: &Value| endpoint["endpoint"]["address"]["socket_address"]["address"].clone();
        endpoints.map(address).collect::<Vec<_>>()
    };
    assert_eq!(addresses("topology.kubernetes.io/region: eu"), ["10.0.0.1"]);
    assert_eq!(addresses("topology.kubernetes.io/zone: '1'"), ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(addresses("topology.istio.io/network: n"), ["10.0.0.2"]);
    assert_eq!(addresses("version: v2"), ["10.0.0.1"]);
    assert!(addresses("version: v1").is_empty());
}

#[test]
fn ports_of_grpc_speak_http2() {
    for (protocol, version) in [
        ("GRPC-WEB", "http2_protocol_options"),
        ("GRPC", "http2_protocol_options"),
        ("HTTP", "http_protocol_options"),
    ] {
        let found = cluster(&[&ENTRY.replace("protocol: HTTP", &format!("protocol: {protocol}"))]);
        let options = &found["typed_extension_protocol_options"].to_string();
        assert!(options.contains(&format!(r#"{{"{version}""#)), "{protocol}: {options}");
    }
}

#[test]
fn where_no_protocol_is_said_a_sidecar_speaks_the_clients() {
    const UNSAID: &str = "use_downstream_protocol_config";
    let nothing = json_of(&render(&[], &sidecar(), &options()).unwrap());
    assert!(nothing["clusters"]["PassthroughCluster"].to_string().contains(UNSAID), "{nothing}");
    let upgrade = rule("trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}");
    let unsaid = ENTRY.replace(", protocol: HTTP", "");
    for (proxy, texts, version) in [
        (sidecar(), vec![unsaid.as_str()], UNSAID),
        (sidecar(), vec![&unsaid, &upgrade], "http2_protocol_options"),
        (sidecar(), vec![ENTRY], "http_protocol_options"),
        (gateway(), vec![&unsaid], "http_protocol_options"),
    ] {
        let all = resources(&[&[GATEWAY, &to("reviews.test")], &texts[..]].concat());
        let found = json_of(&render(&all, &proxy, &options()).unwrap());
        let found = &found["clusters"]["outbound|8000||reviews.test"]["typed_extension_protocol_options"];
        let (found, explicit) = (found.to_string(), format!(r#""explicit_http_config":{{"{version}""#));
        assert!(found.contains(if version == UNSAID { UNSAID } else { &explicit }), "{texts:?}: {found}");
    }
}

#[test]
fn only_the_mesh_is_told_who_sends_requests() {
    for (entry, told) in [(ENTRY.to_owned(), true), (ENTRY.replace("MESH_INTERNAL", "MESH_EXTERNAL"), false)]
    {
        let found = cluster(&[&entry]);
        let options = &found["typed_extension_protocol_options"];
        assert_eq!(options.to_string().contains("x-envoy-peer-metadata-id"), told, "{found}");
        let istio = &found["metadata"]["filter_metadata"]["istio"];
        let service = json!({"host": "reviews.test", "name": "reviews.test", "namespace": "default"});
        assert_eq!(istio["services"], json!([service]));
        assert_eq!(istio["external"], if told { Value::Null } else { json!(true) });
    }
}

#[test]
fn what_is_outside_of_the_mesh_or_said_otherwise_gets_plain_text() {
    for texts in [
        [ENTRY.replace("MESH_INTERNAL", "MESH_EXTERNAL"), rule("exportTo: ['*']")],
        [ENTRY.to_owned(), rule("trafficPolicy: {tls: {mode: DISABLE}}")],
    ] {
        let found = cluster(&[&texts[0], &texts[1]]);
        assert_eq!(
            (&found["transport_socket"], &found["transport_socket_matches"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[test]
fn the_nearest_come_first_once_failing_ones_are_left_out() {
    let priorities = |spec: &str| {
        let found = cluster(&[ENTRY, &rule(spec)]);
        let groups = found["load_assignment"]["endpoints"].as_array().unwrap().clone();
        groups.iter().map(|group| group["priority"].as_u64().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(priorities("trafficPolicy: {loadBalancer: {simple: RANDOM}}"), [0, 0]);
    assert_eq!(priorities("trafficPolicy: {outlierDetection: {}}"), [0, 1]);
    let off = "outlierDetection: {}, loadBalancer: {localityLbSetting: {enabled: false}}";
    assert_eq!(priorities(&format!("trafficPolicy: {{{off}}}")), [0, 0]);
}

/// Istio takes 0 for off only where the field can tell it from nothing.
#[test]
fn zero_consecutive_errors() {
    for (outliers, name, count, enforced) in [
        ("consecutive5xxErrors: 0", "5xx", Value::Null, json!(0)),
        ("consecutiveGatewayErrors: 2", "gateway_failure", json!(2), json!(100)),
        (
            "splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 3",
            "local_origin_failure",
            json!(3),
            json!(100),
        ),
        (
            "splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 0",
            "local_origin_failure",
            Value::Null,
            Value::Null,
        ),
    ] {
        let found = cluster(&[ENTRY, &rule(&format!("trafficPolicy: {{outlierDetection: {{{outliers}}}}}"))]);
        let detection = &found["outlier_detection"];
        let field = |prefix: &str| detection[format!("{prefix}consecutive_{name}")].clone();
        assert_eq!((field(""), field("enforcing_")), (count, enforced), "{outliers}");
    }
}

#[test]
fn policies_are_inherited_as_istio_does() {
    let limit = |port: u32, subset: &str| {
        let spec = format!(
            "trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: 1}}}}, retryBudget: {{}}, portLevelSettings: \
             [{{port: {{number: {port}}}, connectionPool: {{tcp: {{maxConnections: 2}}}}}}]}}, subsets: [{{name: v1, \
             labels: {{version: v1}}, trafficPolicy: {{{subset}}}}}]"
        );
        let route = to("reviews.test").replace("host: reviews.test", "subset: v1, host: reviews.test");
        let rule = rule(&spec);
        let all = [GATEWAY, &route, ENTRY, &rule];
        let rendered = render(&resources(&all), &gateway(), &options()).unwrap();
        let found = json_of(&rendered)["clusters"]["outbound|8000|v1|reviews.test"].clone();
        let limits = &found["circuit_breakers"]["thresholds"][0];
        (limits["max_connections"].as_u64().unwrap(), limits["retry_budget"].is_object())
    };
    let other = "loadBalancer: {simple: RANDOM}";
    assert_eq!(limit(1, other), (1, true));
    // What is said for the port takes the place of what the rule says for all.
    assert_eq!(limit(8000, other), (2, false));
    // The subset comes on top of that.
    assert_eq!(limit(8000, "connectionPool: {tcp: {maxConnections: 3}}"), (3, false));
    // And what it says for the port is all there is.
    let of_port = format!("portLevelSettings: [{{port: {{number: 8000}}, {other}}}]");
    assert_eq!(limit(8000, &of_port), (u64::from(u32::MAX), false));
}

/// Policies are about the application's port, whatever its sidecar opens for that.
#[test]
fn who_asks_for_plain_text_on_a_port_gets_it_wherever_the_sidecar_opened_it() {
    let policy = |port: u16| {
        format!(
            "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: p}}, spec: {{selector: {{matchLabels: \
             {{version: v1}}}}, mtls: {{mode: STRICT}}, portLevelMtls: {{{port}: {{mode: DISABLE}}}}}}}}"
        )
    };
    let opened = ENTRY.replace("serviceAccount: a", "ports: {http: 15007}, serviceAccount: a");
    for (text, port, plain) in
        [(ENTRY, 8000, true), (&opened, 8000, true), (&opened, 15007, true), (&opened, 8001, false)]
    {
        let found = cluster(&[text, &policy(port)]);
        let first = &found["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
        let tls = first.to_string().contains("tlsMode");
        assert_eq!(tls, !plain, "{port}: {first}");
    }
}

#[test]
fn numbers_that_envoy_does_not_stand_are_refused_or_left_out() {
    let problem = |balancer: &str| {
        let rule = rule(&format!("trafficPolicy: {{loadBalancer: {{{balancer}}}}}"));
        let (entry, route) = (ENTRY, to("reviews.test"));
        let all = resources(&[GATEWAY, &route, entry, &rule]);
        render(&all, &gateway(), &options()).map(drop).map_err(|problems| problems[0].to_string())
    };
    // By a table of one Envoy divides by zero.
    assert!(problem("consistentHash: {httpHeaderName: x, maglev: {tableSize: 1}}").is_err());
    assert_eq!(problem("consistentHash: {httpHeaderName: x, maglev: {tableSize: 2}}"), Ok(()));
    assert!(problem("simple: ROUND_ROBIN, warmup: {duration: 1s, aggression: .inf}").is_err());
    let heavy = ENTRY
        .replace("locality: us/1", "weight: 4294967295, locality: eu/2")
        .replace("locality: eu/1", "weight: 4294967295, locality: eu/1");
    let all = rule(
        "trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: '*', to: {'eu/*': 100}}]}}}",
    );
    let shares = cluster(&[&heavy, &all])["load_assignment"]["endpoints"].clone();
    assert_eq!(
        (&shares[0]["load_balancing_weight"], &shares[1]["load_balancing_weight"]),
        (&json!(50), &json!(50))
    );
    let keepalive = rule("trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {probes: 0, time: 7s}}}}");
    let options = cluster(&[ENTRY, &keepalive])["upstream_connection_options"].clone();
    assert_eq!(options, json!({"tcp_keepalive": {"keepalive_time": 7}}));
}
