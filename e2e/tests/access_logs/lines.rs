//! Istio's lines, as text and as JSON, and the same by OTLP and by Envoy's service.

use outrigger_e2e::scenario::Role;

use super::expected::{ANY, compare, of_json, of_text};
use super::proxy::Proxy;

const RESOURCES: &str = "apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec:
  accessLogging:
  - providers: [{name: text}, {name: json}, {name: own}, {name: otel}, {name: als}]
  - providers: [{name: errors}]
    filter: {expression: 'response.code >= 400 && request.path != \"/status/404\"'}
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
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /status}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 418}}
    name: broken
    route: [{destination: {host: httpbin, port: {number: 8000}}}]
  - match: [{uri: {prefix: /headers}}, {uri: {prefix: /closed}}]
    route: [{destination: {host: httpbin, port: {number: 8000}}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/nowhere-else]}}]}, {to: [{operation: {paths: [/closed]}}]}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec:
  jwtRules: [{issuer: test, jwks: '{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\", \"alg\": \"HS256\", \"kid\": \"a\"}]}'}]
";

/// What a request's line says beyond what all have in common.
struct Expected {
    path: &'static str,
    code: &'static str,
    flags: &'static str,
    details: String,
    sent: &'static str,
    /// Where it was sent, and by which route of Envoy's.
    upstream: Option<String>,
    route_name: &'static str,
    /// Route, fault, token, authorization.
    decided: [&'static str; 4],
}

impl Expected {
    fn values(&self) -> Vec<String> {
        let upstream = |value: &str| if self.upstream.is_some() { value } else { "-" }.to_owned();
        let service = "outbound|8000||httpbin.default.svc.cluster.local";
        let host = self.upstream.clone().unwrap_or_else(|| "-".to_owned());
        let mut values: Vec<String> = [
            ANY,
            "GET",
            self.path,
            "HTTP/1.1",
            self.code,
            self.flags,
            &self.details,
            "-",
            "-",
            "0",
            self.sent,
            ANY,
        ]
        .map(str::to_owned)
        .to_vec();
        values.push(upstream(ANY));
        values.extend([ANY, "test", ANY, "shop.example"].map(str::to_owned));
        values.extend([host, upstream(service), upstream(ANY)]);
        values.extend([ANY, ANY, "-", self.route_name].map(str::to_owned));
        values.extend(self.decided.map(str::to_owned));
        values.push("-".to_owned());
        values
    }
}

#[test]
fn each_line_is_istios_and_says_what_was_decided() {
    let proxy = Proxy::start(Role::Gateway, RESOURCES);
    let httpbin = format!("127.0.0.1:{}", proxy.services.services.port("httpbin", "v1").unwrap());
    let plain = proxy.get("/headers?q=1", &[("x-a", "b")]);
    assert_eq!(plain.status, Some(200), "{plain:?}");
    let sent = plain.body.len().to_string();
    assert_eq!(proxy.get("/closed", &[]).status, Some(403));
    assert_eq!(proxy.get("/headers", &[("authorization", "Bearer a.b.c")]).status, Some(401));
    assert_eq!(proxy.get("/elsewhere", &[]).status, Some(404));
    assert_eq!(proxy.get("/status/404", &[]).status, Some(418));
    let jwt = "refused Jwt header is an invalid Base64url encoded default/tokens[0]";
    let expected = [
        Expected {
            path: "/headers?q=1",
            code: "200",
            flags: "-",
            details: "via_upstream".to_owned(),
            sent: Box::leak(sent.into_boxed_str()),
            upstream: Some(httpbin),
            route_name: "default-retries",
            decided: ["default/shop[1]", "-", "-", "-"],
        },
        Expected {
            path: "/closed",
            code: "403",
            flags: "-",
            details: "rbac_access_denied_matched_policy[ns[default]-policy[closed]-rule[1]]".to_owned(),
            sent: "19",
            upstream: None,
            route_name: "-",
            decided: ["-", "-", "-", "denied DENY default/closed[1]"],
        },
        Expected {
            path: "/headers",
            code: "401",
            flags: "-",
            details: "jwt_authn_access_denied{Jwt_header_is_an_invalid_Base64url_encoded}".to_owned(),
            sent: "42",
            upstream: None,
            route_name: "-",
            decided: ["-", "-", jwt, "-"],
        },
        Expected {
            path: "/elsewhere",
            code: "404",
            flags: "NR",
            details: "route_not_found".to_owned(),
            sent: "0",
            upstream: None,
            route_name: "-",
            decided: ["-", "-", "-", "-"],
        },
        Expected {
            path: "/status/404",
            code: "418",
            flags: "FI",
            details: "fault_filter_abort".to_owned(),
            sent: "18",
            upstream: None,
            route_name: "-",
            decided: ["default/shop[0]", "default/shop[0] abort=418", "-", "-"],
        },
    ];
    let (text, json) = (proxy.log("text", 5), proxy.log("json", 5));
    let otel = proxy.collector.lines(5).unwrap();
    let als = proxy.collector.entries(5).unwrap();
    for (at, expected) in expected.iter().enumerate() {
        compare(&of_text(&text[at]), &expected.values(), &text[at]);
        // The same request, so every value is the same: also those that are another each time.
        assert_eq!(of_json(&json[at]), of_text(&text[at]), "{}", json[at]);
        assert_eq!(otel[at].body.trim_end(), text[at]);
        assert_eq!(otel[at].attributes["path"], expected.path);
        assert_eq!(otel[at].attributes["why"], expected.details);
        assert_eq!((als[at].log.as_str(), als[at].path.as_str()), ("edge", expected.path));
        assert_eq!(als[at].status.to_string(), expected.code);
        for (part, value) in ["route", "fault", "jwt", "authz"].into_iter().zip(expected.decided) {
            let wanted = Some(value).filter(|value| *value != "-");
            let tag = format!("outrigger.{part}");
            assert_eq!(als[at].tags.get(&tag).map(String::as_str), wanted, "{tag}");
            assert_eq!(otel[at].attributes.get(&tag).map(String::as_str), wanted, "{tag}");
        }
    }
    assert_eq!(als[0].headers.get("x-a").map(String::as_str), Some("b"));
    assert_eq!(proxy.log("own", 5)[..2], ["own 200 <b> /headers", "own 403 <> /closed"]);
    let errors = proxy.log("errors", 3);
    let code = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["code"].to_string();
    assert_eq!(errors.iter().map(code).collect::<Vec<_>>(), ["403", "401", "404"]);
    assert_eq!(proxy.written("mesh"), "", "Telemetry names providers: `accessLogFile` is not for it");
}
