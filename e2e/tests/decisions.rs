//! What authorization has decided, as logs, statistics and headers tell it, and what policies on dry run would have.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use outrigger_e2e::launch::{Gateway, Local, outrigger};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::scenario::Role;
use serde_json::Value;

const RESOURCES: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{directResponse: {status: 200, body: {string: through}}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/nothing]}}]}, {to: [{operation: {paths: [/closed]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: open}
spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: marked}
spec: {action: AUDIT, rules: [{to: [{operation: {paths: [/marked]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closing, annotations: {istio.io/dry-run: 'true'}}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/closing, /closed]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: opening, annotations: {istio.io/dry-run: 'true'}}
spec: {rules: [{to: [{operation: {methods: [POST]}}]}]}
";

/// Method, path; status, record, and record of the policies on dry run.
const DECISIONS: &[(&str, &str, u16, &str, &str)] = &[
    (
        "GET",
        "/",
        200,
        "allowed ALLOW default/open[0]",
        "dry-run allowed DENY none, dry-run denied ALLOW none",
    ),
    (
        "GET",
        "/closed",
        403,
        "denied DENY default/closed[1]",
        "dry-run denied DENY default/closing[0], dry-run denied ALLOW none",
    ),
    (
        "GET",
        "/closing",
        200,
        "allowed ALLOW default/open[0]",
        "dry-run denied DENY default/closing[0] (differs), dry-run denied ALLOW none",
    ),
    (
        "POST",
        "/",
        403,
        "denied ALLOW none",
        "dry-run allowed DENY none, dry-run allowed ALLOW default/opening[0] (differs)",
    ),
    (
        "GET",
        "/marked",
        200,
        "allowed ALLOW default/open[0], audited default/marked[0]",
        "dry-run allowed DENY none, dry-run denied ALLOW none",
    ),
    (
        "DELETE",
        "/marked",
        403,
        "denied ALLOW none, audited default/marked[0]",
        "dry-run allowed DENY none, dry-run denied ALLOW none",
    ),
];

#[test]
fn decisions_are_told_in_the_log_in_statistics_and_where_asked_in_a_header() {
    for encoding in ["JSON", "TEXT"] {
        let proxy = Proxy::start(encoding, &["--decision-header=x-decision"]);
        for (method, path, status, record, _) in DECISIONS {
            let (seen, header) = proxy.send(method, path);
            assert_eq!((seen, header.as_deref()), (*status, Some(*record)), "{method} {path}");
        }
        let lines = proxy.log(DECISIONS.len());
        for (line, (method, path, status, record, shadow)) in lines.iter().zip(DECISIONS) {
            let expected = if encoding == "JSON" {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["response_code"], *status, "{line}");
                let text = |name: &str| line[name].as_str().unwrap().to_owned();
                format!(
                    "{} {} \"{}\" \"{}\"",
                    text("method"),
                    text("path"),
                    text("authz"),
                    text("authz_dry_run")
                )
            } else {
                assert!(line.contains(&format!("\"{method} {path} HTTP/1.1\" {status} ")), "{line}");
                let (_, records) =
                    line.split_once("default-retries \"").or_else(|| line.split_once(" - \"")).unwrap();
                format!("{method} {path} \"{records}")
            };
            assert!(
                expected.ends_with(&format!("\"{record}\" \"{shadow}\"")),
                "{expected}\n{record} {shadow}"
            );
        }
        statistics(&proxy);
        shadow(&proxy);
    }
}

/// Counters, with Istio's labels for dry runs.
fn statistics(proxy: &Proxy) {
    let metrics = proxy.metrics();
    for (name, value) in [
        (r#"outrigger_authz_denied{authorization_policy="default/closed"}"#, 1),
        (r#"outrigger_authz_denied{authorization_policy="none"}"#, 2),
        (r#"outrigger_authz_audited{authorization_policy="default/marked"}"#, 2),
        (r#"outrigger_authz_dry_run{authz_dry_run_action="deny",authz_dry_run_result="denied"}"#, 2),
        (r#"outrigger_authz_dry_run{authz_dry_run_action="deny",authz_dry_run_result="allowed"}"#, 4),
        (r#"outrigger_authz_dry_run{authz_dry_run_action="allow",authz_dry_run_result="allowed"}"#, 1),
        (r#"outrigger_authz_dry_run{authz_dry_run_action="allow",authz_dry_run_result="denied"}"#, 5),
        (r#"outrigger_authz_dry_run_disagreements{authorization_policy="default/closing"}"#, 1),
        (r#"outrigger_authz_dry_run_disagreements{authorization_policy="default/opening"}"#, 1),
    ] {
        let line = format!("{name} {value}");
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

/// The log, read by the command.
fn shadow(proxy: &Proxy) {
    let output = Command::new(outrigger().unwrap())
        .args([
            "explain",
            "--shadow",
            &proxy.at("access.log"),
            "-f",
            &proxy.at("policies.yaml"),
            "-o",
            "json",
        ])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["seen"]), (Some(1), &Value::from(6)));
    let differ: Vec<_> =
        told["rules"].as_array().unwrap().iter().filter(|rule| rule["differs"] != 0).collect();
    let names: Vec<_> =
        differ.iter().map(|rule| (&rule["policy"], &rule["line"], &rule["examples"][0])).collect();
    assert_eq!(names.len(), 2, "{told}");
    assert_eq!((names[0].0, &names[0].2["request"]), (&"default/opening".into(), &"POST /".into()));
    assert_eq!((names[1].0, &names[1].2["request"]), (&"default/closing".into(), &"GET /closing".into()));
    assert!(names[0].1.as_u64().is_some_and(|line| line > 30));
}

#[test]
fn a_single_filter_tells_too_and_nobody_is_told_unasked() {
    let proxy = Proxy::start("JSON", &["--filters=separate"]);
    let (status, header) = proxy.send("GET", "/closed");
    assert_eq!((status, header), (403, None));
    let line: Value = serde_json::from_str(&proxy.log(1)[0]).unwrap();
    assert_eq!(line["authz"], "denied DENY default/closed[1]");
    let proxy = Proxy::start("JSON", &["--filters=separate", "--decision-header=X-Decision"]);
    assert_eq!(proxy.send("GET", "/closed"), (403, Some("denied DENY default/closed[1]".to_owned())));
}

/// Envoy's own functions read them as texts.
#[test]
fn a_log_can_be_filtered_by_what_was_decided() {
    let mesh = "extensionProviders:
- name: refusals
  envoyFileAccessLog: {path: LOG, logFormat: {text: \"%REQ(:METHOD)% %REQ(:PATH)%\\n\"}}
";
    let telemetry = "---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: logs, namespace: istio-system}
spec:
  accessLogging:
  - providers: [{name: refusals}]
    filter: {expression: \"filter_state['wasm.outrigger.authz'].startsWith('denied')\"}
";
    let proxy = Proxy::start_with(mesh, telemetry, &[]);
    for (method, path, status, ..) in DECISIONS {
        assert_eq!(proxy.send(method, path).0, *status);
    }
    assert_eq!(proxy.log(3), ["GET /closed", "POST /", "DELETE /marked"]);
}

/// With nothing else that asks for a record.
#[test]
fn a_label_can_tell_what_was_decided() {
    let telemetry = "---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: labels, namespace: istio-system}
spec:
  metrics:
  - overrides:
    - match: {metric: REQUEST_COUNT}
      tagOverrides:
        decided: {value: \"filter_state['wasm.outrigger.authz'] == 'denied ALLOW none' ? 'no rule' : 'a rule'\"}
";
    for filters in ["suite", "separate"] {
        let proxy = Proxy::start_with("{}\n", telemetry, &[&format!("--filters={filters}")]);
        assert_eq!((proxy.send("POST", "/").0, proxy.send("GET", "/").0), (403, 200));
        let metrics = proxy.metrics();
        for (code, decided) in [(403, "no rule"), (200, "a rule")] {
            let labels = [format!("response_code=\"{code}\""), format!("decided=\"{decided}\"")];
            let counted = metrics.lines().filter(|line| line.starts_with("istio_requests_total{"));
            let found = counted.filter(|line| labels.iter().all(|label| line.contains(label))).count();
            assert_eq!(found, 1, "{filters} {labels:?}\n{metrics}");
        }
    }
}

struct Proxy {
    port: u16,
    admin: u16,
    agent: ureq::Agent,
    folder: tempfile::TempDir,
    _gateway: Gateway,
    _services: Local,
}

impl Proxy {
    fn start(encoding: &str, more: &[&str]) -> Self {
        Self::start_with(&format!("accessLogFile: LOG\naccessLogEncoding: {encoding}\n"), "", more)
    }

    /// With a mesh configuration in which `LOG` stands for the log's path, more resources and more flags.
    fn start_with(mesh: &str, resources: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let policies = write("policies.yaml", &format!("{RESOURCES}{resources}"));
        let log = folder.path().join("access.log");
        let mesh = write("mesh.config", &mesh.replace("LOG", &log.display().to_string()));
        let services = Local::start().unwrap();
        let (port, admin) = (free_port().unwrap(), free_port().unwrap());
        let mut flags = services.flags(&[policies], Role::Gateway);
        flags.push(format!("--port=80={port}"));
        flags.push(format!("--admin=127.0.0.1:{admin}"));
        flags.push(format!("--mesh-config={}", mesh.display()));
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        let (gateway, _) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
        Self { port, admin, agent, folder, _gateway: gateway, _services: services }
    }

    fn send(&self, method: &str, path: &str) -> (u16, Option<String>) {
        let request = ureq::http::Request::builder().method(method);
        let request = request.uri(format!("http://127.0.0.1:{}{path}", self.port)).body(()).unwrap();
        let answer = self.agent.run(request).unwrap();
        let header = answer.headers().get("x-decision").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header)
    }

    fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/stats/prometheus?usedonly", self.admin);
        self.agent.get(url).call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// The first lines of the access log. Envoy writes it every ten seconds.
    fn log(&self, lines: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(Path::new(&self.at("access.log"))).unwrap_or_default();
            if text.lines().count() >= lines {
                return text.lines().map(str::to_owned).collect();
            }
            assert!(started.elapsed() < Duration::from_secs(40), "{text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}
