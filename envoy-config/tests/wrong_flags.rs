//! Flags whose value is none, that have no effect, or that contradict each other are refused: exit 2.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use common::{outcome, outrigger};

#[test]
fn wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    for (arguments, expected) in [
        (&["render", "-o", &out, "--namespace", "A B"][..], "`A B` is not the name of a namespace"),
        (&["render", "-o", &out, "-n", "A B"], "`A B` is not the name of a namespace"),
        (&["render", "-o", &out, "--trust-domain", "A B/"], "`A B/` is no trust domain"),
        (&["render", "-o", &out, "--service-account", "A B/"], "`A B/` is not the name of a service account"),
        (&["compose", "inject", "--resources", &out, "--namespace", "A B"], "`A B`"),
        (&["explain", "GET http://a/", "-H", "a: x\ny: z"], "`x\\ny: z` is not the value of a header"),
        (&["explain", "--shadow", "-"], "standard input is either"),
        (&["render", "-o", &out, "--app-port", "8080"], "`--app-port` has no effect on a gateway"),
        (&["render", "-o", &out, "--app-host", "app"], "`--app-host`"),
        (&["run", "--outbound-bind", "127.0.0.1"], "`--outbound-bind`"),
        (&["analyze", "--app-port", "8080"], "`--app-port`"),
        (&["explain", "GET http://a/", "--direction", "inbound"], "`--direction` has no effect on a gateway"),
        (&["render", "-o", &out, "--port", "80=8081", "--port", "80=8082"], "`--port 80=…` is given twice"),
    ] {
        let (code, stdout, stderr) = outcome(&[arguments, &["-f", "-"]].concat(), "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_folder_that_no_configuration_can_name_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"a\xff"));
    let output = outrigger(&["render", "-f", "-", "-o"]).arg(&path).write_stdin("").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("is not UTF-8"), "{stderr}");
    assert!(!path.exists());
}
