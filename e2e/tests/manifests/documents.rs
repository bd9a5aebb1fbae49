//! What `outrigger render` prints.

use std::path::Path;
use std::process::Command;

use outrigger_e2e::launch::outrigger;
use serde::Deserialize as _;
use serde_json::Value;

/// The folder of the built modules.
pub(crate) fn modules() -> String {
    std::env::var("OUTRIGGER_MODULES").expect("run through ./makew")
}

/// The documents rendered of resources, with these flags; the command is called in an empty folder but for the resources.
pub(crate) fn render(resources: &str, flags: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), resources).unwrap();
    render_in(folder.path(), &[&["-f", "a.yaml"][..], flags].concat())
}

/// The same with all flags, in a folder.
pub(crate) fn render_in(folder: &Path, flags: &[&str]) -> Vec<Value> {
    let output =
        Command::new(outrigger().unwrap()).arg("render").args(flags).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read(&String::from_utf8(output.stdout).unwrap())
}

/// Documents of YAML.
pub(crate) fn read(yaml: &str) -> Vec<Value> {
    yaml_serde::Deserializer::from_str(yaml).map(|document| Value::deserialize(document).unwrap()).collect()
}
