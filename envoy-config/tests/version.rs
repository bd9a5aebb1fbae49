//! `outrigger version`, and what a version needs: an entry in the changelog.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use common::outrigger;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A module of ours without any code; `stamp` is what its section `outrigger` says.
fn module(stamp: &str, abi: &str) -> Vec<u8> {
    let stamp = stamp.replace('"', "\\\"");
    let text =
        format!(r#"(module (func (export "proxy_abi_version_{abi}")) (@custom "outrigger" "{stamp}"))"#);
    wat::parse_str(text).unwrap()
}

/// A folder with all modules as a release has them.
fn modules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    support::write_modules(folder.path());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let stamp = format!(r#"{{"module":"{name}","version":"{VERSION}"}}"#);
        fs::write(&path, module(&stamp, "0_2_1")).unwrap();
    }
    folder
}

fn put(folder: &Path, name: &str, stamp: &str, abi: &str) {
    fs::write(folder.join(name), module(stamp, abi)).unwrap();
}

/// Exit code, standard output, standard error of `outrigger version`.
fn version(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let mut command = outrigger(&["version"]);
    let output = command.args(arguments).env("OUTRIGGER_MODULES", folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(folder: &Path) -> (i32, Value) {
    let (code, stdout, _) = version(&["-o", "json"], folder);
    (code, serde_json::from_str(&stdout).unwrap())
}

#[test]
fn it_says_what_each_module_is() {
    let folder = modules();
    let (code, report) = json(folder.path());
    assert_eq!(code, 0);
    assert_eq!(report["version"], VERSION);
    assert_eq!((&report["envoy"], &report["proxyWasm"]), (&"1.40".into(), &"0.2.1".into()));
    assert_eq!(report["warnings"], serde_json::json!([]));
    let names: Vec<_> = report["modules"].as_array().unwrap().iter().map(|m| m["name"].as_str()).collect();
    assert_eq!(names, ["suite", "jwt-authn", "authz", "fault", "router", "metrics"].map(Some));
    let path = folder.path().join("outrigger_authz.wasm");
    let bytes = fs::read(&path).unwrap();
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let wanted = serde_json::json!({
        "name": "authz", "file": "outrigger_authz.wasm", "origin": "folder", "path": path,
        "size": bytes.len(), "sha256": sha256, "version": VERSION, "proxyWasm": "0.2.1", "error": null,
    });
    assert_eq!(report["modules"][2], wanted);

    let (code, text, warnings) = version(&[], folder.path());
    assert_eq!((code, warnings.as_str()), (0, ""));
    assert!(
        text.starts_with(&format!("outrigger {VERSION}\n  for Envoy 1.40, by proxy-wasm 0.2.1\n")),
        "{text}"
    );
    assert!(text.contains(&format!("sha256:{sha256}\n")), "{text}");
}

#[test]
fn a_module_that_is_not_of_this_release_is_warned_of() {
    let folder = modules();
    let stamped = |version: &str| format!(r#"{{"module":"outrigger_authz","version":"{version}"}}"#);
    put(folder.path(), "outrigger_authz.wasm", &stamped("0.0.9"), "0_2_1");
    put(folder.path(), "outrigger_fault.wasm", &stamped(VERSION), "0_2_0");
    let none = wat::parse_str(r#"(module (func (export "proxy_abi_version_0_2_1")))"#).unwrap();
    fs::write(folder.path().join("outrigger_router.wasm"), none).unwrap();
    let (code, _, stderr) = version(&[], folder.path());
    assert_eq!(code, 0, "{stderr}");
    let wanted = [
        format!("warning: the module `outrigger_authz.wasm` is of version 0.0.9, this command of {VERSION}"),
        "warning: the module `outrigger_fault.wasm` speaks proxy-wasm 0.2.0, not 0.2.1".to_owned(),
        "warning: the module `outrigger_fault.wasm` says that it is `outrigger_authz`".to_owned(),
        "warning: the module `outrigger_router.wasm` does not say of which version it is: it is not one of a release"
            .to_owned(),
    ];
    assert_eq!(stderr.lines().collect::<Vec<_>>(), wanted);
    let (_, report) = json(folder.path());
    assert_eq!(report["warnings"].as_array().unwrap().len(), 4);
    assert_eq!(
        (&report["modules"][2]["version"], &report["modules"][4]["version"]),
        (&"0.0.9".into(), &Value::Null)
    );
}

#[test]
fn what_a_module_says_does_not_command_the_terminal() {
    let folder = modules();
    let stamp = r#"{"module":"outrigger_authz","version":"\\u001b[2J"}"#;
    put(folder.path(), "outrigger_authz.wasm", stamp, "0_2_1");
    let (code, stdout, stderr) = version(&[], folder.path());
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "{stdout}{stderr}");
    assert!(stderr.contains("is of version  [2J"), "{stderr}");
}

#[test]
fn modules_that_can_not_be_had_are_said_and_the_rest_is_printed() {
    let folder = modules();
    fs::remove_file(folder.path().join("outrigger_authz.wasm")).unwrap();
    fs::write(folder.path().join("outrigger_fault.wasm"), "<html>").unwrap();
    put(folder.path(), "outrigger_router.wasm", "0.1.0", "0_2_1");
    let (code, stdout, stderr) = version(&[], folder.path());
    assert_eq!(code, 3);
    assert!(stdout.contains("  authz      can't be had\n  fault      can't be had\n"), "{stdout}");
    let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 3, "{stderr}");
    assert!(errors[0].contains("outrigger_authz.wasm") && errors[1].contains("is not a WebAssembly module"));
    assert!(errors[2].contains("the module `outrigger_router.wasm`: its section `outrigger`"), "{stderr}");
    let (code, report) = json(folder.path());
    assert_eq!(code, 3);
    assert_eq!(report["modules"][0]["error"], Value::Null);
    assert!(report["modules"][3]["error"].as_str().unwrap().contains("is not a WebAssembly module"));
}

/// The headings of the changelog's entries, such as `[0.1.0] - Unreleased`, the newest first.
fn entries() -> Vec<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "CHANGELOG.md"].iter().collect();
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect()
}

#[test]
fn the_version_is_the_newest_in_the_changelog() {
    let entries = entries();
    let (version, date) = entries[0].split_once(" - ").unwrap();
    assert_eq!(version, format!("[{VERSION}]"), "CHANGELOG.md has no entry for the version in Cargo.toml");
    let is_date = |text: &str| {
        let lengths: Vec<_> = text.split('-').map(str::len).collect();
        lengths == [4, 2, 2] && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    assert!(date == "Unreleased" || is_date(date), "neither `Unreleased` nor a date: {date}");
    assert!(entries[1..].iter().all(|entry| entry.split_once(" - ").is_some_and(|(_, date)| is_date(date))));
}

#[test]
fn a_module_that_envoy_would_not_load_or_that_is_another_one_is_not_rendered() {
    let stamp = |name: &str| format!(r#"{{"module":"{name}","version":"{VERSION}"}}"#);
    let whole = module(&stamp("outrigger"), "0_2_1");
    let foreign = wat::parse_str("(module)").unwrap();
    for (bytes, said) in [
        (&whole[..], ""),
        (&whole[..whole.len() - 3], "outrigger.wasm` can't be used: unexpected end"),
        (&foreign[..], "outrigger.wasm` can't be used: it does not speak proxy-wasm"),
        (&module(&stamp("outrigger_metrics"), "0_2_1")[..], "it says that it is `outrigger_metrics`"),
    ] {
        let folder = modules();
        fs::write(folder.path().join("outrigger.wasm"), bytes).unwrap();
        let out = folder.path().join("out");
        let arguments = ["render", "--role", "sidecar", "--app-port", "8080", "-f", "-", "-o"];
        let mut command = outrigger(&[&arguments[..], &[out.to_str().unwrap()]].concat());
        let output = command.env("OUTRIGGER_MODULES", folder.path()).write_stdin("").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), said.is_empty(), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
