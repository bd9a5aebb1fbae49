//! skopeo: a client that is not ours.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{plugin, program, sha256};

/// Runs it and returns what it prints.
pub(crate) fn skopeo(arguments: &[&str]) -> String {
    let output =
        Command::new(program("SKOPEO", "skopeo")).arg("--insecure-policy").args(arguments).output().unwrap();
    assert!(output.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An image as it was pulled.
pub(crate) struct Pulled {
    /// The digest of the manifest, without `sha256:`.
    pub(crate) sha256: String,
    pub(crate) manifest: Value,
    pub(crate) module: Vec<u8>,
}

/// Pulls an image with these further options and takes the module out of it.
pub(crate) fn pull(reference: &str, options: &[&str]) -> Pulled {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (format!("docker://{reference}"), format!("dir:{}", folder.path().display()));
    skopeo(&[&["copy", "--quiet"], options, &[&from, &to]].concat());
    let bytes = std::fs::read(folder.path().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let layer = manifest["layers"].as_array().unwrap().last().unwrap();
    let digest = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let layer_file = folder.path().join(digest);
    let raw = layer["mediaType"].as_str().unwrap().ends_with("+wasm");
    let module = if raw { std::fs::read(layer_file).unwrap() } else { plugin(&layer_file) };
    Pulled { sha256: sha256(&bytes), manifest, module }
}

/// Copies an image of an OCI image layout to a registry on this machine.
pub(crate) fn push(layout: &Path, name: &str, reference: &str) {
    let kind = if layout.extension().is_some() { "oci-archive" } else { "oci" };
    let (from, to) = (format!("{kind}:{}:{name}", layout.display()), format!("docker://{reference}"));
    skopeo(&["copy", "--quiet", "--dest-tls-verify=false", &from, &to]);
}
