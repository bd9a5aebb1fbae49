//! What Istio's validation says about single fields, as tables: a spec, and what is said about it.

use crate::{parse_yaml, problem::Severity, resource::Parsed};

fn read(kind: &str, spec: &str) -> Parsed {
    let group = match kind {
        "AuthorizationPolicy" | "PeerAuthentication" | "RequestAuthentication" => "security",
        "Telemetry" => "telemetry",
        _ => "networking",
    };
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata:\n  name: x\n  namespace: ns\nspec:\n{spec}"
    );
    parse_yaml(text.as_bytes(), "x.yaml", "default")
}

/// Each spec with a part of the one error it has, or none.
fn check(kind: &str, cases: &[(&str, Option<&str>)]) {
    for (spec, expected) in cases {
        let parsed = read(kind, spec);
        let errors: Vec<_> =
            parsed.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        match expected {
            None => assert!(errors.is_empty() && parsed.resources.len() == 1, "{spec}\n{errors:#?}"),
            Some(part) => {
                let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
                assert!(
                    said.len() == 1 && said[0].contains(part),
                    "{spec}\nexpected: {part}\nsaid: {said:#?}"
                );
                assert!(parsed.resources.is_empty());
                assert!(errors[0].position.is_some_and(|place| place.line > 3 || place.column > 0));
            }
        }
    }
}

/// Fields of a route, put into an otherwise valid VirtualService.
fn check_route(cases: &[(&str, Option<&str>)]) {
    let route = "route: [{destination: {host: a}}]";
    let cases: Vec<(String, Option<&str>)> = cases
        .iter()
        .map(|(fields, expected)| {
            (format!("hosts: [a.com]\ngateways: [g]\nhttp:\n- {fields}\n  {route}"), *expected)
        })
        .collect();
    let cases: Vec<_> = cases.iter().map(|(spec, expected)| (spec.as_str(), *expected)).collect();
    check("VirtualService", &cases);
}

#[test]
fn virtual_services() {
    let http = "http: [{route: [{destination: {host: a}}]}]";
    let spec = |fields: &str| format!("{fields}\n{http}");
    for (fields, expected) in [
        ("hosts: [a]", None),
        ("hosts: [10.0.0.1]", None),
        ("hosts: ['*']\ngateways: [g]", None),
        ("hosts: ['*']", Some("host `*` is not allowed in the mesh")),
        ("hosts: ['*']\ngateways: [g, mesh]", Some("host `*` is not allowed in the mesh")),
        ("hosts: ['a.*.com']", Some("`a.*.com` is not a host name")),
        ("hosts: [a.com, a.com]", Some("cover the same names")),
        ("hosts: [a.com, '*.com']", Some("cover the same names")),
        ("{}", None),
        ("gateways: [g]", Some("a delegate, which has no `gateways`")),
        ("hosts: [a]\ngateways: [ns/g, ./g]", None),
        ("hosts: [a]\ngateways: [ns/]", Some("its name is not a DNS label")),
        ("hosts: [a]\nexportTo: ['.', '*']", Some("must stand alone")),
        ("hosts: [a]\nexportTo: ['.', ns]", Some("namespace `ns` is given twice")),
        ("hosts: [a]\nexportTo: ['~']", Some("`~` is not a DNS label")),
        ("hosts: [a]\nexportTo: ['.', other]", None),
        ("hosts: 5", Some("expected a list, found the number `5`")),
    ] {
        let spec = spec(fields).replace("{}\n", "");
        check("VirtualService", &[(&spec, expected)]);
    }
    check(
        "VirtualService",
        &[
            ("hosts: [a]", Some("missing `http`, `tls` or `tcp`")),
            ("{}", Some("missing `http`, `tls` or `tcp`")),
            ("hosts: [a]\nhttp: [null]", Some("expected a mapping, found null")),
            ("hosts: [a]\nhttp: [{}]", Some("missing `route`, `redirect`, `directResponse` or `delegate`")),
            ("hosts: [a]\nhttp: [{route: []}]", Some("missing `route`")),
            ("http: [{delegate: {name: d}}]", Some("can't delegate any further")),
            ("hosts: [a]\nhttp: [{delegate: {name: d}, redirect: {uri: /}}]", Some("only one of")),
            ("hosts: [a]\nhttp: [{directResponse: {status: 99}}]", Some("`99` is not within 200 and 600")),
            ("hosts: [a]\nhttp: [{directResponse: {status: 200, body: {bytes: 'a'}}}]", Some("not base64")),
            ("hosts: [a]\nhttp: [{redirect: {}}]", Some("missing `uri`")),
            ("hosts: [a]\nhttp: [{redirect: {uri: /x, redirectCode: 305}}]", Some("Envoy can't redirect")),
            ("hosts: [a]\nhttp: [{redirect: {uri: /x, redirectCode: 200}}]", Some("`200` is not a redirect")),
            ("hosts: [a]\nhttp: [{redirect: {uri: /x}, timeout: 1s}]", None),
            ("hosts: [a]\nhttp: [{redirect: {uri: /x}, rewrite: {uri: /}}]", Some("has no place beside")),
            (
                "hosts: [a]\nhttp: [{match: [{uri: {exact: /}}], redirect: {prefixRewrite: /x}}]",
                Some("`prefixRewrite` needs"),
            ),
            ("hosts: [a]\nhttp: [{route: [{destination: {host: '*'}}]}]", Some("stands for every host")),
            ("hosts: [a]\nhttp: [{route: [{destination: {host: a, subset: a_b}}]}]", Some("not a DNS label")),
            (
                "hosts: [a]\nhttp: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]",
                Some("weights of all destinations are 0"),
            ),
            (
                "hosts: [a]\nhttp: [{route: [{destination: {host: a}, weight: -1}]}]",
                Some("`-1` is not within"),
            ),
            ("hosts: [a]\ntls: [{match: [{sniHosts: [a]}], route: [{destination: {host: a}}]}]", None),
            (
                "hosts: [a.com]\ntls: [{match: [{sniHosts: [b.com]}], route: [{destination: {host: a}}]}]",
                Some("not covered by"),
            ),
            (
                "hosts: [a]\ntcp: [{match: [{destinationSubnets: [x]}], route: [{destination: {host: a}}]}]",
                Some("neither an IP address"),
            ),
        ],
    );
}

#[test]
fn routes() {
    check_route(&[
        ("timeout: 0s", Some("`0s` is shorter than a millisecond")),
        ("timeout: 1.5ms", Some("not a whole number of milliseconds")),
        ("timeout: 5", Some("expected a string, found the number `5`")),
        ("timeout: 1h30m", None),
        ("timeout: null", None),
        ("time_out: 1s", Some("did you mean `timeout`")),
        ("cors_policy: {}", None),
        ("retries: {attempts: 0}", None),
        ("retries: {attempts: -1}", Some("`-1` is not within")),
        ("retries: {attempts: 0, perTryTimeout: 1s}", Some("`perTryTimeout` has no effect")),
        ("retries: {retryOn: 5xx}", Some("`retryOn` has no effect")),
        ("retries: {attempts: 1, retryOn: '5xx,503,reset'}", None),
        ("retries: {attempts: 1, retryOn: '5xx, reset'}", Some("` reset` is not a condition")),
        ("retries: {attempts: 1, retryOn: '999'}", Some("`999` is not a condition")),
        ("fault: {}", Some("missing `delay` or `abort`")),
        ("fault: {delay: {percentage: {value: 0.00001}, fixedDelay: 1s}}", Some("neither 0 nor within")),
        (
            "fault: {delay: {percentage: {value: 1}, exponentialDelay: 1s, fixedDelay: 1s}}",
            Some("not supported by Istio"),
        ),
        ("fault: {delay: {percentage: {value: 1}}}", Some("missing `fixedDelay`")),
        (
            "fault: {abort: {percentage: {value: 1}, httpStatus: 601}}",
            Some("`601` is not within 200 and 600"),
        ),
        (
            "fault: {abort: {percentage: {value: 1}, grpcStatus: not_found}}",
            Some("did you mean `NOT_FOUND`?"),
        ),
        ("fault: {abort: {percentage: {value: 1}, grpcStatus: UNAVAILABLE}}", None),
        ("fault: {abort: {percentage: {value: 1}, http2Error: x}}", Some("not supported by Istio")),
        ("rewrite: {}", Some("missing `uri`, `uriRegexRewrite` or `authority`")),
        ("rewrite: {uri: /, uriRegexRewrite: {match: a, rewrite: b}}", Some("only one of")),
        ("rewrite: {authority: a, uriRegexRewrite: {match: a, rewrite: b}}", None),
        ("rewrite: {authority: a}\n  headers: {request: {set: {Host: b}}}", Some("set more than once")),
        ("headers: {request: {set: {':path': b}}}", Some("a pseudo header")),
        ("headers: {request: {remove: [host]}}", Some("can't be changed here")),
        ("headers: {response: {set: {host: b}}}", Some("can't be changed here")),
        ("headers: {request: {set: {a: '100%'}}}", Some("ends in a single `%`")),
        ("headers: {request: {set: {a: 5}}}", Some("put it in quotes")),
        ("mirror: {host: a}\n  mirrors: [{destination: {host: a}}]", Some("only one of")),
        ("mirrorPercentage: {value: 101}\n  mirror: {host: a}", Some("not within 0 and 100")),
        ("corsPolicy: {allowOrigins: [{}]}", Some("an origin needs")),
        ("corsPolicy: {allowMethods: [get]}", Some("is not one of GET")),
        ("corsPolicy: {maxAge: 1500ms}", Some("whole number of seconds")),
        ("attempts: 3", Some("`attempts` belongs under `retries`")),
    ]);
}

#[test]
fn matches() {
    check_route(&[
        ("match: [null]", None),
        ("match: [{}]", None),
        ("match: [{uri: {prefix: ''}}]", None),
        ("match: [{method: {prefix: ''}}]", Some("must not be empty")),
        ("match: [{uri: {exact: a, prefix: b}}]", Some("only one of")),
        ("match: [{uri: {regex: ''}}]", Some("is empty")),
        ("match: [{uri: {regex: '(?=a)'}}]", Some("not a regex of RE2's syntax")),
        ("match: [{uri: /x}]", Some("expected a mapping, found the string `/x`")),
        ("match: [{uri: {exat: /x}}]", Some("did you mean `exact`?")),
        ("match: [{prefix: /x}]", Some("`prefix` belongs under the field to match")),
        ("match: [{headers: {a: null}}]", Some("must not be null")),
        ("match: [{headers: {a: {}}}]", None),
        ("match: [{headers: {a: {regex: '*'}}}]", Some("not a regex")),
        ("match: [{headers: {'a b': {}}}]", Some("not the name of a header")),
        ("match: [{headers: {':path': {exact: /}}}]", None),
        ("match: [{headers: {':other': {exact: /}}}]", Some("not the name of a header")),
        ("match: [{headers: {'@request.auth.claims.sub': {exact: a}}}]", None),
        ("match: [{headers: {'@request.auth.claims': {exact: a}}}]", Some("not the name of a header")),
        ("match: [{headers: {'@request.auth.claims[]': {exact: a}}}]", Some("not the name of a header")),
        ("match: [{headers: {'@request.auth.claims-a': {exact: a}}}]", Some("not the name of a header")),
        ("match: [{withoutHeaders: {'@Request.Auth.Claims[a.b][c]': {regex: a.*}}}]", None),
        ("match: [{headers: {'@request.auth.claims.sub': {}}}]", Some("Envoy has no presence of claims")),
        (
            "match: [{withoutHeaders: {'@request.auth.claims.sub': null}}]",
            Some("Envoy has no presence of claims"),
        ),
        ("match: [{withoutHeaders: {a: null, b: {}, c: {regex: '*'}}}]", None),
        ("match: [{queryParams: {a: null, b: {exact: ''}}}]", None),
        ("match: [{port: 0}]", None),
        ("match: [{port: 65536}]", Some("`65536` is not within")),
        ("match: [{sourceNamespace: a_b}]", Some("not a DNS label")),
        ("match: [{sourceLabels: {version: 1}}]", Some("put it in quotes")),
        ("match: [{hosts: [a]}]", Some("`hosts` belongs directly under `spec`")),
    ]);
    check(
        "VirtualService",
        &[(
            "hosts: [a]\nhttp: [{match: [{headers: {'@request.auth.claims[a][b]': {exact: x}}}], route: [{destination: {host: a}}]}]",
            Some("JWT claim based routing (key: @request.auth.claims[a][b]) is only supported for gateway"),
        )],
    );
}

#[test]
fn gateways() {
    let server = |fields: &str| {
        format!("servers: [{{port: {{number: 443, name: a, protocol: HTTPS}}, hosts: [a.com], {fields}}}]")
    };
    let tls = |fields: &str| server(&format!("tls: {{{fields}}}"));
    check(
        "Gateway",
        &[
            ("servers: []", Some("missing `servers`")),
            (
                "servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.com, '*', 'ns/*.com', './a.com', '*/*']}]",
                None,
            ),
            ("servers: [{port: {number: 80, name: a, protocol: http}, hosts: []}]", Some("missing `hosts`")),
            ("servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [short]}]", Some("short name")),
            (
                "servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*a.com']}]",
                Some("part of a label"),
            ),
            (
                "servers: [{port: {number: 0, name: a, protocol: HTTP}, hosts: [a.com]}]",
                Some("port `0` is not within"),
            ),
            ("servers: [{port: {number: 80, protocol: HTTP}, hosts: [a.com]}]", Some("missing `name`")),
            ("servers: [{port: {number: 80, name: a}, hosts: [a.com]}]", Some("missing `protocol`")),
            (
                "servers: [{port: {number: 80, name: a, protocol: FTP}, hosts: [a.com]}]",
                Some("unknown protocol `FTP`"),
            ),
            (
                "servers: [{port: {number: 80, name: a, protocol: HTTP, targetPort: 8080}, hosts: [a.com]}]",
                Some("no effect here"),
            ),
            (
                "servers: [{port: {number: 0, name: a, protocol: HTTP}, bind: 'unix:///x', hosts: [a.com]}]",
                None,
            ),
            (
                "servers: [{port: {number: 80, name: a, protocol: HTTP}, tls: {httpsRedirect: true}, hosts: [a.com]}]",
                None,
            ),
            (
                "servers: [{port: {number: 80, name: a, protocol: HTTP}, tls: {mode: SIMPLE, credentialName: c}, hosts: [a.com]}]",
                Some("neither HTTPS nor TLS"),
            ),
            (
                "selector: {a: 'x*'}\nservers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.com]}]",
                Some("no wildcards"),
            ),
        ],
    );
    for (spec, expected) in [
        (server(""), Some("missing `tls`")),
        (tls("mode: SIMPLE, credentialName: c"), None),
        (tls("mode: SIMPLE"), Some("missing `serverCertificate`")),
        (tls("mode: SIMPLE, serverCertificate: a, privateKey: b"), None),
        (tls("mode: SIMPLE, serverCertificate: a"), Some("missing `serverCertificate` with `privateKey`")),
        (tls("mode: SIMPLE, serverCertificate: a, privateKey: b, credentialName: c"), Some("only one of")),
        (tls("mode: MUTUAL, serverCertificate: a, privateKey: b"), Some("missing `caCertificates`")),
        (tls("mode: ISTIO_MUTUAL, credentialName: c"), Some("brings its own certificates")),
        (tls("mode: SIMPLE, serverCertificate: a, privateKey: b, caCrl: c"), Some("mode SIMPLE")),
        (tls("mode: SIMPEL, credentialName: c"), Some("did you mean `SIMPLE`?")),
        (tls("mode: PASSTHROUGH"), None),
    ] {
        check("Gateway", &[(&spec, expected)]);
    }
}

#[test]
fn destination_rules() {
    let policy = |fields: &str| format!("host: a\ntrafficPolicy: {{{fields}}}");
    for (fields, expected) in [
        ("", Some("must not be empty")),
        ("connectionPool: {}", Some("missing `tcp` or `http`")),
        ("connectionPool: {tcp: {maxConnections: -1}}", Some("`-1` is not within")),
        ("connectionPool: {tcp: {idleTimeout: 0s}}", None),
        ("connectionPool: {tcp: {connectTimeout: 0s}}", Some("shorter than a millisecond")),
        (
            "connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}",
            Some("can't be given with"),
        ),
        ("loadBalancer: {simple: LEAST_CONN}", None),
        ("loadBalancer: {simple: FASTEST}", Some("unknown value `FASTEST`")),
        ("loadBalancer: {consistentHash: {useSourceIp: true}, simple: RANDOM}", Some("only one of")),
        ("loadBalancer: {consistentHash: {}}", Some("missing one of")),
        (
            "loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 65538}}}",
            Some("not a prime"),
        ),
        ("loadBalancer: {consistentHash: {httpCookie: {ttl: 0s}}}", Some("missing `name`")),
        ("loadBalancer: {warmup: {minimumPercent: 101, duration: 1s}}", Some("not within 0 and 100")),
        ("outlierDetection: {maxEjectionPercent: 101}", Some("`101` is not within 0 and 100")),
        (
            "outlierDetection: {consecutiveLocalOriginFailures: 1}",
            Some("needs `splitExternalLocalOriginErrors"),
        ),
        ("outlierDetection: {interval: 0s}", Some("shorter than a millisecond")),
        ("tls: {mode: MUTUAL}", Some("mode MUTUAL needs")),
        ("tls: {mode: MUTUAL, credentialName: c}", None),
        ("tls: {mode: SIMPLE, credentialName: c, caCertificates: d}", Some("with `credentialName`")),
        (
            "tls: {mode: SIMPLE, insecureSkipVerify: true, caCertificates: d}",
            Some("with `insecureSkipVerify`"),
        ),
        ("portLevelSettings: [{port: {number: 80}}]", Some("must not be empty")),
        ("portLevelSettings: [{tls: {mode: SIMPLE}}]", Some("missing `port`")),
        ("tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {}", Some("only one of")),
        ("maxConnections: 3, tls: {}", Some("`maxConnections` belongs under `connectionPool.tcp`")),
    ] {
        check("DestinationRule", &[(&policy(fields), expected)]);
    }
    check(
        "DestinationRule",
        &[
            ("subsets: []", Some("missing `host`")),
            ("host: a\nsubsets: [{name: v1}, {name: v1}]", Some("subset `v1` is given twice")),
            ("host: a\nsubsets: [{name: v_1}]", Some("not a DNS label")),
            ("host: a\nsubsets: [{name: v1, labels: {version: 1}}]", Some("put it in quotes")),
            (
                "host: a\nworkloadSelector: {matchLabels: {a: b}}\nexportTo: ['*']",
                Some("only be exported to its own"),
            ),
        ],
    );
}

#[test]
fn service_entries_and_workloads() {
    let port = "ports: [{number: 80, name: http, protocol: HTTP}]";
    for (fields, expected) in [
        ("hosts: [a.com]\nresolution: DNS", None),
        ("resolution: DNS", Some("missing `hosts`")),
        ("hosts: []", Some("there must be 1 to 256 hosts")),
        ("hosts: ['*']", Some("`*` can't be the host")),
        ("hosts: ['*.a.com']\nresolution: DNS", Some("can't have wildcards")),
        ("hosts: [a.com]\nresolution: STATIC\nendpoints: [{address: 10.0.0.1}]", None),
        ("hosts: [a.com]\nresolution: STATIC\nendpoints: [{address: b.com}]", Some("not an IP address")),
        ("hosts: [a.com]\nendpoints: [{address: 10.0.0.1}]", Some("there can be no `endpoints`")),
        (
            "hosts: [a.com]\nresolution: STATIC\nendpoints: [{address: 10.0.0.1, ports: {other: 1}}]",
            Some("not among `ports`"),
        ),
        ("hosts: [a.com]\nresolution: STATIC\nendpoints: [{}]", Some("missing `address`")),
        (
            "hosts: [a.com]\nresolution: DNS_ROUND_ROBIN\nendpoints: [{address: a.b}, {address: b.c}]",
            Some("one endpoint at most"),
        ),
        ("hosts: [a.com]\nresolution: DNS\naddresses: [10.0.0.0/8]", Some("needs resolution NONE or STATIC")),
        ("hosts: [a.com]\nresolution: DYNAMIC_DNS", Some("needs wildcard `hosts`")),
        ("hosts: ['*.a.com']\nresolution: DYNAMIC_DNS", None),
        (
            "hosts: [a.com]\nresolution: STATIC\nendpoints: []\nworkloadSelector: {labels: {a: b}}",
            Some("only one of"),
        ),
        ("hosts: [a.com]\nexportTo: ['~']", None),
    ] {
        check("ServiceEntry", &[(&format!("{fields}\n{port}"), expected)]);
    }
    check(
        "ServiceEntry",
        &[
            (
                "hosts: [a.com]\nports: [{number: 80, name: a}, {number: 80, name: b}]",
                Some("port `80` is given twice"),
            ),
            (
                "hosts: [a.com, b.com]\nresolution: DNS\nports: [{number: 80, name: a, protocol: TCP}]",
                Some("can't be told apart"),
            ),
        ],
    );
    check(
        "WorkloadEntry",
        &[
            ("address: 10.0.0.1", None),
            ("address: unix:///x", None),
            ("address: unix://x", Some("not the absolute path")),
            ("address: unix:///x\nports: {a: 1}", Some("a unix socket has no `ports`")),
            ("network: n", None),
            ("labels: {}", Some("missing `address`")),
            ("address: 10.0.0.1\nports: {a: 0}", Some("port `0`")),
        ],
    );
}

#[test]
fn authorization_policies() {
    check(
        "AuthorizationPolicy",
        &[
            ("{}", None),
            ("rules: []", None),
            ("rules: [{}]", None),
            ("rules: [null]", Some("a rule must not be null")),
            ("action: DENY", Some("`action: DENY` without `rules` does nothing")),
            ("action: DENY\nrules: []", None),
            ("action: deny\nrules: []", Some("did you mean `DENY`?")),
            ("action: CUSTOM\nrules: [{}]", Some("needs `provider.name`")),
            (
                "action: CUSTOM\nprovider: {name: p}\nrules: [{from: [{source: {principals: [a]}}]}]",
                Some("can't ask for the identity"),
            ),
            ("action: CUSTOM\nprovider: {name: p}\nrules: [{to: [{operation: {paths: [/a]}}]}]", None),
            ("provider: {name: p}", Some("only be given with `action: CUSTOM`")),
            ("rules: [{from: []}]", Some("`from` must not be empty")),
            ("rules: [{to: []}]", Some("`to` must not be empty")),
            ("rules: [{from: [{}]}]", Some("missing `source`")),
            ("rules: [{from: [{source: {}}]}]", Some("`source` must not be empty")),
            ("rules: [{from: [{source: {principals: []}}]}]", Some("`source` must not be empty")),
            ("rules: [{from: [{source: {principals: ['']}}]}]", Some("must not be empty")),
            ("rules: [{from: [{source: {ipBlocks: [10.0.0.0/8, '::1']}}]}]", None),
            ("rules: [{from: [{source: {serviceAccounts: [a, ns/b]}}]}]", None),
            ("rules: [{from: [{source: {serviceAccounts: ['a*']}}]}]", Some("has a wildcard")),
            (
                "rules: [{from: [{source: {serviceAccounts: [a], namespaces: [b]}}]}]",
                Some("can't be given with"),
            ),
            ("rules: [{from: [{source: {trustDomains: ['*.td']}}]}]", None),
            ("rules: [{from: [{source: {trustDomains: ['a*b']}}]}]", Some("at one of its ends")),
            ("rules: [{from: [{source: {trustDomains: ['a/b']}}]}]", Some("it has a slash")),
            (
                "rules: [{from: [{principals: [a], source: {namespaces: [b]}}]}]",
                Some("`principals` belongs under"),
            ),
            ("rules: [{to: [{operation: {ports: ['80']}}]}]", None),
            ("rules: [{to: [{operation: {ports: [80]}}]}]", Some("put it in quotes")),
            ("rules: [{to: [{operation: {ports: ['65536']}}]}]", Some("is not a port")),
            ("rules: [{to: [{operation: {ports: ['+80']}}]}]", Some("is not a port")),
            ("rules: [{to: [{operation: {paths: ['/a/{**}/{*}']}}]}]", Some("must be the last")),
            ("rules: [{when: [{key: source.ip, values: [x]}]}]", Some("neither an IP address")),
            ("rules: [{when: [{key: source.ip}]}]", Some("missing `values` or `notValues`")),
            ("rules: [{when: [{values: [x]}]}]", Some("missing `key`")),
            ("rules: [{when: [{key: source.ipp, values: [x]}]}]", Some("did you mean `source.ip`?")),
            ("rules: [{when: [{key: 'request.headers[]', values: [x]}]}]", Some("unknown key")),
            ("rules: [{when: [{key: 'request.headers[a', values: [x]}]}]", Some("unknown key")),
            ("rules: [{when: [{key: 'request.auth.claims[a][b]', notValues: [x]}]}]", None),
            ("rules: [{when: [{key: 'request.auth.claims[a]b]', values: [x]}]}]", Some("unknown key")),
            ("rules: [{when: [{key: 'experimental.envoy.filters.a.b[k]', values: ['[v]']}]}]", None),
            (
                "rules: [{when: [{key: destination.labels, values: [x]}]}]",
                Some("use the policy's `selector`"),
            ),
            ("selector: {matchLabels: {a: b}}\ntargetRefs: [{kind: Service, name: a}]", Some("only one of")),
            ("targetRefs: [{kind: Service, name: a, namespace: b}]", Some("leave `namespace` out")),
            ("targetRefs: [{kind: Pod, name: a}]", Some("can't be a target")),
            ("selector: {app: a}", Some("unknown field `app`")),
        ],
    );
}

#[test]
fn other_policies() {
    check(
        "RequestAuthentication",
        &[
            ("{}", None),
            ("jwtRules: [{issuer: a}]", None),
            ("jwtRules: [{}]", Some("missing `issuer`")),
            ("jwtRules: [{jwksUri: 'https://a/b'}]", None),
            ("jwtRules: [{issuer: a, jwksUri: 'ftp://a/b'}]", Some("is not an `http://`")),
            (
                "jwtRules: [{issuer: a, jwksUri: 'https://a', jwks: '{\"keys\": []}'}]",
                Some("only one of `jwks` and `jwksUri`"),
            ),
            ("jwtRules: [{issuer: a, jwks: '{'}]", Some("the key set is not JSON")),
            ("jwtRules: [{issuer: a, jwks: '{\"keys\": []}'}]", None),
            ("jwtRules: [{issuer: a, jwks: '{\"keys\": [{}]}'}]", Some("has no `kty`")),
            ("jwtRules: [{issuer: a, fromHeaders: [{}]}]", Some("missing `name`")),
            ("jwtRules: [{issuer: a, fromParams: ['']}]", Some("must not be empty")),
            (
                "jwtRules: [{issuer: a, outputClaimToHeaders: [{header: 'a.b', claim: c}]}]",
                Some("not the name of a header"),
            ),
            ("jwtRules: [{issuer: a, timeout: 0s}]", Some("shorter than a millisecond")),
        ],
    );
    check(
        "PeerAuthentication",
        &[
            ("{}", None),
            ("mtls: {mode: STRICT}", None),
            ("portLevelMtls: {80: {mode: DISABLE}}", Some("together with a `selector`")),
            ("selector: {matchLabels: {a: b}}\nportLevelMtls: {80: {mode: DISABLE}}", None),
            ("selector: {matchLabels: {a: b}}\nportLevelMtls: {0: {mode: DISABLE}}", Some("port `0`")),
            ("selector: {matchLabels: {a: b}}\nportLevelMtls: {}", Some("must not be empty")),
        ],
    );
    check(
        "Telemetry",
        &[
            ("{}", None),
            (
                "metrics: [{providers: [{name: prometheus}], overrides: [{match: {metric: REQUEST_COUNT, mode: CLIENT}, tagOverrides: {a: {value: 'x'}, b: {operation: REMOVE}}}]}]",
                None,
            ),
            ("metrics: [{providers: [{}]}]", Some("missing `name`")),
            ("metrics: [{overrides: [{tagOverrides: {a: {}}}]}]", Some("missing `value`")),
            (
                "metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE, value: x}}}]}]",
                Some("has no `value`"),
            ),
            ("metrics: [{overrides: [{match: {metric: REQUESTS}}]}]", Some("unknown value `REQUESTS`")),
            ("tracing: [{randomSamplingPercentage: 101}]", Some("not within 0 and 100")),
            ("tracing: [{customTags: {a: {literal: {}}}}]", Some("missing `value`")),
            ("accessLogging: [{filter: {expression: 'response.code >= 400'}}]", None),
        ],
    );
    check(
        "Sidecar",
        &[
            ("{}", Some("a Sidecar must not be empty")),
            ("egress: [{hosts: ['./*', 'istio-system/*', '~/*', '~ns/a.com']}]", None),
            ("egress: [{hosts: ['a.com']}]", Some("has no namespace")),
            (
                "egress: [{hosts: []}, {port: {number: 80, protocol: HTTP}, hosts: ['*/*']}]",
                Some("only the last"),
            ),
            (
                "ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '10.0.0.1:80'}]",
                Some("not an endpoint"),
            ),
            ("outboundTrafficPolicy: {mode: REGISTRY_ONLY}", None),
        ],
    );
}

#[test]
fn warnings() {
    for (kind, spec, said) in [
        (
            "VirtualService",
            "hosts: [a]\nhttp: [{fault: {delay: {fixedDelay: 1s}}, route: [{destination: {host: a}}]}]",
            "this never happens",
        ),
        (
            "VirtualService",
            "hosts: [a]\nhttp: [{fault: {abort: {percentage: {value: 1}}}, route: [{destination: {host: a}}]}]",
            "nothing is aborted",
        ),
        (
            "VirtualService",
            "hosts: [a]\ngateways: [g.ns.svc.cluster.local]\nhttp: [{route: [{destination: {host: a}}]}]",
            "write `ns/g`",
        ),
        (
            "VirtualService",
            "hosts: [a]\nhttp: [{fault: {delay: {percent: 5, fixedDelay: 1s}}, route: [{destination: {host: a}}]}]",
            "`percent` is deprecated",
        ),
        (
            "AuthorizationPolicy",
            "action: DENY\nrules: [{to: [{operation: {paths: [/a]}}]}]",
            "denies all traffic to TCP ports",
        ),
        ("AuthorizationPolicy", "selector: {}", "selects every workload"),
        (
            "RequestAuthentication",
            "jwtRules: [{issuer: a, jwks: '{\"keys\": [{\"kty\": \"RSA\", \"d\": \"x\"}]}'}]",
            "private part",
        ),
    ] {
        let parsed = read(kind, spec);
        let warnings: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
        assert!(parsed.resources.len() == 1, "{spec}\n{warnings:#?}");
        assert!(warnings.len() == 1 && warnings[0].contains(said), "{spec}\n{warnings:#?}");
    }
}
