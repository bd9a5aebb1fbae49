//! The figures, for people and as `metrics` of `dist/bench.json`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::super::machine::Machine;
use super::super::options::Options;
use super::super::report::Target;
use super::super::rounds::Samples;
use super::super::statistics::Spread;
use super::{Side, bare_of};

/// What is aimed at, in microseconds: metrics alone above a filter that does nothing, and within the suite above the suite
/// without them.
const ALONE: f64 = 7.0;
const IN_SUITE: f64 = 5.0;
/// In times of what the host takes for the filter's questions.
const TIMES_CALLS: f64 = 1.5;
/// A request with one of a thousand sets of labels, in times of one with the same set each time: all that it takes, as where
/// tables of routes and policies grow.
const THOUSAND: f64 = 1.2;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    seconds: f64,
    /// Microseconds of CPU time per request.
    rows: Vec<Figure>,
    targets: Vec<Target>,
}

/// One side.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figure {
    side: &'static str,
    total: f64,
    /// Above a bare Envoy with the same requests, within a round.
    added: Spread,
}

impl Report {
    pub(super) fn new(samples: &Samples, options: &Options, machine: Machine) -> Result<Self> {
        let of = |row: &str| {
            samples.get(row).map(Vec::as_slice).with_context(|| format!("`{row}` was not measured"))
        };
        let none = "nothing was measured";
        let mut rows = Vec::new();
        for side in Side::ALL {
            let (own, bare) = (of(side.name())?, of(&bare_of(side))?);
            rows.push(Figure {
                side: side.name(),
                total: Spread::of(own.iter().copied()).context(none)?.median,
                added: Spread::paired(own, bare, |own, bare| own - bare).context(none)?,
            });
        }
        let above = |side: Side, other: Side| {
            let spread = Spread::paired(of(side.name())?, of(other.name())?, |side, other| side - other);
            Ok::<_, anyhow::Error>(spread.context(none)?.median)
        };
        let own = |side: Side, calls: Side| -> Result<f64> {
            Ok(above(side, Side::Bare)? / above(calls, Side::Bare)?)
        };
        let times = |side: Side, other: Side| {
            let spread = Spread::paired(of(side.name())?, of(other.name())?, |side, other| side / other);
            Ok::<_, anyhow::Error>(spread.context(none)?.median)
        };
        let targets = vec![
            Target::new("metrics alone, µs above an empty filter", ALONE, above(Side::Alone, Side::Empty)?),
            Target::new(
                "metrics in the suite, µs above the suite without them",
                IN_SUITE,
                above(Side::Suite, Side::SuiteWithout)?,
            ),
            Target::new(
                "metrics alone, in times of what they ask the host",
                TIMES_CALLS,
                own(Side::Alone, Side::AloneCalls)?,
            ),
            Target::new(
                "a request with one of 1000 sets of labels, in times of one with the same set each time",
                THOUSAND,
                times(Side::Thousand, Side::One)?,
            ),
        ];
        Ok(Self { machine, rounds: options.rounds, seconds: options.seconds, rows, targets })
    }

    /// As plain text.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "\nCPU time of Envoy per request in µs, median of {} rounds of {} s; 'added' is the difference to a bare Envoy \
             with the same\nrequests within a round, with its quartiles.\n\n{:<24} {:>8} {:>8}  quartiles\n",
            self.rounds, self.seconds, "side", "total", "added"
        );
        for row in &self.rows {
            let quartiles = format!("{:.1} to {:.1}", row.added.q1, row.added.q3);
            let _ =
                writeln!(text, "{:<24} {:>8.1} {:>8.1}  {quartiles}", row.side, row.total, row.added.median);
        }
        text.push('\n');
        super::super::table::targets(&mut text, &self.targets);
        text
    }
}
