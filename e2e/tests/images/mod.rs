//! Images in a real registry (CNCF Distribution, Debian's `docker-registry`): pushed by us, and pulled again by programs
//! that are not ours, skopeo and the Docker engine.

mod authority;
mod broken;
mod command;
mod doc;
mod engine;
mod login;
mod plain;
mod registry;
mod skopeo;
mod tls;
mod token_server;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Each module with the end of its image's name and its file.
const MODULES: [(&str, &str, &str); 6] = [
    ("suite", "", "outrigger.wasm"),
    ("jwt-authn", "-jwt-authn", "outrigger_jwt_authn.wasm"),
    ("authz", "-authz", "outrigger_authz.wasm"),
    ("fault", "-fault", "outrigger_fault.wasm"),
    ("router", "-router", "outrigger_router.wasm"),
    ("metrics", "-metrics", "outrigger_metrics.wasm"),
];

/// The bytes of a module as they were built.
fn module(file: &str) -> Vec<u8> {
    let folder =
        std::env::var_os("OUTRIGGER_MODULES").expect("OUTRIGGER_MODULES is not set: run through ./makew");
    std::fs::read(Path::new(&folder).join(file)).unwrap()
}

/// The SHA-256 of bytes, by another's code than the command's.
fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `plugin.wasm` in a compressed layer, by tar.
fn plugin(layer: &Path) -> Vec<u8> {
    let output = Command::new("tar").arg("-xzOf").arg(layer).arg("plugin.wasm").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A program by its variable, else as `./makew` leaves it in the cache.
fn program(variable: &str, package: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        return path.into();
    }
    let cache = std::env::var_os("OUTRIGGER_CACHE");
    let cache =
        cache.unwrap_or_else(|| panic!("neither {variable} nor OUTRIGGER_CACHE is set: run through ./makew"));
    let cached = Path::new(&cache).join(package).join(package);
    assert!(cached.exists(), "{} is missing: run through ./makew, or set {variable}", cached.display());
    cached
}
