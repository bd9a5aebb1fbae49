//! `outrigger explain` gives the answers that Envoy gives: both are held against the same scenarios.

use std::path::PathBuf;
use std::process::Command;

use outrigger_e2e::launch::{Local, outrigger};
use outrigger_e2e::raw;
use outrigger_e2e::scenario::{Exchange, Role, Scenario};
use outrigger_e2e::tally::{Seen, is_expected};
use serde_json::Value;

/// Points of the range of draws: the ends, and on both sides of the usual shares.
const DRAWS: [&str; 5] = ["0", "240000", "510000", "760000", "999999"];

#[test]
fn every_scenario_is_explained_as_it_ends() {
    let local = Local::start().unwrap();
    let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("demo");
    let mut scenarios = Scenario::all().unwrap();
    scenarios.push(Scenario::read(&demo).unwrap());
    let mut failures = Vec::new();
    for scenario in scenarios {
        let flags = local.flags(&scenario.resource_files().unwrap(), scenario.role);
        for exchange in &scenario.requests {
            for draw in DRAWS {
                let seen = explain(&flags, exchange, scenario.role, draw);
                if !is_expected(exchange, &seen) {
                    let expected = &exchange.expect;
                    failures.push(format!(
                        "{}: {} with draw {draw}:\nexpected {expected:#?}\nseen {seen:#?}",
                        scenario.name, exchange.send
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Which listener is asked.
fn direction(role: Role) -> &'static [&'static str] {
    match role {
        Role::Gateway => &[],
        Role::Outbound => &["--direction", "outbound"],
        Role::Inbound => &["--direction", "inbound"],
    }
}

fn explain(flags: &[String], exchange: &Exchange, role: Role, draw: &str) -> Seen {
    let mut command = Command::new(outrigger().unwrap());
    command.arg("explain").arg(&exchange.send).args(flags).args(["--draw", draw, "-o", "json"]);
    for (name, value) in exchange.header_lines().unwrap() {
        command.arg("-H").arg(format!("{name}: {value}"));
    }
    command.args(direction(role));
    let output = command.output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    let refused = answer["outcome"] != "forward";
    assert_eq!(output.status.code(), Some(i32::from(refused)), "{command:?}: {answer:#}");
    let destination = &answer["route"]["destination"];
    let service = destination["host"]
        .as_str()
        .and_then(|host| host.split('.').next())
        .map(|service| format!("{service}-{}", destination["subset"].as_str().unwrap_or("v1")));
    // An inbound listener has no route, but one upstream.
    let service = if role == Role::Inbound { Some("httpbin-v1".to_owned()) } else { service };
    let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    Seen {
        reply: status.filter(|_| refused),
        forward: service.filter(|_| !refused),
        body: answer["body"].as_str().unwrap_or_default().to_owned(),
        path: answer["route"]["path"].as_str().map(ToOwned::to_owned),
        headers: exchange.expect.iter().flat_map(|outcome| outcome.headers.clone()).collect(),
        hold: Some(answer["fault"]["delayMs"].as_f64().unwrap_or(0.0) / 1000.0),
        ..Seen::default()
    }
}

/// A header that rules ask for, and lines that a client sends.
const SENT: &[(&str, &[&str])] = &[
    ("connection", &["connection: keep-alive"]),
    ("keep-alive", &["keep-alive: 5"]),
    ("proxy-connection", &["proxy-connection: keep-alive"]),
    ("te", &["te: trailers"]),
    ("te", &["te: gzip, trailers"]),
    ("te", &["te: gzip"]),
    ("upgrade", &["upgrade: websocket"]),
    ("upgrade", &["connection: upgrade", "upgrade: websocket"]),
    ("upgrade", &["connection: upgrade", "upgrade: other"]),
    ("upgrade", &["connection: upgrade", "upgrade: h2c"]),
    ("x-mine", &["x-mine: 1"]),
    ("x-mine", &["connection: close, x-mine", "x-mine: 1"]),
    ("x-forwarded-host", &["connection: x-forwarded-host", "x-forwarded-host: a"]),
    ("expect", &["expect: something"]),
    ("x-request-id", &[]),
    ("x-request-id", &["x-request-id: mine"]),
    ("x-forwarded-proto", &[]),
    ("x-forwarded-for", &[]),
    ("x-envoy-external-address", &[]),
    ("x-envoy-external-address", &["x-envoy-external-address: 10.0.0.1"]),
    ("x-envoy-internal", &["x-envoy-internal: true"]),
    ("x-envoy-max-retries", &["x-envoy-max-retries: 3"]),
    ("x-envoy-retry-on", &["x-envoy-retry-on: 5xx"]),
    ("x-envoy-retriable-status-codes", &["x-envoy-retriable-status-codes: 400"]),
    ("x-envoy-upstream-rq-timeout-ms", &["x-envoy-upstream-rq-timeout-ms: 1"]),
    ("x-envoy-force-trace", &["x-envoy-force-trace: 1"]),
    ("x-envoy-original-url", &["x-envoy-original-url: /a"]),
    ("x-envoy-original-path", &["x-envoy-original-path: /a"]),
    ("x-envoy-original-host", &["x-envoy-original-host: a"]),
    ("x-envoy-decorator-operation", &["x-envoy-decorator-operation: a"]),
    ("x-envoy-downstream-service-cluster", &["x-envoy-downstream-service-cluster: a"]),
    ("x-envoy-attempt-count", &["x-envoy-attempt-count: 1"]),
];

/// Rules on each header: where there is a route 418, else 403, and something else without the header.
fn rules(role: Role) -> String {
    let names: std::collections::BTreeSet<_> = SENT.iter().map(|(name, _)| name).collect();
    let kind = |kind: &str| format!("kind: {kind}\nmetadata: {{name: of-headers}}\n");
    if role == Role::Inbound {
        let rule = |name: &&&str| {
            format!(
                "  - {{to: [{{operation: {{paths: [/{name}]}}}}], when: [{{key: 'request.headers[{name}]', values: ['*']}}]}}\n"
            )
        };
        let rules: String = names.iter().map(rule).collect();
        let policy = kind("AuthorizationPolicy");
        return format!("apiVersion: security.istio.io/v1\n{policy}spec:\n  action: DENY\n  rules:\n{rules}");
    }
    let route = |name: &&&str| {
        format!(
            "  - {{match: [{{uri: {{exact: /{name}}}, headers: {{{name}: {{regex: .+}}}}}}], directResponse: {{status: 418}}}}\n"
        )
    };
    let routes: String = names.iter().map(route).collect();
    format!(
        "apiVersion: networking.istio.io/v1\n{}spec:\n  selector: {{istio: ingressgateway}}\n  servers: [{{port: {{number: 80, \
         name: http, protocol: HTTP}}, hosts: ['*']}}]\n---\napiVersion: networking.istio.io/v1\n{}spec:\n  hosts: \
         [headers.example]\n  gateways: [of-headers, mesh]\n  http:\n{routes}  - {{directResponse: {{status: 200}}}}\n",
        kind("Gateway"),
        kind("VirtualService"),
    )
}

/// Rules see in `explain` the headers that they see in Envoy, which takes some away and adds others.
#[test]
fn headers_are_those_that_filters_see() {
    let local = Local::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for role in [Role::Gateway, Role::Outbound, Role::Inbound] {
        let file = folder.path().join("rules.yaml");
        std::fs::write(&file, rules(role)).unwrap();
        let files = [file];
        let (running, _lines) = local.run(&files, role, &[]).unwrap();
        for (name, lines) in SENT {
            let head: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let request = format!("GET /{name} HTTP/1.1\r\nhost: headers.example\r\n{head}\r\n");
            let seen = raw::status_of(running.client.address(), request.as_bytes()).unwrap();
            let mut command = Command::new(outrigger().unwrap());
            command.arg("explain").arg(format!("GET http://headers.example/{name}"));
            command.args(local.flags(&files, role)).args(["-o", "json"]);
            lines.iter().for_each(|line| {
                command.args(["-H", line]);
            });
            command.args(direction(role));
            let answer: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
            // The application has none of these paths.
            let told = answer["status"].as_u64().unwrap_or(404);
            if told != u64::from(seen) {
                wrong.push(format!("{role:?} {name} {lines:?}: Envoy {seen}, explain {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
