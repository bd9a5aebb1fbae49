//! `docs/jwt-refusals.md` says what clients are told.

use std::path::Path;

use outrigger_e2e::differential::options::{Options, Which};
use outrigger_e2e::differential::refusals;

#[test]
fn the_refusals_in_the_docs_are_those_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/jwt-refusals.md");
    let today = refusals(&Options::short(Which::Jwt, 1, 1)).unwrap();
    if std::env::var_os("OUTRIGGER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &today).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    for (written, today) in written.lines().zip(today.lines()) {
        assert_eq!(written, today, "OUTRIGGER_WRITE_DOCS=1 ./makew e2e refusals writes the file anew");
    }
    assert_eq!(written, today);
}
