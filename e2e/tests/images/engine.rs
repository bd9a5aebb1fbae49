//! The Docker engine pulls what we push.

use std::process::Command;

use outrigger_e2e::launch::docker_answers;

use super::command::image;
use super::module;
use super::registry::Registry;

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// It goes with the test.
struct Pulled(String);

impl Pulled {
    fn pull(reference: &str) -> Self {
        docker(&["pull", "--quiet", reference]).unwrap();
        Self(reference.to_owned())
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        if let Err(error) = docker(&["image", "rm", &self.0]) {
            eprintln!("the image {} was not removed: {error}", self.0);
        }
    }
}

#[test]
fn an_engine_pulls_both_forms_of_an_image() {
    if !docker_answers() {
        eprintln!("\n!!! NO DOCKER ENGINE ANSWERS HERE: whether one pulls our images was not tested.\n");
        return;
    }
    let registry = Registry::open();
    for layout in ["oci", "docker"] {
        let reference = registry.image(&format!("{layout}/authz:1"));
        let pushed =
            image(&["push", &reference, "--module", "authz", "--layout", layout, "-o", "json"]).json();
        let pulled = Pulled::pull(&reference);
        let told = docker(&["image", "inspect", "--format", "{{index .RepoDigests 0}}", &pulled.0]).unwrap();
        let (_, digest) = told.split_once('@').unwrap();
        assert_eq!(pushed[0]["digest"], digest);
        let title = "{{index .Config.Labels \"org.opencontainers.image.title\"}}";
        assert_eq!(docker(&["image", "inspect", "--format", title, &pulled.0]).unwrap(), "outrigger-authz");
        // A container that is never started has the image's files.
        let container = docker(&["create", &pulled.0, "none"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("plugin.wasm");
        let copied = docker(&["cp", &format!("{container}:/plugin.wasm"), to.to_str().unwrap()]);
        docker(&["rm", &container]).unwrap();
        copied.unwrap();
        assert!(std::fs::read(to).unwrap() == module("outrigger_authz.wasm"), "{reference}: other bytes");
    }
}
