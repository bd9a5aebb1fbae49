//! Which filters come of policies, in which order.

use serde_json::{Value, json};

use super::*;
use crate::render::testing::{GATEWAY, gateway, resources, sidecar};
use crate::render::{AppPort, Options, render};

const PROVIDERS: &str = "
extensionProviders:
- name: web
  envoyExtAuthzHttp:
    service: authz.example
    port: 8000
    pathPrefix: /check
    includeRequestHeadersInCheck: [x-id, x-a-*]
    includeAdditionalHeadersInCheck: {x-by: outrigger}
    headersToUpstreamOnAllow: ['*-user']
    includeRequestBodyInCheck: {maxRequestBytes: 10}
- name: rpc
  envoyExtAuthzGrpc: {service: rpc.example, port: 9000, timeout: 2s, failOpen: true, statusOnError: '503'}
";

fn policy(name: &str, action: &str, rest: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}}}\nspec: {{action: {action}, {rest}}}\n"
    )
}

fn custom(name: &str, provider: &str) -> String {
    policy(
        name,
        "CUSTOM",
        &format!("provider: {{name: {provider}}}, rules: [{{to: [{{operation: {{paths: [/{name}]}}}}]}}]"),
    )
}

fn tried(policy: &str, annotation: &str) -> String {
    policy.replacen("}\nspec", &format!(", annotations: {{{annotation}: 'true'}}}}\nspec"), 1)
}

/// The filters on requests and on connections, with the servers that they need.
fn guards(policies: &[String]) -> (Vec<Value>, Vec<Value>, Vec<Server>) {
    let texts: Vec<_> = policies.iter().map(String::as_str).collect();
    let (resources, proxy) = (resources(&texts), gateway());
    let (mesh, problems) = outrigger_api::parse_mesh_config(PROVIDERS.as_bytes(), "mesh.yaml");
    assert_eq!(problems, []);
    let scope = Scope { resources: &resources, proxy: &proxy, mesh: &mesh };
    let (http, tcp) = (on_requests(&scope), on_connections(&scope));
    let json = |filter| serde_json::to_value(filter).unwrap();
    let mut servers = http.servers;
    servers.extend(tcp.servers);
    servers.sort();
    servers.dedup();
    (
        http.filters.iter().map(json).collect(),
        tcp.filters.iter().map(|one| serde_json::to_value(one).unwrap()).collect(),
        servers,
    )
}

fn names(filters: &[Value]) -> Vec<&str> {
    filters.iter().map(|filter| filter["name"].as_str().unwrap()).collect()
}

#[test]
fn a_server_is_asked_by_http() {
    let (http, tcp, servers) = guards(&[custom("a", "web"), custom("b", "web")]);
    assert_eq!(names(&http), ["envoy.filters.http.rbac", "envoy.filters.http.ext_authz"]);
    let rbac = &http[0]["typed_config"];
    assert!(rbac.get("rules").is_none(), "nobody is refused by this filter");
    assert_eq!(rbac["shadow_rules_stat_prefix"], "istio_ext_authz_");
    let rules: Vec<_> = rbac["shadow_rules"]["policies"].as_object().unwrap().keys().collect();
    assert_eq!(
        rules,
        [
            "istio-ext-authz-web-ns[default]-policy[a]-rule[0]",
            "istio-ext-authz-web-ns[default]-policy[b]-rule[0]"
        ]
    );
    assert_eq!(
        http[1]["typed_config"],
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "http_service": {
                "server_uri": {"uri": "http://authz.example", "cluster": "outbound|8000||authz.example", "timeout": "600s"},
                "path_prefix": "/check",
                "authorization_request": {"headers_to_add": [{"key": "x-by", "value": "outrigger"}]},
                "authorization_response": {
                    "allowed_upstream_headers": {"patterns": [{"suffix": "-user", "ignore_case": true}]}
                }
            },
            "transport_api_version": "V3",
            "status_on_error": {"code": 403},
            "with_request_body": {"max_request_bytes": 10},
            "allowed_headers": {"patterns": [
                {"exact": "x-id", "ignore_case": true},
                {"prefix": "x-a-", "ignore_case": true}
            ]},
            "disallowed_headers": {"patterns": [{"exact": "x-outrigger-cluster", "ignore_case": true}]},
            "filter_enabled_metadata": {
                "filter": "envoy.filters.http.rbac",
                "path": [{"key": "istio_ext_authz_shadow_effective_policy_id"}],
                "value": {"string_match": {"prefix": "istio-ext-authz-web-ns["}}
            }
        })
    );
    assert_eq!(tcp, Vec::<Value>::new(), "of connections it knows nothing");
    let destination = Destination { host: "authz.example".to_owned(), subset: None, port: 8000 };
    assert_eq!(servers, [Server { destination, grpc: false }]);
}

fn options() -> Options {
    let (mesh, _) = outrigger_api::parse_mesh_config(PROVIDERS.as_bytes(), "mesh.yaml");
    Options { mesh, app_ports: vec![AppPort { port: 80, opened: 15006 }], ..Options::default() }
}

/// Envoy asks nobody about a request without a route.
#[test]
fn where_our_filters_choose_the_route_there_is_one_before() {
    let options = options();
    let early = |texts: &[&str], proxy: &Proxy| {
        let rendered = render(&resources(texts), proxy, &options).unwrap();
        let listener = rendered.listeners.last().unwrap();
        let listener = serde_json::to_value(listener).unwrap();
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        (manager["early_header_mutation_extensions"][0].clone(), manager["http_filters"][0]["name"].clone())
    };
    let asks = custom("a", "web");
    let (mutation, first) = early(&[GATEWAY, &asks], &gateway());
    assert_eq!(
        mutation["typed_config"]["mutations"],
        json!([{"append": {"header": {"key": "x-outrigger-cluster", "value": "undecided"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}])
    );
    assert_eq!(first, "envoy.filters.http.rbac");
    let (mutation, first) = early(&[GATEWAY], &gateway());
    assert_eq!(mutation["typed_config"]["mutations"], json!([{"remove": "x-outrigger-cluster"}]));
    assert_eq!(first, "outrigger");
    // To a sidecar's application there is always a route.
    assert_eq!(early(&[&asks], &sidecar()), (Value::Null, json!("envoy.filters.http.rbac")));
}

#[test]
fn a_server_is_asked_by_grpc_about_both() {
    let (http, tcp, servers) = guards(&[custom("a", "rpc")]);
    let service = json!({
        "envoy_grpc": {"cluster_name": "outbound|9000||rpc.example|grpc", "authority": "rpc.example"},
        "timeout": "2s"
    });
    let asks = &http[1]["typed_config"];
    assert_eq!(asks["grpc_service"], service);
    assert_eq!((&asks["failure_mode_allow"], &asks["status_on_error"]["code"]), (&json!(true), &json!(503)));
    assert_eq!(names(&tcp), ["envoy.filters.network.rbac", "envoy.filters.network.ext_authz"]);
    let asks = &tcp[1]["typed_config"];
    assert_eq!((&asks["grpc_service"], &asks["failure_mode_allow"]), (&service, &json!(true)));
    assert_eq!(asks["filter_enabled_metadata"]["filter"], "envoy.filters.network.rbac");
    let rules = tcp[0]["typed_config"]["shadow_rules"]["policies"].to_string();
    assert!(!rules.contains("/a\""), "the path is left out: {rules}");
    assert!(servers.len() == 1 && servers[0].grpc);
}

#[test]
fn requests_to_a_port_that_is_asked_by_grpc_may_be_for_http_1() {
    let route = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {hosts: ['*'], gateways: \
                 [gw], http: [{route: [{destination: {host: rpc.example, port: {number: 9000}}}]}]}\n";
    let all = resources(&[GATEWAY, &custom("a", "rpc"), route]);
    let rendered = render(&all, &gateway(), &options()).unwrap();
    let version = |name: &str| {
        let cluster = rendered.clusters.iter().find(|cluster| cluster.name == name).unwrap();
        let cluster = serde_json::to_value(cluster).unwrap()["typed_extension_protocol_options"].to_string();
        cluster.contains("\"http2_protocol_options\"")
    };
    assert_eq!(
        [version("outbound|9000||rpc.example|grpc"), version("outbound|9000||rpc.example")],
        [true, false]
    );
}

/// What nobody can be asked about is refused.
#[test]
fn without_a_server_rules_refuse() {
    for policies in [vec![custom("a", "none")], vec![custom("a", "web"), custom("b", "rpc")]] {
        let (http, tcp, servers) = guards(&policies);
        assert_eq!(
            (names(&http), names(&tcp)),
            (vec!["envoy.filters.http.rbac"], vec!["envoy.filters.network.rbac"])
        );
        for filter in [&http[0], &tcp[0]] {
            let rules = &filter["typed_config"]["rules"];
            assert_eq!(rules["action"], "DENY");
            let names: Vec<_> = rules["policies"].as_object().unwrap().keys().collect();
            assert_eq!(names.len(), policies.len());
            assert!(
                names.iter().all(|name| name.ends_with("-rule[0]-deny-due-to-bad-CUSTOM-action")),
                "{names:?}"
            );
        }
        assert_eq!(servers, []);
    }
}

#[test]
fn what_is_tried_out_refuses_nobody_and_is_no_second_server() {
    let dry = |text: &str| tried(text, "outrigger.io/dry-run");
    let (http, tcp, servers) =
        guards(&[custom("a", "web"), dry(&custom("b", "rpc")), dry(&custom("c", "none"))]);
    assert_eq!(names(&http).len(), 4);
    assert_eq!(http[2]["typed_config"]["shadow_rules_stat_prefix"], "outrigger_dry_run_ext_authz_");
    let asks = &http[3]["typed_config"];
    assert_eq!((&asks["shadow_mode"], &asks["stat_prefix"]), (&json!(true), &json!("dry_run")));
    assert_eq!(
        asks["filter_enabled_metadata"]["path"][0]["key"],
        "outrigger_dry_run_ext_authz_shadow_effective_policy_id"
    );
    assert!(http[1]["typed_config"].get("shadow_mode").is_none());
    assert_eq!((names(&tcp).len(), &tcp[1]["typed_config"]["shadow_mode"]), (2, &json!(true)));
    assert_eq!(servers.len(), 2);
    let (http, _, _) = guards(&[dry(&custom("b", "web"))]);
    let asks = &http[1]["typed_config"];
    assert!(asks["http_service"].get("authorization_response").is_none(), "no request is changed");
    assert_eq!(asks["with_request_body"]["allow_partial_message"], true, "no long body is refused");
}

#[test]
fn connections_pass_istios_order() {
    let policies = [
        policy("allow", "ALLOW", "rules: [{to: [{operation: {ports: ['80']}}]}]"),
        policy("deny", "DENY", "rules: [{from: [{source: {ipBlocks: [10.0.0.1]}}]}]"),
        policy("audit", "AUDIT", "rules: [{from: [{source: {ipBlocks: [10.0.0.2]}}]}]"),
        custom("a", "rpc"),
        tried(
            &policy("maybe", "DENY", "rules: [{from: [{source: {ipBlocks: [10.0.0.3]}}]}]"),
            "istio.io/dry-run",
        ),
    ];
    let (http, tcp, _) = guards(&policies);
    assert_eq!(names(&http).len(), 2, "the rest is for the filters of ours");
    let of = |filter: &Value| filter["typed_config"]["rules"]["action"].as_str().unwrap_or("-").to_owned();
    assert_eq!(tcp.iter().map(of).collect::<Vec<_>>(), ["-", "-", "LOG", "DENY", "ALLOW"]);
    let deny = &tcp[3]["typed_config"];
    assert_eq!(
        (&deny["stat_prefix"], &deny["shadow_rules_stat_prefix"]),
        (&json!("tcp."), &json!("istio_dry_run_deny_"))
    );
    assert!(deny["shadow_rules"]["policies"].get("ns[default]-policy[maybe]-rule[0]").is_some());
    assert!(tcp[4]["typed_config"].get("shadow_rules_stat_prefix").is_none());
}

#[test]
fn an_allow_policy_tried_out_alone_refuses_nobody() {
    let text = policy("allow", "ALLOW", "rules: [{to: [{operation: {methods: [GET]}}]}]");
    let (_, tcp, _) = guards(std::slice::from_ref(&text));
    assert_eq!(
        tcp[0]["typed_config"]["rules"],
        json!({"action": "ALLOW", "policies": {}}),
        "refuses everyone"
    );
    let (_, tcp, _) = guards(&[tried(&text, "istio.io/dry-run")]);
    assert!(tcp[0]["typed_config"].get("rules").is_none());
}

#[test]
fn services_of_providers_are_told_by_their_namespace() {
    let service = |namespace: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: s, namespace: {namespace}}}\nspec: {{hosts: [s.example], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}\n"
        )
    };
    let usable = |namespaces: &[&str], written: &str| {
        let texts: Vec<_> = namespaces.iter().map(|namespace| service(namespace)).collect();
        let resources = resources(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let mesh = format!("extensionProviders: [{{name: p, envoyExtAuthzGrpc: {{{written}}}}}]");
        let (mesh, problems) = outrigger_api::parse_mesh_config(mesh.as_bytes(), "mesh.yaml");
        assert_eq!(problems, []);
        let scope = Scope { resources: &resources, proxy: &gateway(), mesh: &mesh };
        usable(&scope, "p").map(|_| ()).map_err(|unusable| match unusable {
            Unusable::Unknown => "unknown".to_owned(),
            Unusable::Misconfigured(why) => why,
        })
    };
    assert_eq!(usable(&["a"], "service: s.example, port: 80"), Ok(()));
    assert_eq!(usable(&[], "service: a/s.example, port: 80"), Ok(()), "DNS knows");
    assert_eq!(usable(&["a", "b"], "service: b/s.example, port: 80"), Ok(()));
    let said = usable(&["a", "b"], "service: s.example, port: 80").unwrap_err();
    assert!(said.contains("in several namespaces (`a`, `b`)"), "{said}");
    let said = usable(&["a"], "service: b/s.example, port: 80").unwrap_err();
    assert!(said.contains("not in namespace `b` but in `a`"), "{said}");
    assert_eq!(usable(&["a"], "service: s.example, port: 81").unwrap_err(), "`s.example` has no port 81");
}
