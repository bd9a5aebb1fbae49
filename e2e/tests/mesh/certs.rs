//! `outrigger certs`, as a user calls it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use outrigger_e2e::launch::outrigger;
use serde_json::Value;
use tempfile::TempDir;

use super::sidecar::wait_until;

/// An authority in a folder, and the certificates of workloads beside it.
pub(crate) struct Ca {
    folder: TempDir,
}

/// `certs serve`, which ends with this value.
pub(crate) struct Serve(Child);

impl Ca {
    pub(crate) fn new() -> Self {
        let ca = Self { folder: tempfile::tempdir().unwrap() };
        ca.certs(&["init"]);
        ca
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of a workload's certificate.
    pub(crate) fn workload(&self, namespace: &str, account: &str) -> PathBuf {
        self.at(&format!("{namespace}-{account}"))
    }

    /// One certificate.
    pub(crate) fn issue(&self, namespace: &str, account: &str, ttl: &str) -> PathBuf {
        let folder = self.workload(namespace, account);
        self.certs(&["issue", "--id", &id(namespace, account), "--ttl", ttl, "-o", &text(&folder)]);
        folder
    }

    /// Keeps the certificates of workloads fresh, and returns when all are there.
    pub(crate) fn serve(&self, workloads: &[(&str, &str)], ttl: &str) -> Serve {
        let mut command = self.command(&["serve", "--ttl", ttl]);
        for (namespace, account) in workloads {
            let folder = self.workload(namespace, account);
            command.arg("--out").arg(format!("{}={}", id(namespace, account), text(&folder)));
        }
        let serve = Serve(command.stderr(Stdio::null()).spawn().unwrap());
        for (namespace, account) in workloads {
            let chain = self.workload(namespace, account).join("cert-chain.pem");
            wait_until("a certificate is issued", || chain.exists());
        }
        serve
    }

    /// A step of the root's rotation.
    pub(crate) fn rotate(&self, step: &str) {
        self.certs(&["rotate", "--step", step]);
    }

    /// When a workload's certificate was issued last, and its serial number.
    pub(crate) fn newest(&self, namespace: &str, account: &str) -> Option<(SystemTime, String)> {
        let folder = self.workload(namespace, account);
        let when = fs::metadata(folder.join("cert-chain.pem")).ok()?.modified().ok()?;
        let shown = Command::new(outrigger().unwrap())
            .args(["certs", "show", "-o", "json"])
            .arg(folder)
            .output()
            .ok()?;
        let shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
        Some((when, shown["serialNumber"].as_str()?.to_owned()))
    }

    fn certs(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(outrigger().unwrap());
        command.arg("certs").args(arguments).arg("--dir").arg(self.at("ca"));
        command
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn id(namespace: &str, account: &str) -> String {
    format!("spiffe://cluster.local/ns/{namespace}/sa/{account}")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
