//! What `analyze` finds in resources that are valid one by one: each case with the codes it must give, in order.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::json;

const REVIEWS: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.default.svc.cluster.local]
  ports: [{number: 9080, name: http, protocol: HTTP}, {number: 9090, name: admin, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1}]
";

fn service(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}}}\nspec:\n{spec}\n"
    )
}

fn gateway(name: &str, hosts: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}}}\nspec:\n  selector: \
         {{istio: ingressgateway}}\n  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [{hosts}]}}]\n"
    )
}

/// `CODE@path` of every finding.
fn findings(flags: &[&str], resources: &str) -> Vec<String> {
    let (code, findings) = json(&[&["analyze", "-f", "-", "-o", "json"], flags].concat(), resources);
    let findings = findings.as_array().unwrap();
    let error = findings.iter().any(|finding| finding["level"] == "Error");
    assert_eq!(code, i32::from(error), "{findings:#?}");
    let text =
        |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    findings.iter().map(|finding| format!("{}@{}", text(finding, "code"), text(finding, "path"))).collect()
}

#[test]
fn references_are_looked_up() {
    let route = |destination: &str| {
        REVIEWS.to_owned()
            + &service("a", &format!("  hosts: [a]\n  http: [{{route: [{{destination: {destination}}}]}}]"))
    };
    let destination = "spec.http[0].route[0].destination";
    for (given, expected) in [
        ("{host: reviews, port: {number: 9080}}", vec![]),
        ("{host: Reviews.default.svc.cluster.local, port: {number: 9080}}", vec![]),
        ("{host: reviews}", vec![format!("IST0112@{destination}.host")]),
        ("{host: reviews, port: {number: 80}}", vec![format!("IST0101@{destination}.port.number")]),
        ("{host: reveiws, port: {number: 80}}", vec![format!("IST0101@{destination}.host")]),
        ("{host: reviews, subset: v1, port: {number: 9080}}", vec![format!("IST0101@{destination}.subset")]),
    ] {
        assert_eq!(findings(&[], &route(given)), expected, "{given}");
    }
}

#[test]
fn what_a_broken_resource_names_is_not_called_absent() {
    let broken = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge}\nspec: {servers: 3}\n";
    let using = service("a", "  hosts: [a.b]\n  gateways: [edge]\n  http: [{directResponse: {status: 200}}]");
    assert_eq!(findings(&[], &(broken.to_owned() + &using)).len(), 1);
}

#[test]
fn the_labels_of_a_subset_must_choose_something() {
    let labelled = REVIEWS.replace("{address: 10.0.0.1}", "{address: 10.0.0.1, labels: {version: v1}}");
    let rule = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: reviews\n  \
                subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]\n";
    assert_eq!(findings(&[], &(labelled + rule)), ["IST0173@spec.subsets[1].labels"]);
    let route =
        "  hosts: [a]\n  http: [{route: [{destination: {host: reviews, subset: v1, port: {number: 80}}}]}]";
    let destination = "spec.http[0].route[0].destination";
    let expected = [format!("IST0101@{destination}.host"), format!("OUT0103@{destination}.subset")];
    assert_eq!(findings(&[], &(rule.to_owned() + &service("a", route))), expected);
}

#[test]
fn a_service_needs_endpoints_that_subsets_can_choose_from() {
    let labelled = "---\napiVersion: v1\nkind: Service\nmetadata: {name: ratings}\nspec: {selector: {app: ratings}, ports: [{name: http, port: 80}]}\n\
                    ---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ratings}\nspec: {host: ratings, \
                    subsets: [{name: v1, labels: {version: v1}}, {name: all}]}\n";
    let slice = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: r, labels: {kubernetes.io/service-name: ratings}}\n\
                 addressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.0.0.1]}]\n";
    let entry = "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: r}\n\
                 spec: {address: 10.0.0.2, labels: {app: ratings, version: v1}}\n";
    let route = |subset: &str| {
        let to = format!("{{host: ratings, subset: {subset}, port: {{number: 80}}}}");
        service("a", &format!("  hosts: [a]\n  http: [{{route: [{{destination: {to}}}]}}]"))
    };
    let unknown = "OUT0103@spec.http[0].route[0].destination.subset".to_owned();
    for (more, subset, expected) in
        [("", "v1", vec![unknown]), ("", "all", vec![]), (slice, "v1", vec![]), (entry, "v1", vec![])]
    {
        assert_eq!(findings(&[], &(labelled.to_owned() + more + &route(subset))), expected, "{more}{subset}");
    }
}

#[test]
fn hosts_must_be_on_the_gateway() {
    let using = service(
        "a",
        "  hosts: [shop.example, other.example]\n  gateways: [edge]\n  http: [{directResponse: {status: 200}}]",
    );
    for (hosts, expected) in [
        ("'*'", vec![]),
        ("'*.example'", vec![]),
        ("shop.example", vec!["IST0132@spec.hosts[1]"]),
        ("'elsewhere/*.example'", vec!["IST0132@spec.gateways[0]"]),
        ("'./*.example'", vec![]),
    ] {
        assert_eq!(findings(&[], &(gateway("edge", hosts) + &using)), expected, "{hosts}");
    }
}

#[test]
fn resources_may_not_contradict_each_other() {
    let direct = |name: &str, more: &str| {
        service(name, &format!("  hosts: [reviews]\n{more}  http: [{{directResponse: {{status: 200}}}}]"))
    };
    assert_eq!(findings(&[], &(direct("a", "") + &direct("b", ""))), ["IST0109@spec.hosts[0]"]);
    let apart = direct("a", "  exportTo: [x]\n") + &direct("b", "  exportTo: [y]\n");
    assert_eq!(findings(&[], &apart), Vec::<String>::new());
    assert_eq!(findings(&[], &(gateway("a", "x.y") + &gateway("a", "x.y"))), ["OUT0201@metadata.name"]);
    assert_eq!(
        findings(&[], &(gateway("a", "x.y") + &gateway("b", "x.y"))),
        ["IST0145@spec.servers[0].hosts[0]"]
    );
    assert_eq!(findings(&[], &(gateway("a", "x.y") + &gateway("b", "z.y"))), Vec::<String>::new());
    let narrower = gateway("b", "x.y").replace("selector: {", "selector: {app: edge, ");
    let pod = |app: &str| {
        let labels = format!("{{istio: ingressgateway, app: {app}}}");
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {labels}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
        )
    };
    for (app, expected) in [("edge", vec!["IST0145@spec.servers[0].hosts[0]"]), ("other", vec![])] {
        assert_eq!(findings(&[], &(gateway("a", "x.y") + &narrower + &pod(app))), expected, "{app}");
    }
}

#[test]
fn rules_that_never_match_are_named() {
    let rules = |rules: &str| findings(&[], &service("a", &format!("  hosts: [a]\n  http:\n{rules}")));
    let rule = |uri: &str| format!("  - {{match: [{{uri: {{{uri}}}}}], directResponse: {{status: 200}}}}\n");
    let all = "  - {directResponse: {status: 200}}\n";
    assert_eq!(rules(&(rule("prefix: /a") + &rule("prefix: /b") + all)), Vec::<String>::new());
    assert_eq!(rules(&(all.to_owned() + all)), ["IST0130@spec.http[1]"]);
    assert_eq!(
        rules(&(rule("exact: /a") + &rule("exact: /a"))),
        ["IST0130@spec.http[1]", "IST0131@spec.http[1].match[0]"]
    );
    assert_eq!(rules(&(rule("prefix: /a") + &rule("exact: /ab"))), ["IST0131@spec.http[1].match[0]"]);
}

#[test]
fn what_is_not_carried_out_is_said() {
    let tls = gateway("a", "x.y")
        .replace("protocol: HTTP", "protocol: HTTPS")
        .replace("hosts: [x.y]", "hosts: [x.y], tls: {mode: SIMPLE, credentialName: c}");
    assert_eq!(findings(&[], &tls), ["IST0101@spec.servers[0].tls.credentialName"]);
    let telemetry = "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a}\n\
                     spec: {accessLogging: [{providers: [{name: envoy}]}]}\n";
    assert_eq!(findings(&[], telemetry), Vec::<String>::new());
    let unknown = telemetry.replace("envoy", "envoi");
    assert_eq!(findings(&[], &unknown), ["OUT0260@spec.accessLogging[0].providers[0].name"]);
}

#[test]
fn the_mesh_configuration_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh.yaml");
    std::fs::write(&mesh, "trustDomian: x\nenableAutoMtls: true\n").unwrap();
    let found = findings(&["--mesh-config", mesh.to_str().unwrap()], &gateway("a", "x.y"));
    assert_eq!(found, ["IST0106@trustDomian", "OUT0002@enableAutoMtls"]);
}

#[test]
fn delegates_that_are_missing_hidden_unused_or_in_conflict_are_named_at_both_sides() {
    let root = |delegate: &str| {
        gateway("gw", "'*'")
            + &service(
                "root",
                &format!(
                    "  hosts: [a.com]\n  gateways: [gw]\n  http: [{{match: [{{uri: {{prefix: /a}}}}], delegate: {delegate}}}]"
                ),
            )
    };
    let leaf = |head: &str, fields: &str| {
        service(
            "leaf",
            &format!(
                "{head}  http: [{{{fields} route: [{{destination: {{host: reviews, port: {{number: 9080}}}}}}]}}]"
            ),
        ) + "---"
            + REVIEWS
    };
    for (resources, expected) in [
        (root("{name: leaf}") + &leaf("", ""), vec![]),
        (root("{name: leaf}") + &leaf("  exportTo: ['.']\n", ""), vec![]),
        (root("{name: leaf}") + &leaf("", "match: [{uri: {exact: /a/b}}],"), vec![]),
        (root("{name: leave}") + &leaf("", ""), vec!["IST0101@spec.http[0].delegate", "OUT0211@spec"]),
        (
            root("{name: leaf, namespace: other}") + &leaf("", ""),
            vec!["IST0101@spec.http[0].delegate", "OUT0211@spec"],
        ),
        (root("{name: leaf}") + &leaf("  exportTo: [other]\n", ""), vec!["IST0101@spec.http[0].delegate"]),
        (
            root("{name: leaf}") + &leaf("  hosts: [b.com]\n  gateways: [gw]\n", ""),
            vec!["IST0101@spec.http[0].delegate"],
        ),
        (
            root("{name: leaf}") + &leaf("", "match: [{uri: {prefix: /b}}],"),
            vec!["OUT0210@spec.http[0].match[0].uri"],
        ),
    ] {
        assert_eq!(findings(&[], &resources), expected, "{resources}");
    }
    let conflict = root("{name: leaf}") + &leaf("", "match: [{uri: {prefix: /b}}],");
    let (_, found) = json(&["analyze", "-f", "-", "-o", "json"], &conflict);
    let message = found[0]["message"].as_str().unwrap();
    // The finding stands at the leaf's match, and names the line of the root's rule.
    assert_eq!((&found[0]["name"], &found[0]["line"]), (&"leaf".into(), &21.into()), "{found:#}");
    assert!(message.contains("spec.http[0] of `default/root` (<stdin>:15)"), "{message}");
}

#[test]
fn stat_prefixes_are_said_to_change_nothing() {
    let fields = "  hosts: [reviews]\n  http: [{match: [{statPrefix: x}], route: [{destination: {host: reviews, port: {number: 9080}}}]}]";
    let resources = service("a", fields) + "---" + REVIEWS;
    assert_eq!(findings(&[], &resources), ["OUT0002@spec.http[0].match[0].statPrefix"]);
}

/// Servers that policies with `action: CUSTOM` name.
#[test]
fn providers_that_cannot_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh.config");
    let list = "extensionProviders:
- {name: web, envoyExtAuthzGrpc: {service: a.example, port: 80}}
- {name: other, envoyExtAuthzGrpc: {service: b.example, port: 80}}
- {name: lost, envoyExtAuthzGrpc: {service: elsewhere/reviews.default.svc.cluster.local, port: 9080}}
";
    std::fs::write(&mesh, list).unwrap();
    let flags = ["--mesh-config", mesh.to_str().unwrap()];
    let policy = |name: &str, provider: &str, selector: &str| {
        format!(
            "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}}}\nspec: {{{selector}action: CUSTOM, \
             provider: {{name: {provider}}}, rules: [{{}}]}}\n"
        )
    };
    let path = "spec.provider.name";
    let one = "selector: {matchLabels: {app: one}}, ";
    let two = "selector: {matchLabels: {app: two}}, ";
    for (resources, expected) in [
        (policy("a", "web", ""), vec![]),
        (policy("a", "wbe", ""), vec![format!("OUT0250@{path}")]),
        (REVIEWS.to_owned() + &policy("a", "lost", ""), vec![format!("OUT0250@{path}")]),
        (policy("a", "web", "") + &policy("b", "web", ""), vec![]),
        (policy("a", "web", one) + &policy("b", "other", two), vec![]),
        // For the workloads of the narrower one both hold.
        (policy("a", "web", one) + &policy("b", "other", one), vec![format!("OUT0251@{path}"); 2]),
        (policy("a", "web", one) + &policy("b", "other", ""), vec![format!("OUT0251@{path}")]),
    ] {
        assert_eq!(findings(&flags, &resources), expected, "{resources}");
    }
    assert_eq!(findings(&[], &policy("a", "web", "")), [format!("OUT0250@{path}")], "no mesh configuration");
    let tried = policy("a", "web", "")
        + &policy("b", "other", "").replacen('}', ", annotations: {outrigger.io/dry-run: 'true'}}", 1);
    assert_eq!(findings(&flags, &tried), ["OUT0231@metadata.annotations"], "no second server");
}

/// What is tried out refuses nobody, whoever is to be asked.
#[test]
fn a_policy_that_is_tried_out_does_nothing_without_its_provider() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, annotations: \
                  {outrigger.io/dry-run: 'true'}}\nspec: {action: CUSTOM, provider: {name: web}, rules: [{}]}\n";
    let (_, found) = json(&["analyze", "-f", "-", "-o", "json"], policy);
    let message =
        found.as_array().unwrap().iter().find(|finding| finding["code"] == "OUT0250").unwrap()["message"]
            .as_str();
    assert!(message.unwrap().ends_with("this policy, which is tried out, does nothing"), "{found:#}");
}

#[test]
fn a_provider_that_is_wrong_is_not_called_absent() {
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {action: \
                  CUSTOM, provider: {name: web}, rules: [{}]}\n";
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh.yaml");
    let with_port = |port: u32| {
        let provider = format!("{{name: web, envoyExtAuthzHttp: {{service: a.example, port: {port}}}}}");
        std::fs::write(&mesh, format!("extensionProviders: [{provider}]\n")).unwrap();
        findings(&["--mesh-config", mesh.to_str().unwrap()], policy)
    };
    let of_port = "IST0106@extensionProviders[0].envoyExtAuthzHttp.port";
    assert_eq!((with_port(80), with_port(999_999)), (Vec::new(), vec![of_port.to_owned()]));
}

/// Envoy refuses the whole configuration for some names of headers, and only its own filters are told of them.
#[test]
fn a_header_name_that_envoy_refuses_is_an_error() {
    for (action, name, level) in [
        ("CUSTOM, provider: {name: web}", r"a\0b", "Error"),
        ("CUSTOM, provider: {name: web}", r"a\nb", "Error"),
        ("CUSTOM, provider: {name: web}", r"a\rb", "Error"),
        ("CUSTOM, provider: {name: web}", "a b", "Warning"),
        ("DENY", r"a\nb", "Warning"),
    ] {
        let policy = format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec: {{action: {action}, \
             rules: [{{when: [{{key: \"request.headers[{name}]\", values: [x]}}]}}]}}\n"
        );
        let (_, found) = json(&["analyze", "-f", "-", "-o", "json"], &policy);
        let found = found.as_array().unwrap().iter().find(|finding| finding["code"] == "OUT0241");
        assert_eq!(found.unwrap()["level"], level, "{policy}");
    }
}

/// What policies do not mean on servers that pass bytes on.
#[test]
fn policies_on_tcp_servers() {
    let edge = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes}
spec: {hosts: ['*'], gateways: [edge], tcp: [{route: [{destination: {host: reviews, port: {number: 9080}}}]}]}
---";
    for (spec, expected) in [
        ("{action: ALLOW, rules: [{to: [{operation: {ports: ['9000']}}]}]}", vec![]),
        (
            "{action: ALLOW, rules: [{}, {to: [{operation: {ports: ['9000'], methods: [GET]}}]}]}",
            vec!["IST0133@spec.rules[1].to[0].operation.methods"],
        ),
        (
            "{action: DENY, rules: [{to: [{operation: {ports: ['9000'], notPaths: [/a]}}], when: [{key: 'request.headers[a]', values: [b]}]}]}",
            vec!["IST0133@spec.rules[0].to[0].operation.notPaths", "IST0133@spec.rules[0].when[0].key"],
        ),
        (
            "{action: ALLOW, rules: [{from: [{source: {principals: [a]}}, {source: {notNamespaces: [b]}}]}]}",
            vec![
                "IST0133@spec.rules[0].from[0].source.principals",
                "IST0133@spec.rules[0].from[1].source.notNamespaces",
            ],
        ),
        // For other ports than the server's.
        (
            "{action: DENY, rules: [{from: [{source: {principals: [a]}}], to: [{operation: {ports: ['80'], methods: [GET]}}]}]}",
            vec![],
        ),
    ] {
        let policy = format!(
            "\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p}}\nspec: {spec}\n---"
        );
        let mut found = findings(&[], &(edge.to_owned() + &policy + REVIEWS));
        // What else is odd about the rules is another table's matter.
        found.retain(|finding| finding.starts_with("IST0133"));
        assert_eq!(found, expected, "{spec}");
    }
}
