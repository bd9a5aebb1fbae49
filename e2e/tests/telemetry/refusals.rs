//! Requests that the proxy answers itself.

use outrigger_e2e::ports::free_port;
use outrigger_e2e::services::Single;

use super::expected::assert_metrics;
use super::proxy::{Place, Proxy, TO_HTTPBIN, edge, httpbin, service_entry};

fn start(rules: &str, more: &str) -> (Single, Proxy) {
    let httpbin = httpbin();
    let resources = edge(rules) + &service_entry("httpbin", "HTTP", httpbin.port, "") + more;
    let proxy = Proxy::start(&Place::Edge, &resources);
    (httpbin, proxy)
}

#[test]
fn a_denial_by_an_authorization_policy() {
    let policy = "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: edge}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/headers]}}]}]}
";
    let (_httpbin, proxy) = start(TO_HTTPBIN, policy);
    proxy.get("shop.example", "/headers", 403);
    proxy.get("shop.example", "/status/200", 200);
    assert_metrics(&proxy.admin, "authz");
}

#[test]
fn a_refusal_of_a_token() {
    let jwks = include_str!("../../keys/jwks.json").replace('\n', " ");
    let rule = format!(
        "---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: issuer, namespace: edge}}
spec: {{jwtRules: [{{issuer: 'https://issuer.example', jwks: '{jwks}'}}]}}
"
    );
    let (_httpbin, proxy) = start(TO_HTTPBIN, &rule);
    let token = [("authorization".to_owned(), "Bearer nonsense".to_owned())];
    for _ in 0..2 {
        let seen = proxy.client.request("GET", "shop.example", "/headers", &token).unwrap();
        assert_eq!(seen.status, Some(401), "{seen:?}");
    }
    proxy.get("shop.example", "/status/200", 200);
    assert_metrics(&proxy.admin, "jwt");
}

#[test]
fn faults_are_told_by_their_flags() {
    let fault = |path: &str, fault: &str| {
        format!(
            "  - match: [{{uri: {{prefix: {path}}}}}]
    route: [{{destination: {{host: httpbin.shop.svc.cluster.local}}}}]
    fault: {{{fault}}}
"
        )
    };
    let (abort, delay) = (
        "abort: {httpStatus: 418, percentage: {value: 100}}",
        "delay: {fixedDelay: 50ms, percentage: {value: 100}}",
    );
    let rules = fault("/abort", abort)
        + &fault("/status/204", delay)
        + &fault("/both", &format!("{abort}, {delay}"))
        + TO_HTTPBIN;
    let (_httpbin, proxy) = start(&rules, "");
    for (path, status) in
        [("/abort", 418), ("/abort", 418), ("/status/204", 204), ("/both", 418), ("/status/200", 200)]
    {
        proxy.get("shop.example", path, status);
    }
    assert_metrics(&proxy.admin, "faults");
}

/// What a filter before it has answered is told by what that filter has left, but for the service.
#[test]
fn faults_are_told_by_a_filter_of_its_own_for_metrics_too() {
    let rules = "  - match: [{uri: {prefix: /abort}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}, delay: {fixedDelay: 10ms, percentage: {value: 100}}}
  - match: [{uri: {prefix: /test.Echo}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
    fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}
  - match: [{uri: {prefix: /absent}}]
    retries: {attempts: 0}
    route: [{destination: {host: absent.shop.svc.cluster.local}}]
    fault: {delay: {fixedDelay: 10ms, percentage: {value: 100}}}
  - match: [{uri: {prefix: /status/204}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]
    fault: {delay: {fixedDelay: 10ms, percentage: {value: 100}}}
"
    .to_owned()
        + TO_HTTPBIN;
    let httpbin = httpbin();
    let resources = edge(&rules)
        + &service_entry("httpbin", "HTTP", httpbin.port, "")
        + &service_entry("absent", "HTTP", free_port().unwrap(), "");
    let proxy = Proxy::start_with(&Place::Edge, &resources, &["--filters=separate".to_owned()]);
    for (path, status) in [("/abort", 418), ("/status/204", 204), ("/absent", 503), ("/status/200", 200)] {
        proxy.get("shop.example", path, status);
    }
    let grpc = [("content-type".to_owned(), "application/grpc".to_owned())];
    let seen = proxy.client.request("POST", "shop.example", "/test.Echo/Say", &grpc).unwrap();
    assert_eq!(seen.status, Some(200), "{seen:?}");
    assert_metrics(&proxy.admin, "faults-separate");
    assert_eq!(proxy.logged(5), ["200 -", "200 FI", "204 DI", "418 DI,FI", "503 DI,UF"]);
}

#[test]
fn requests_without_a_route() {
    let (_httpbin, proxy) = start(
        "  - match: [{uri: {exact: /status/200}}]
    route: [{destination: {host: httpbin.shop.svc.cluster.local}}]",
        "",
    );
    proxy.get("shop.example", "/status/200", 200);
    proxy.get("shop.example", "/status/201", 404);
    proxy.get("nobody.example", "/", 404);
    proxy.get("nobody.example", "/again", 404);
    assert_metrics(&proxy.admin, "no-route");
}

#[test]
fn requests_that_are_answered_or_sent_elsewhere_by_a_rule() {
    let (_httpbin, proxy) = start(
        "  - match: [{uri: {exact: /direct}}]
    directResponse: {status: 299, body: {string: here}}
  - match: [{uri: {exact: /moved}}]
    redirect: {uri: /direct}
",
        "",
    );
    proxy.get("shop.example", "/direct", 299);
    proxy.get("shop.example", "/moved", 301);
    assert_metrics(&proxy.admin, "answered");
}
