//! Documents that have to be accepted: each of `tests/accepted/*.yaml` is rendered by the command, and judged by Envoy.
//!
//! A file is a complete set of resources. Its first line may be `# flags: --role sidecar --label app=x`, which the command
//! gets. `--certs TEST` there, and `TEST` at the beginning of a path in a document (`TEST/cert-chain.pem`), is a folder
//! with the certificate of a workload, and with `--credentials TEST` the credential `client`; in a Secret `TEST-CHAIN`,
//! `TEST-KEY`, `TEST-ROOT` and `TEST-CRL` are its files. The command is called in `tests/accepted`, so that other paths
//! are from there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How many Envoys judge at a time.
const AT_A_TIME: usize = 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accepted")
}

/// Why a document is not accepted.
fn refused(document: &Path, modules: &Path, identity: &Path) -> Result<(), String> {
    let text = fs::read_to_string(document).unwrap();
    let flags = text.lines().next().and_then(|line| line.strip_prefix("# flags: ")).unwrap_or_default();
    let identity_text = identity.to_str().unwrap();
    let flags = flags.split_whitespace().map(|flag| if flag == "TEST" { identity_text } else { flag });
    let work = tempfile::tempdir().unwrap();
    let (input, output) = (work.path().join("resources.yaml"), work.path().join("out"));
    fs::write(&input, filled_in(&text, identity)).unwrap();
    let mut render = Command::new(env!("CARGO_BIN_EXE_outrigger"));
    render.args(["render", "--to", "envoy", "-f"]).arg(&input).arg("-o").arg(&output).args(flags);
    render.current_dir(folder()).env("OUTRIGGER_MODULES", modules);
    succeeded("outrigger", &render.output().unwrap())?;
    let mut envoy = Command::new(support::envoy());
    envoy.args(["--mode", "validate", "--log-level", "warning", "-c"]).arg(output.join("envoy.yaml"));
    let judged = envoy.output().unwrap();
    succeeded("Envoy", &judged)?;
    let said = String::from_utf8_lossy(&judged.stderr).into_owned();
    // `max_grpc_timeout` is what Istio writes too: its successor does not tell the upstream the time that is left.
    let deprecated =
        said.lines().filter(|line| line.contains("eprecated") && !line.contains("max_grpc_timeout"));
    match deprecated.collect::<Vec<_>>().join("\n") {
        lines if lines.is_empty() => Ok(()),
        lines => Err(format!("Envoy says: {lines}")),
    }
}

/// With the certificate that a document asks for.
fn filled_in(text: &str, identity: &Path) -> String {
    let text = text.replace("TEST/", &format!("{}/", identity.display()));
    let parts =
        [("CHAIN", "cert-chain.pem"), ("KEY", "key.pem"), ("ROOT", "root-cert.pem"), ("CRL", "crl.pem")];
    parts.into_iter().fold(text, |text, (name, file)| {
        text.replace(&format!("TEST-{name}"), &STANDARD.encode(fs::read(identity.join(file)).unwrap()))
    })
}

fn succeeded(who: &str, output: &Output) -> Result<(), String> {
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{who} refuses it: {said}")) }
}

/// With `OUTRIGGER_ACCEPTED=gateway` only those that begin so.
#[test]
fn envoy_accepts_each_document() {
    let wanted = std::env::var("OUTRIGGER_ACCEPTED").unwrap_or_default();
    let modules = tempfile::tempdir().unwrap();
    support::write_modules(modules.path());
    let identity = support::identity::of("spiffe://cluster.local/ns/default/sa/test");
    let client = identity.path().join("client");
    fs::create_dir(&client).unwrap();
    for (from, to) in [("cert-chain.pem", "tls.crt"), ("key.pem", "tls.key"), ("root-cert.pem", "ca.crt")] {
        fs::copy(identity.path().join(from), client.join(to)).unwrap();
    }
    let mut documents: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&wanted))
        .collect();
    documents.sort();
    assert!(!documents.is_empty());
    let (rest, failures) = (Mutex::new(documents.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(document) = rest.lock().unwrap().next() else { return };
                    if let Err(why) = refused(document, modules.path(), identity.path()) {
                        let name = document.file_name().unwrap().display().to_string();
                        failures.lock().unwrap().push(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} are not accepted:\n{}",
        failures.len(),
        documents.len(),
        failures.join("\n")
    );
}
