//! `outrigger certs` as a command: what it refuses, and by which code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod common;

use common::outcome;

const ID: &str = "spiffe://cluster.local/ns/default/sa/a";

#[test]
fn what_cannot_be_written_is_not_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca").display().to_string();
    assert_eq!(outcome(&["certs", "init", "--dir", "/proc/ca"], "").0, 3);
    assert_eq!(outcome(&["certs", "init", "--dir", &ca], "").0, 0);
    assert_eq!(outcome(&["certs", "issue", "--dir", &ca, "--id", ID, "-o", "/proc/x"], "").0, 3);
    let (code, _, stderr) = outcome(&["certs", "issue", "--dir", "/no/ca", "--id", ID, "-o", &ca], "");
    assert!(code == 2 && stderr.contains("can't read"), "{stderr}");
    let (code, _, stderr) =
        outcome(&["certs", "issue", "--dir", &ca, "--id", ID, "-o", &ca, "--dns", "a b"], "");
    assert!(code == 2 && stderr.contains("`a b` is no label"), "{stderr}");
}

#[test]
fn two_workloads_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("real")).unwrap();
    std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
    for (one, other) in [("d", "d"), ("d", "x/../d"), ("real/a", "link/a"), ("real/../d/", "d")] {
        let out = |folder: &str| format!("{ID}={}", at(folder));
        let arguments =
            ["certs", "serve", "--init", "--dir", &at("ca"), "--out", &out(one), "--out", &out(other)];
        let (code, _, stderr) = outcome(&arguments, "");
        assert!(code == 2 && stderr.contains("twice"), "{one} {other}: {stderr}");
    }
    assert!(!folder.path().join("ca").exists());
}
