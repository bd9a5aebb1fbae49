//! The figures as a table for people.

use std::fmt::Write as _;

use super::report::{Figures, Report, Target};

/// The report as plain text.
pub(super) fn table(report: &Report) -> String {
    let mut text = format!(
        "\nCPU time of Envoy per request in µs: median of {} rounds of {} s; 'added' is the difference to bare within a \
         round, with its quartiles.\nHTTP/1.1, {} connections kept alive, one worker. {}, {} cores, load {:.1} before{}. \
         Envoy {}.\n\n",
        report.rounds,
        report.seconds,
        report.connections,
        report.machine.processor,
        report.machine.cores,
        report.machine.load_before,
        report.machine.load_after.map(|load| format!(", {load:.1} after")).unwrap_or_default(),
        report.versions.envoy.as_deref().unwrap_or("?"),
    );
    let width = report.configurations.iter().map(|row| row.name.len()).max().unwrap_or_default().max(13);
    let _ = writeln!(
        text,
        "{:width$} {:>9} {:>9}  {:>17} {:>7} {:>8} {:>8}  what",
        "configuration", "total", "added", "quartiles", "x bare", "x native", "kB"
    );
    for row in &report.configurations {
        line(&mut text, row, width, report.modules.get(&row.name).copied());
    }
    text.push('\n');
    targets(&mut text, &report.targets);
    text
}

/// What is aimed at, and whether it is met.
pub(super) fn targets(text: &mut String, targets: &[Target]) {
    for target in targets {
        let verdict = if target.met { "met" } else { "MISSED" };
        let _ = writeln!(
            text,
            "{verdict:6}  {}: {} (at most {})",
            target.name,
            figure(target.value),
            figure(target.limit)
        );
    }
}

fn line(text: &mut String, row: &Figures, width: usize, bytes: Option<u64>) {
    let quartiles = format!("{:.1} to {:.1}", row.added.q1, row.added.q3);
    let _ = writeln!(
        text,
        "{:width$} {:>9.1} {:>9.1}  {:>17} {:>7.2} {:>8.2} {:>8}  {}",
        row.name,
        row.total.median,
        row.added.median,
        quartiles,
        row.times_bare,
        row.times_native,
        bytes.map(|bytes| bytes.div_ceil(1024).to_string()).unwrap_or_default(),
        row.about,
    );
}

/// A whole number as such, another with two places.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Spread;
    use super::*;

    #[test]
    fn columns_stand_below_their_heads() {
        let spread = Spread { q1: -0.25, median: 4.0, q3: 12.5 };
        let row = Figures {
            name: "suite".to_owned(),
            about: "all five".to_owned(),
            bare: "bare".to_owned(),
            total: Spread { median: 1234.5, ..spread },
            added: spread,
            times_bare: 1.5,
            times_native: 0.75,
            samples: Vec::new(),
        };
        let mut text = String::new();
        line(&mut text, &row, 13, Some(1025));
        assert_eq!(
            text,
            "suite            1234.5       4.0       -0.2 to 12.5    1.50     0.75        2  all five\n"
        );
    }

    #[test]
    fn whole_numbers_are_written_whole() {
        assert_eq!((figure(1_048_576.0), figure(2.5)), ("1048576".to_owned(), "2.50".to_owned()));
    }
}
