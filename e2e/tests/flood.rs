//! A short form of `./makew flood`.

use outrigger_e2e::series_flood::options::Options;
use outrigger_e2e::series_flood::run;

#[test]
fn series_stay_bounded_under_a_flood_of_labels() {
    let report = run(&Options::short(20_000, 500)).unwrap();
    eprintln!("{report}");
    assert!((490..=502).contains(&report.series), "{report}");
}
