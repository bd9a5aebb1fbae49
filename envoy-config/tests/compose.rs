//! `outrigger compose` as a command.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod common;

use std::fs;

use common::outcome;

const FILE: &str =
    "services:\n  a:\n    image: a\n    expose: [80]\n    labels: [sidecar.istio.io/inject=true]\n";

#[test]
fn a_file_is_written_beside_the_resources_and_the_second_time_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (file, istio) = (at("compose.yaml"), at("istio"));
    fs::write(&file, FILE).unwrap();
    let arguments = ["compose", "inject", "-f", &file, "-o", &file, "--resources", &istio];
    let (code, stdout, stderr) = outcome(&arguments, "");
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(stderr.contains("sidecars for a"), "{stderr}");
    let once = fs::read_to_string(&file).unwrap();
    assert!(once.contains("- ./istio:/etc/outrigger/resources:ro"), "{once}");
    assert!(fs::read_to_string(at("istio/outrigger-compose.yaml")).unwrap().contains("address: a-sidecar"));
    assert_eq!(outcome(&arguments, "").0, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), once);

    let (code, stdout, _) = outcome(&["compose", "inject", "-f", "-", "--resources", &istio], FILE);
    assert_eq!(code, 0);
    assert!(stdout.contains(&format!("- {istio}:/etc/outrigger/resources:ro")), "{stdout}");
}

#[test]
fn what_is_wrong_has_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let istio = folder.path().join("istio").display().to_string();
    let wrong = FILE.replace("expose: [80]", "network_mode: host");
    let (code, stdout, stderr) = outcome(&["compose", "inject", "-f", "-", "--resources", &istio], &wrong);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("error: -:4:5: service `a` has a `network_mode`") && stderr.contains("hint:"),
        "{stderr}"
    );
    assert!(!folder.path().join("istio").exists());
    assert_eq!(outcome(&["compose", "inject", "-f", "/nowhere", "--resources", &istio], "").0, 2);
    let taken = folder.path().join("file");
    fs::write(&taken, "").unwrap();
    let taken = taken.display().to_string();
    assert_eq!(outcome(&["compose", "inject", "-f", "-", "--resources", &taken], FILE).0, 3);
}
