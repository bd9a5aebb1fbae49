//! The dashboards and rules that `outrigger dashboards` writes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use outrigger_e2e::launch::outrigger;
use outrigger_e2e::ports::free_port;
use outrigger_e2e::prometheus::{Prometheus, Target, promtool};
use serde_json::{Value, json};

use super::ask::{answer, assert_data, filled};
use super::traffic::Traffic;
use crate::own_envoy::envoy::{OwnEnvoy, Setup, local, wasm};

/// What is chosen on them.
const CHOSEN: &[(&str, &str)] = &[
    ("$__rate_interval", "30s"),
    ("$__range", "5m"),
    ("$reporter", "source|destination"),
    ("$security", ".*"),
    ("$service", "b.demo-b.svc.cluster.local"),
    ("$namespace", "demo-app"),
    ("$workload", "a"),
];

/// Nothing is under a fault for long enough to be seen there by every scrape, and the filters are there and stay so.
const MAY_BE_ZERO: &[&str] =
    &["outrigger_fault_active_faults", "envoy_wasm_remote_load_fetch_failures", "_vm_reload_"];

/// Kept tokens fill 10,000 places before one has to make room, and that is another test's matter.
const NEEDS_MANY_TOKENS: &[&str] = &["outrigger_jwt_cache_evicted"];

fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new(outrigger().unwrap()).args(["dashboards", "-o"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// A query that fills a variable.
enum Variable {
    /// By the values of a label.
    Label { series: String, label: String },
    /// By what a regular expression takes out of the series that an expression brings.
    Result { query: String },
}

/// The queries of each panel, and those that fill the variables.
fn dashboards(folder: &Path) -> (Vec<String>, Vec<Variable>) {
    let (mut queries, mut variables) = (Vec::new(), Vec::new());
    let files: Vec<_> = std::fs::read_dir(folder.join("grafana")).unwrap().collect();
    assert_eq!(files.len(), 4);
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                queries.push(filled(target["expr"].as_str().unwrap(), CHOSEN));
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let inside = |call: &str| query.strip_prefix(call).and_then(|rest| rest.strip_suffix(')'));
            variables.push(if let Some(result) = inside("query_result(") {
                Variable::Result { query: filled(result, CHOSEN) }
            } else {
                let (series, label) = inside("label_values(").unwrap().rsplit_once(", ").unwrap();
                Variable::Label { series: series.to_owned(), label: label.to_owned() }
            });
        }
    }
    (queries, variables)
}

/// The value that an alert compares.
fn compared(expression: &str) -> &str {
    expression.split_once(" > ").unwrap().0
}

#[test]
fn every_query_of_our_dashboards_and_rules_has_data() {
    let folder = written();
    let rule_files = ["recording.yaml", "alerts.yaml"].map(|name| {
        let path = folder.path().join("prometheus").join(name);
        eprintln!("{}", promtool(&["check", "rules"], &path).unwrap());
        (name, std::fs::read_to_string(path).unwrap())
    });
    let rules: Vec<_> = rule_files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (queries, variables) = dashboards(folder.path());
    let traffic = Traffic::start();
    traffic.observed(&rules, |prometheus| {
        for variable in variables {
            match variable {
                Variable::Label { series, label } => {
                    let values = prometheus.label_values(&label, &series).unwrap();
                    assert!(!values.is_empty(), "label_values({series}, {label})");
                }
                Variable::Result { query } => {
                    // Those that ask, and those that are asked.
                    let labels: Vec<_> = prometheus
                        .query(&query)
                        .unwrap()
                        .into_iter()
                        .flat_map(|series| series.labels)
                        .collect();
                    for side in ["source_", "destination_"] {
                        assert!(labels.iter().any(|(name, _)| name.starts_with(side)), "{query}: {labels:?}");
                    }
                }
            }
        }
        let recorded = evaluated(prometheus);
        let all: Vec<_> = queries.into_iter().chain(recorded).collect();
        let mentions = |query: &str, names: &[&str]| names.iter().any(|name| query.contains(name));
        let (exempt, all): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|query| mentions(query, MAY_BE_ZERO) || mentions(query, NEEDS_MANY_TOKENS));
        for query in exempt.iter().filter(|query| mentions(query, MAY_BE_ZERO)) {
            assert!(!prometheus.query(query).unwrap().is_empty(), "{query}");
        }
        assert_data(prometheus, &all);
        firing(prometheus);
    });
}

/// Waits until each rule has been evaluated without a complaint; what the recording ones have made and what the others
/// compare.
fn evaluated(prometheus: &Prometheus) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let rules = prometheus.rules().unwrap();
        assert!(rules.len() > 15, "{rules:?}");
        if let Some(wrong) = rules.iter().find(|rule| rule.health == "err") {
            panic!("{wrong:?}");
        }
        if rules.iter().all(|rule| rule.health == "ok") {
            let asked = |rule: &outrigger_e2e::prometheus::RuleState| match rule.kind.as_str() {
                "recording" => rule.name.clone(),
                _ => compared(&rule.query).to_owned(),
            };
            return rules.iter().map(asked).collect();
        }
        assert!(Instant::now() < end, "{rules:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What is so now is told; what is not, is not.
fn firing(prometheus: &Prometheus) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let rules = prometheus.rules().unwrap();
        let state = |alert: &str| rules.iter().find(|rule| rule.name == alert).unwrap().state.clone();
        let at_once = [
            "OutriggerDryRunDisagrees",
            "OutriggerFaultsSpared",
            "OutriggerKeysNotFetched",
            "OutriggerSeriesOverflow",
        ];
        let later = ["OutriggerManyErrors", "OutriggerManyDenials", "OutriggerFaultsForgotten"];
        let not =
            ["OutriggerSlow", "OutriggerFiltersDown", "OutriggerModuleNotFetched", "OutriggerFiltersCrash"];
        let right = at_once.iter().all(|alert| state(alert) == "firing")
            && later.iter().all(|alert| state(alert) == "pending")
            && not.iter().all(|alert| state(alert) == "inactive");
        if right {
            return assert!(answer(prometheus, "ALERTS").is_ok());
        }
        assert!(Instant::now() < end, "{rules:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// A counter that comes to be, one that stays and one that rises, and who is told of them in the hour and after it.
const COUNTERS: &str = r#"
rule_files: [alerts.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'outrigger_authz_dry_run_disagreements{authorization_policy="a/new",instance="i"}', values: '_x90 1x200'}
  - {series: 'outrigger_authz_dry_run_disagreements{authorization_policy="a/old",instance="i"}', values: '7x300'}
  - {series: 'outrigger_authz_dry_run_disagreements{authorization_policy="a/rises",instance="i"}', values: '7x89 9x200'}
  promql_expr_test:
  - expr: count by (authorization_policy) (ALERTS{alertname="OutriggerDryRunDisagrees",alertstate="firing"})
    eval_time: 95m
    exp_samples:
    - {labels: '{authorization_policy="a/new"}', value: 1}
    - {labels: '{authorization_policy="a/rises"}', value: 1}
  - expr: ALERTS
    eval_time: 155m
    exp_samples: []
"#;

#[test]
fn a_counter_that_comes_to_be_has_risen() {
    let rules = written();
    let file = rules.path().join("prometheus/counters.yaml");
    std::fs::write(&file, COUNTERS).unwrap();
    promtool(&["test", "rules"], &file).unwrap();
}

/// A module that does nothing, but for its VM, which ends with the first request.
const CRASHES: &str = r#"(module
  (memory (export "memory") 2)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))"#;

/// In an Envoy whose module can't be fetched, and in one whose VMs crash.
#[test]
fn filters_that_are_down_are_told() {
    let rules = written();
    let alerts = std::fs::read_to_string(rules.path().join("prometheus/alerts.yaml")).unwrap();
    let remote = json!({"remote": {
        "http_uri": {"uri": "http://modules.example/module.wasm", "cluster": "modules", "timeout": "1s"},
        "sha256": "0".repeat(64),
        "retry_policy": {"num_retries": 1},
    }});
    let absent = OwnEnvoy::start(&Setup {
        modules: Some(free_port().unwrap()),
        ..Setup::new([wasm("absent", remote, &json!({}))])
    });
    let module = rules.path().join("crashes.wasm");
    std::fs::write(&module, wat::parse_str(CRASHES).unwrap()).unwrap();
    let mut crashing = wasm("crashing", local(module.to_str().unwrap()), &json!({}));
    crashing["typed_config"]["config"]["failure_policy"] = json!("FAIL_RELOAD");
    let crashing = OwnEnvoy::serving(&Setup::new([crashing]));
    let targets = [("absent", &absent), ("crashing", &crashing)]
        .map(|(instance, envoy)| Target { instance: instance.to_owned(), admin: envoy.admin_address() });
    let prometheus = Prometheus::start(&targets, &[("alerts.yaml", &alerts)]).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(matches!(crashing.status("/get", &[]), None | Some(503)));
        let told = prometheus.query("ALERTS").unwrap();
        let is = |alert: &str, state: &str, instance: &str| {
            told.iter().any(|series| {
                let labels = &series.labels;
                labels["alertname"] == alert
                    && labels["alertstate"] == state
                    && labels["instance"] == instance
            })
        };
        let right = is("OutriggerFiltersDown", "pending", "absent")
            && is("OutriggerModuleNotFetched", "firing", "absent")
            && is("OutriggerFiltersCrash", "firing", "crashing");
        if right {
            return assert_eq!(told.len(), 3, "{told:#?}");
        }
        assert!(Instant::now() < end, "{told:#?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
