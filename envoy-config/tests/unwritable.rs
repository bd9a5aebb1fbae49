//! Standard output that takes nothing: no result may be lost without a word.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

mod common;

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use common::{fixture, outrigger};

/// Exit code and standard error, with `out` as standard output.
fn outcome(arguments: &[&str], out: impl Into<Stdio>) -> (Option<i32>, String) {
    let program = outrigger(&[]).get_program().to_owned();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(fixture("")).env_remove("OUTRIGGER_MODULES").stdin(Stdio::null());
    let output = command.stdout(out).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const RESOURCES: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n\
    spec: {hosts: [a.example], http: [{directResponse: {status: 200}}]}\n";

#[test]
fn a_full_disk_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (file, compose, key) = (at("a.yaml"), at("compose.yaml"), at("key.pem"));
    fs::write(&file, RESOURCES).unwrap();
    fs::write(&compose, "services:\n  a:\n    image: a\n").unwrap();
    let url = "https://files.example/{file}";
    let hash = format!("suite={}", "0".repeat(64));
    let token = ["--issuer", "i", "--subject", "s"];
    for arguments in [
        &["analyze", "-f", &file][..],
        &["analyze", "-f", &file, "-o", "json"],
        &["analyze", "-f", &file, "-o", "sarif"],
        &["explain", "GET http://a.example/", "-f", &file],
        &["explain", "GET http://a.example/", "-f", &file, "-o", "json"],
        &["version"],
        &["version", "-o", "json"],
        &["render", "--to", "envoy", "--snippet", "-f", &file],
        &["render", "--to", "wasmplugin", "--url", url, "--modules", "suite", "--sha256", &hash, "-f", &file],
        &[&["jwt", "mint", "--new-key", &key], &token[..]].concat(),
        &["jwt", "jwks", "--key", &key],
        &["compose", "inject", "-f", &compose, "--resources", &at("istio")],
        &[],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, stderr) = outcome(arguments, full);
        assert_eq!(code, Some(3), "{arguments:?}: {stderr}");
        assert!(stderr.contains("error: can't write to standard output: No space left"), "{stderr}");
    }
}

#[test]
fn a_reader_that_has_gone_away_is_none() {
    for arguments in [&["version"][..], &["version", "-o", "json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, stderr) = outcome(arguments, writer);
        assert!(!stderr.contains("standard output"), "{stderr}");
        assert_eq!(code, outcome(arguments, Stdio::null()).0);
    }
}
