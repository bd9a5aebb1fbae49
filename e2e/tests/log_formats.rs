//! `analyze` refuses those formats of access logs that Envoy refuses, and no others: real Envoy is asked about every word
//! of its binary that could be an operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::outrigger;
use outrigger_e2e::ports::free_port;
use serde_json::{Value, json};

/// How an operator may be written; some need one, some refuse it.
const FORMS: [&str; 4] = ["%NAME%", "%NAME(a)%", "%NAME:5%", "%NAME(a):5%"];
/// Operators that take neither form with the argument `a`.
const OTHERS: [&str; 6] = [
    "%METADATA(ROUTE:a)%",
    "%COMMON_DURATION(a:b)%",
    "%REQUESTED_SERVER_NAME(SNI_FIRST:HOST)%",
    "%COALESCE({\"operators\": [\"PROTOCOL\", {\"command\": \"REQ\", \"param\": \"a\"}]})%",
    "%GRPC_STATUS(NUMBER)%",
    "%REQ(a)%%",
];
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn analyze_takes_the_formats_that_envoy_takes() {
    let words = words(&std::fs::read(envoy()).unwrap());
    let formats = |words: &mut dyn Iterator<Item = &str>| -> BTreeSet<String> {
        let of_word = |word: &str| FORMS.map(|form| form.replace("NAME", word));
        words.flat_map(of_word).chain(OTHERS.map(str::to_owned)).collect()
    };
    let taken_by_envoy = taken_by_envoy(&formats(&mut words.iter().map(String::as_str)));
    assert!(taken_by_envoy.len() > 150, "{taken_by_envoy:?}");
    let named = |word: &&String| taken_by_envoy.iter().any(|format| format.contains(&format!("%{word}")));
    let known: Vec<_> = words.iter().filter(named).map(String::as_str).collect();
    let beginning = |word: &str| word.split('_').next().unwrap_or_default().to_owned();
    let beginnings: BTreeSet<_> = known.iter().map(|word| beginning(word)).collect();
    // Of what Envoy knows in no form one is enough, and of what does not begin like an operator none.
    let like_one = words.iter().filter(|word| word.contains('_') && beginnings.contains(&beginning(word)));
    let mut asked = formats(&mut known.into_iter());
    asked.extend(like_one.map(|word| format!("%{word}%")));
    let expected: BTreeSet<_> = asked.intersection(&taken_by_envoy).cloned().collect();
    let taken = taken_by_outrigger(&asked);
    assert_eq!(taken.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new(), "only by outrigger");
    assert_eq!(expected.difference(&taken).collect::<Vec<_>>(), Vec::<&String>::new(), "only by Envoy");
}

fn envoy() -> std::ffi::OsString {
    std::env::var_os("ENVOY_BIN").expect("run through ./makew")
}

/// The texts in a program that are made of capitals, digits and `_`. One is left out that Envoy knows only if it is told
/// to, which `render` does.
fn words(program: &[u8]) -> BTreeSet<String> {
    let is_name = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    // Thousands more are parts of tables and of machine code.
    let is_word =
        |name: &[u8]| name.contains(&b'_') || (name.len() <= 13 && !name.iter().any(u8::is_ascii_digit));
    let mut words = BTreeSet::new();
    let mut start = 0;
    for (at, byte) in program.iter().copied().enumerate() {
        if is_name(byte) {
            continue;
        }
        // A text of C ends in NUL; in a longer text it is no name.
        let name = &program[start..at];
        let alone = byte == 0 && (start == 0 || !matches!(program[start - 1], b' '..=b'~'));
        start = at + 1;
        if alone && (3..60).contains(&name.len()) && name[0].is_ascii_uppercase() && is_word(name) {
            words.insert(String::from_utf8_lossy(name).into_owned());
        }
    }
    words.remove("REQ_WITHOUT_QUERY");
    words
}

/// Those of which Envoy makes an access log. Each has a listener of its own, which Envoy takes or refuses alone.
fn taken_by_envoy(formats: &BTreeSet<String>) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let numbered: BTreeMap<_, _> =
        formats.iter().enumerate().map(|(at, format)| (at.to_string(), format)).collect();
    let listeners: Vec<_> = numbered.iter().map(|(name, format)| listener(name, format)).collect();
    let discovered = folder.path().join("listeners.json");
    std::fs::write(&discovered, json!({"resources": listeners}).to_string()).unwrap();
    let port = free_port().unwrap();
    let config = folder.path().join("envoy.json");
    std::fs::write(&config, bootstrap(port, &discovered).to_string()).unwrap();
    let log = folder.path().join("envoy.log");
    let mut envoy = Envoy(
        Command::new(envoy())
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "--config-path"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap(),
    );
    let admin = Client::new(format!("127.0.0.1:{port}"));
    let (end, admin) = (Instant::now() + PATIENCE, &admin);
    while !admin.request("GET", "admin", "/ready", &[]).is_ok_and(|seen| seen.status == Some(200)) {
        assert_eq!(envoy.0.try_wait().unwrap(), None, "{}", std::fs::read_to_string(&log).unwrap());
        assert!(Instant::now() < end, "Envoy is not ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = admin.request("GET", "admin", "/listeners?format=json", &[]).unwrap();
    let said: Value = serde_json::from_str(&said.body).unwrap();
    let names = said["listener_statuses"].as_array().unwrap().iter();
    names.map(|status| numbered[status["name"].as_str().unwrap()].clone()).collect()
}

struct Envoy(Child);

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// It does not listen; so addresses have only to differ.
fn listener(name: &str, format: &str) -> Value {
    let number: u32 = name.parse().unwrap();
    let [_, a, b, c] = number.to_be_bytes();
    let log = json!({
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": "/dev/null",
        "log_format": {"text_format_source": {"inline_string": format}},
    });
    let echo = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"});
    json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": name,
        "address": {"socket_address": {"address": format!("127.{a}.{b}.{c}"), "port_value": 1}},
        "bind_to_port": false,
        "access_log": [{"name": "log", "typed_config": log}],
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.echo", "typed_config": echo}]}],
    })
}

fn bootstrap(admin: u16, listeners: &Path) -> Value {
    json!({
        "node": {"id": "formats", "cluster": "formats"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "dynamic_resources": {"lds_config": {
            "resource_api_version": "V3", "path_config_source": {"path": listeners},
        }},
    })
}

/// Those that `analyze` does not complain of.
fn taken_by_outrigger(formats: &BTreeSet<String>) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let numbered: BTreeMap<_, _> =
        formats.iter().enumerate().map(|(at, format)| (format!("n{at}"), format.clone())).collect();
    let provider = json!({"name": "log", "envoyFileAccessLog": {"logFormat": {"labels": numbered}}});
    let mesh = folder.path().join("mesh.json");
    std::fs::write(&mesh, json!({"extensionProviders": [provider]}).to_string()).unwrap();
    let resources = folder.path().join("resources.yaml");
    std::fs::write(&resources, "").unwrap();
    let mut analyze = Command::new(outrigger().unwrap());
    analyze.args(["analyze", "--output", "json", "-f"]).arg(&resources).arg("--mesh-config").arg(&mesh);
    let output = analyze.output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let refused: BTreeSet<_> = findings
        .iter()
        .map(|finding| finding["path"].as_str().unwrap().rsplit('.').next().unwrap())
        .collect();
    let taken = numbered.iter().filter(|(name, _)| !refused.contains(name.as_str()));
    taken.map(|(_, format)| format.clone()).collect()
}
