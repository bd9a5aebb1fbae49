//! All mistakes of a file at once, each at its place.

use crate::{parse_mesh_config, parse_yaml};

const EIGHT: &str = r#"apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: broken
spec:
  hosts: [a.com]
  gatewys: [edge]
  http:
    - match:
        - uri:
            regex: "a("
      route:
        - destination:
            host: a
            port: {number: 70000}
          weight: "5"
      timeout: 5x
      fault:
        delay: {percentage: {value: 101}, fixedDelay: 5s}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: broken
spec:
  rules:
    - from:
        - source:
            ipBlocks: [10.0.0.0/33]
---
apiVersion: networking.istio.io/v1
kind: VirtualServce
metadata:
  name: whole
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: whole
spec:
  hosts: [b.com]
  http:
    - directResponse: {status: 200}
"#;

#[test]
fn eight_mistakes() {
    let parsed = parse_yaml(EIGHT.as_bytes(), "eight.yaml", "default");
    let said: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "eight.yaml:7:3: error: unknown field `gatewys` (spec.gatewys)\n  hint: did you mean `gateways`?",
            "eight.yaml:11:20: error: `a(` is not a regex of RE2's syntax: a group is not closed: `)` is missing (spec.http[0].match[0].uri.regex)",
            "eight.yaml:15:28: error: port `70000` is not within 1 and 65535 (spec.http[0].route[0].destination.port.number)",
            "eight.yaml:16:19: error: expected a whole number, found the string `5` (spec.http[0].route[0].weight)\n  hint: write it without quotes",
            "eight.yaml:17:16: error: `5x` is not a duration; write it like `5s`, `1.5s`, `100ms` or `1h30m` (spec.http[0].timeout)",
            "eight.yaml:19:37: error: percentage `101` is neither 0 nor within 0.0001 and 100 (spec.http[0].fault.delay.percentage.value)",
            "eight.yaml:29:24: error: `10.0.0.0/33` is neither an IP address nor a CIDR block (spec.rules[0].from[0].source.ipBlocks[0])",
            "eight.yaml:31:1: error: `networking.istio.io` has no kind `VirtualServce`\n  hint: did you mean `VirtualService`?",
        ]
    );
    let names: Vec<_> = parsed.resources.iter().map(crate::Resource::id).collect();
    assert_eq!(names, ["default/whole"], "a broken resource does not hide a whole one");
    assert_eq!(parsed.problems[0].resource.kind.as_deref(), Some("VirtualService"));
    assert_eq!(parsed.problems[6].resource.name.as_deref(), Some("broken"));
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let text = EIGHT.replace("  hosts: [a.com]", "  hosts: [a.com");
    let parsed = parse_yaml(text.as_bytes(), "x.yaml", "default");
    assert_eq!(parsed.problems[0].code, crate::problem::code::SYNTAX);
    assert_eq!(parsed.resources.len(), 1);
    assert!(parsed.problems.iter().any(|problem| problem.position.is_some_and(|place| place.line == 29)));
}

/// What stands beside a wrong field is read all the same.
#[test]
fn a_wrong_field_makes_no_other_one_unknown() {
    let resource = |kind: &str, group: &str, spec: &str| {
        let text =
            format!("apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n");
        parse_yaml(text.as_bytes(), "f.yaml", "default").problems
    };
    let provider = "extensionProviders: [{name: a, envoyExtAuthzHttp: {service: b.test, port: x, headersToDownstreamOnDeny: [c]}}]";
    for problems in [
        parse_mesh_config(provider.as_bytes(), "m").1,
        resource(
            "Sidecar",
            "networking",
            "{ingress: [{port: {number: x, protocol: HTTP}, bind: 127.0.0.1, defaultEndpoint: '127.0.0.1:1'}]}",
        ),
        resource(
            "RequestAuthentication",
            "security",
            "{jwtRules: [{issuer: a, jwks: x, fromParams: [b], forwardOriginalToken: true}]}",
        ),
        resource(
            "WorkloadGroup",
            "networking",
            "{template: {}, probe: {httpGet: {port: 1, httpHeaders: [{name: ' ', value: a}]}}}",
        ),
    ] {
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(!problems[0].message.contains("unknown"), "{problems:?}");
    }
}
