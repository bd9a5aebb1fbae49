//! `outrigger explain` gives the answers that Envoy gives: both are held against the same scenarios.

use std::path::PathBuf;
use std::process::Command;

use outrigger_e2e::launch::{Local, outrigger};
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

fn explain(flags: &[String], exchange: &Exchange, role: Role, draw: &str) -> Seen {
    let mut command = Command::new(outrigger().unwrap());
    command.arg("explain").arg(&exchange.send).args(flags).args(["--draw", draw, "-o", "json"]);
    for (name, value) in exchange.header_lines().unwrap() {
        command.arg("-H").arg(format!("{name}: {value}"));
    }
    match role {
        Role::Gateway => {}
        Role::Outbound => {
            command.args(["--direction", "outbound"]);
        }
        Role::Inbound => {
            command.args(["--direction", "inbound"]);
        }
    }
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
