//! Rounds: every configuration once, each round from another one on.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::configurations::Row;
use super::envoy::Envoy;
use super::load::Generator;
use super::options::Options;

/// Microseconds of CPU time per request, a figure a round, by the name of the row.
pub(super) type Samples = BTreeMap<String, Vec<f64>>;

/// Measures `rows`.
pub(super) fn measure(
    rows: &[Row],
    envoy: &Envoy,
    generator: &Generator,
    options: &Options,
) -> Result<Samples> {
    let started = Instant::now();
    eprintln!(
        "bench: {} configurations, {} rounds of {} s each: about {} s; first a second for each to warm up",
        rows.len(),
        options.rounds,
        options.seconds,
        rows.len() as u32 * (options.rounds * options.seconds + 1),
    );
    for row in rows {
        once(row, envoy, generator, 1)?;
    }
    let mut samples = Samples::new();
    for round in 0..options.rounds as usize {
        for row in order(rows, round) {
            let figure = once(row, envoy, generator, options.seconds)?;
            samples.entry(row.name.clone()).or_default().push(figure);
        }
        let bare = samples.get("bare").and_then(|bare| bare.last()).copied().unwrap_or(f64::NAN);
        eprintln!(
            "bench: round {} of {}, {:.0} s; bare {bare:.1} µs",
            round + 1,
            options.rounds,
            started.elapsed().as_secs_f64()
        );
    }
    Ok(samples)
}

/// One measurement.
fn once(row: &Row, envoy: &Envoy, generator: &Generator, seconds: u32) -> Result<f64> {
    let before = envoy.meter.seconds()?;
    let requests =
        generator.run(row.port, &row.request, seconds).with_context(|| format!("`{}`", row.name))?;
    Ok((envoy.meter.seconds()? - before) * 1e6 / requests as f64)
}

/// The rows from another one on in each round, and every other round backwards, so that none always follows the same.
fn order(rows: &[Row], round: usize) -> Vec<&Row> {
    let mut order: Vec<_> = rows.iter().collect();
    order.rotate_left(round % rows.len().max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::load::Request;
    use super::*;

    #[test]
    fn every_round_has_every_row_once_in_another_order() {
        let row = |name: &str| Row {
            name: name.to_owned(),
            about: String::new(),
            port: 1,
            request: Request { path: "/".to_owned(), ..Request::default() },
            bare: "bare".to_owned(),
            native: "native".to_owned(),
        };
        let rows = ["a", "b", "c"].map(row);
        let names = |round| -> String { order(&rows, round).iter().map(|row| row.name.as_str()).collect() };
        assert_eq!([names(0), names(1), names(2), names(3)], ["abc", "acb", "cab", "cba"]);
        assert!(order(&[], 1).is_empty());
    }
}
