//! The walk of `./makew demo` ends well.

use std::process::Command;

#[test]
fn everything_is_seen_as_expected() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).output().unwrap();
    let said =
        [demo.stdout, demo.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    assert!(demo.status.success(), "{said}");
    // How many there are is the walk's own business; that there are hardly any is not.
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() > 10, "{said}");
}
