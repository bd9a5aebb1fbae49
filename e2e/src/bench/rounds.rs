//! Rounds: every configuration once, each round from another one on.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::configurations::Row;
use super::envoy::Envoy;
use super::load::{Generator, Load};
use super::options::Options;

/// Microseconds of CPU time per request, a figure a round, by the name of the row.
pub(super) type Samples = BTreeMap<String, Vec<f64>>;

/// How often is said how far it is.
const REPORTS: u32 = 10;

/// Measures `rows`.
pub(super) fn measure(
    rows: &[Row],
    envoy: &Envoy,
    generator: &Generator,
    options: &Options,
) -> Result<Samples> {
    let started = Instant::now();
    eprintln!(
        "bench: {} configurations, {} rounds of {} s each: about {:.0} s; first a second for each to warm up",
        rows.len(),
        options.rounds,
        options.seconds,
        rows.len() as f64 * (f64::from(options.rounds) * options.seconds + 1.0),
    );
    let send = |row: &Row, load: &Rc<Load>, seconds| {
        let sent = generator.run(load, Duration::from_secs_f64(seconds), &envoy.meter);
        sent.with_context(|| format!("`{}`", row.name))
    };
    let mut loads = Vec::new();
    for row in rows {
        let load = Load::new(row)?;
        send(row, &load, 1.0)?;
        loads.push((row, load));
    }
    let mut samples = Samples::new();
    for round in 0..options.rounds {
        for (row, load) in order(&loads, round as usize) {
            let sent = send(row, load, options.seconds)?;
            let figure = sent.seconds * 1e6 / sent.requests as f64;
            samples.entry(row.name.clone()).or_default().push(figure);
        }
        let bare = samples.get("bare").and_then(|bare| bare.last()).copied().unwrap_or(f64::NAN);
        let reports = |rounds: u32| rounds * REPORTS / options.rounds;
        if reports(round) != reports(round + 1) {
            let elapsed = started.elapsed().as_secs_f64();
            eprintln!("bench: round {} of {}, {elapsed:.0} s; bare {bare:.1} µs", round + 1, options.rounds);
        }
    }
    Ok(samples)
}

/// The rows from another one on in each round, and every other round backwards, so that none always follows the same.
fn order<T>(rows: &[T], round: usize) -> Vec<&T> {
    let mut order: Vec<_> = rows.iter().collect();
    order.rotate_left(round % rows.len().max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_has_every_row_once_in_another_order() {
        let rows = ["a", "b", "c"];
        let names = |round| -> String { order(&rows, round).into_iter().copied().collect() };
        assert_eq!([names(0), names(1), names(2), names(3)], ["abc", "acb", "cab", "cba"]);
        assert!(order::<Row>(&[], 1).is_empty());
    }
}
