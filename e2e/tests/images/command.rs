//! `outrigger image`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use outrigger_e2e::launch::outrigger;
use serde_json::Value;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Of a command that has to succeed with JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Of one that must not succeed.
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        for part in says {
            assert!(self.stderr.contains(part), "`{part}` in {}", self.stderr);
        }
    }
}

/// Runs it with this configuration of Docker's, and this on standard input.
pub(crate) fn image_with(arguments: &[&str], docker_config: &Path, input: &str) -> Said {
    let mut child = Command::new(outrigger().unwrap())
        .arg("image")
        .args(arguments)
        .env("DOCKER_CONFIG", docker_config)
        .env_remove("SOURCE_DATE_EPOCH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without having read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs it for somebody who has no logins.
pub(crate) fn image(arguments: &[&str]) -> Said {
    image_with(arguments, Path::new("/nonexistent"), "")
}
