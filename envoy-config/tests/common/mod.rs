//! What the tests of the command line share.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod explain;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

/// A folder beside the tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The built command, called in the folder of the fixtures, so that paths in its output are short.
pub(crate) fn outrigger(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("outrigger").unwrap();
    command.args(arguments).current_dir(fixture("")).env_remove("OUTRIGGER_MODULES").env_remove("ENVOY_BIN");
    command
}

/// Runs it with `input` as standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    outrigger(arguments).write_stdin(input).output().unwrap()
}

/// Exit code, standard output, standard error.
pub(crate) fn outcome(arguments: &[&str], input: &str) -> (i32, String, String) {
    let output = run(arguments, input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Standard output as JSON, with the exit code.
pub(crate) fn json(arguments: &[&str], input: &str) -> (i32, serde_json::Value) {
    let (code, stdout, stderr) = outcome(arguments, input);
    let json = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"));
    (code, json)
}

/// Holds `actual` against the file of a fixture. `UPDATE_GOLDEN=1` writes it instead.
pub(crate) fn assert_golden(name: &str, actual: &str) {
    let path = fixture(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; UPDATE_GOLDEN=1 rewrites it", path.display());
}
