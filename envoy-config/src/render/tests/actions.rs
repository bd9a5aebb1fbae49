//! What the generic routes and the clusters carry out for the filter.

use serde_json::{Value, json};

use super::{GATEWAY, json_of, messages, rule, to};
use crate::render::testing::{gateway, rendered, resources};
use crate::render::{Options, Rendered, render};

fn service(http: &str) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec: {{hosts: ['*'], gateways: [gw], http: {http}}}
"
    )
}

fn manager(rendered: &Rendered) -> Value {
    json_of(rendered)["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"].take()
}

fn routes(rendered: &Rendered) -> Vec<Value> {
    let routes = manager(rendered)["route_config"]["virtual_hosts"][0]["routes"].take();
    routes.as_array().cloned().unwrap()
}

fn names(routes: &[Value]) -> Vec<&str> {
    routes.iter().map(|route| route["name"].as_str().unwrap()).collect()
}

const RETRIES: &str = "[\
 {match: [{uri: {prefix: /slow}}], route: [{destination: {host: a}}], retries: {attempts: 3, backoff: 0.25s}},\
 {match: [{uri: {prefix: /far}}], route: [{destination: {host: a}}], \
  retries: {attempts: 3, retryRemoteLocalities: true, retryIgnorePreviousHosts: false}},\
 {route: [{destination: {host: httpbin, port: {number: 8000}}}]}]";

#[test]
fn each_retry_profile_has_a_route_before_the_plain_ones() {
    let hash = rule("trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: X-User}}}");
    let routes = routes(&rendered(&[GATEWAY, &service(RETRIES), &hash]).unwrap());
    let expected = [
        "mesh,same-hosts",
        "own,remote-localities,same-hosts",
        "own,back-off-ms=250",
        "own-retries",
        "default-retries",
        "other_upgrades",
    ];
    assert_eq!(names(&routes), expected);
    let matches = &routes[2]["match"]["headers"][0];
    assert_eq!(
        *matches,
        json!({"name": "x-outrigger-profile", "string_match": {"exact": "own,back-off-ms=250"}})
    );
    let policy = |index: usize| &routes[index]["route"]["retry_policy"];
    assert_eq!(policy(2)["retry_back_off"]["base_interval"], "0.25s");
    assert_eq!(policy(2)["num_retries"], 0);
    assert_eq!(policy(1)["retry_priority"]["typed_config"]["update_frequency"], 2);
    assert_eq!(policy(1)["retry_host_predicate"], Value::Null);
    assert_eq!((&policy(0)["num_retries"], &policy(0)["retry_host_predicate"]), (&json!(2), &Value::Null));
    assert!(policy(4)["retry_host_predicate"].is_array() && policy(3)["retry_back_off"].is_null());
    let removed = routes[4]["request_headers_to_remove"].as_array().unwrap();
    assert!(removed.contains(&json!("x-outrigger-profile")), "{removed:?}");
}

#[test]
fn what_the_mesh_says_of_hosts_counts_for_hashes_too() {
    let mesh = "defaultHttpRetryPolicy: {attempts: 4, retryIgnorePreviousHosts: true}";
    let mesh = outrigger_api::parse_mesh_config(mesh.as_bytes(), "mesh.yaml").0;
    let hash = rule("trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}");
    let options = Options { mesh, ..Options::default() };
    let rendered = render(&resources(&[GATEWAY, &to("httpbin"), &hash]), &gateway(), &options).unwrap();
    let policy = &routes(&rendered)[0]["route"]["retry_policy"];
    assert_eq!((&policy["num_retries"], policy["retry_host_predicate"].is_array()), (&json!(4), true));
}

#[test]
fn each_list_of_mirrors_has_a_route() {
    let plain = manager(&rendered(&[GATEWAY, &to("httpbin")]).unwrap());
    assert!(!plain.to_string().contains("mirror"), "{plain}");
    let mirrors = "[{match: [{uri: {prefix: /x}}], route: [{destination: {host: a}}], mirror: {host: b}}, \
                   {route: [{destination: {host: a}}], retries: {attempts: 0}, \
                    mirrors: [{destination: {host: b}, percentage: {value: 0.5}}, {destination: {host: c}}]}]";
    let rendered = rendered(&[GATEWAY, &service(mirrors)]).unwrap();
    let routes = routes(&rendered);
    let cluster = |host: &str| format!("outbound|80||{host}.default.svc.cluster.local");
    let expected = [
        format!("mesh,mirror={}*1000000", cluster("b")),
        format!("own,mirror={}*5000,mirror={}*1000000", cluster("b"), cluster("c")),
        "own-retries".to_owned(),
        "default-retries".to_owned(),
        "other_upgrades".to_owned(),
    ];
    assert_eq!(names(&routes), expected);
    let policy = |host: &str, numerator: u32| {
        json!({
            "cluster": cluster(host), "trace_sampled": false, "disable_shadow_host_suffix_append": true,
            "runtime_fraction": {"default_value": {"numerator": numerator, "denominator": "MILLION"}},
        })
    };
    let of = |index: usize| &routes[index]["route"]["request_mirror_policies"];
    assert_eq!(*of(0), json!([policy("b", 1_000_000)]));
    assert_eq!(*of(1), json!([policy("b", 5000), policy("c", 1_000_000)]));
    assert!(of(2).is_null() && of(3).is_null());
    assert_eq!(routes[0]["route"]["retry_policy"], routes[3]["route"]["retry_policy"]);
    assert_eq!(routes[1]["route"]["retry_policy"], routes[2]["route"]["retry_policy"]);
    let clusters = json_of(&rendered)["clusters"].take();
    for host in ["a", "b", "c"] {
        assert!(clusters[cluster(host)].is_object(), "{host}");
    }
}

#[test]
fn a_consistent_hash_stands_on_the_cluster() {
    let ring = |size: u64| json!({"minimum_ring_size": size});
    for (hash, name, algorithm, policy) in [
        ("httpHeaderName: X-User", "ring_hash", ring(1024), json!({"header": {"header_name": "x-user"}})),
        (
            "useSourceIp: true, ringHash: {minimumRingSize: 77}",
            "ring_hash",
            ring(77),
            json!({"connection_properties": {"source_ip": true}}),
        ),
        (
            "httpQueryParameterName: q, maglev: {tableSize: 251}",
            "maglev",
            json!({"table_size": 251}),
            json!({"query_parameter": {"name": "q"}}),
        ),
        (
            "httpCookie: {name: c}, ringHash: {minimumRingSize: 9}",
            "ring_hash",
            ring(9),
            json!({"cookie": {"name": "c"}}),
        ),
        (
            "httpCookie: {name: c, path: /p, ttl: 0s, attributes: [{name: SameSite, value: Lax}, {name: Secure}]}",
            "ring_hash",
            ring(1024),
            json!({"cookie": {"name": "c", "ttl": "0s", "path": "/p",
                "attributes": [{"name": "SameSite", "value": "Lax"}, {"name": "Secure"}]}}),
        ),
    ] {
        let text = rule(&format!("trafficPolicy: {{loadBalancer: {{consistentHash: {{{hash}}}}}}}"));
        let value = json_of(&rendered(&[GATEWAY, &to("httpbin"), &text]).unwrap());
        let cluster = &value["clusters"]["outbound|8000||httpbin.default.svc.cluster.local"];
        assert!(cluster["lb_policy"].is_null(), "{cluster}");
        let extension = &cluster["load_balancing_policy"]["policies"][0]["typed_extension_config"];
        assert_eq!(extension["name"], format!("envoy.load_balancing_policies.{name}"));
        let config = &extension["typed_config"];
        assert_eq!(config["consistent_hashing_lb_config"]["hash_policy"], json!([policy]), "{hash}");
        for (field, expected) in algorithm.as_object().unwrap() {
            assert_eq!(config[field], *expected, "{hash}");
        }
    }
}

#[test]
fn a_ring_too_large_for_envoy_is_refused() {
    let text = rule(
        "trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: 8388609}}}}",
    );
    let found = messages(rendered(&[GATEWAY, &to("httpbin"), &text]));
    assert!(found[0].contains("8388608") && found[0].contains("consistentHash"), "{found:?}");
}
