//! The figures, for people and as `tokens` of `dist/bench.json`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::super::machine::Machine;
use super::super::options::Options;
use super::super::report::Target;
use super::super::rounds::Samples;
use super::super::statistics::Spread;
use super::Side;
use super::cases::{Alg, Case};

/// What is aimed at, in microseconds above Envoy's own filter.
const COLD_ABOVE_NATIVE: f64 = 5.0;
const WARM_ABOVE_NATIVE: f64 = 4.0;
/// In times of an empty filter.
const NO_TOKEN: f64 = 1.3;
/// In times of Envoy's own filter.
const EDDSA: f64 = 1.6;
/// In microseconds.
const PS256: f64 = 450.0;
/// Many issuers and keys in times of one.
const MANY: f64 = 1.15;

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

/// One side and one kind of request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figure {
    request: String,
    side: &'static str,
    total: f64,
    /// Above nobody who verifies, within a round.
    added: Spread,
}

impl Report {
    pub(super) fn new(samples: &Samples, options: &Options, machine: Machine) -> Result<Self> {
        let of = |row: &str| {
            samples.get(row).map(Vec::as_slice).with_context(|| format!("`{row}` was not measured"))
        };
        let none = "nothing was measured";
        let mut rows = Vec::new();
        for case in Case::all() {
            for side in Side::ALL.into_iter().filter(|side| side.cases().contains(&case)) {
                let (own, bare) = (of(&side.row(case))?, of(&Side::Bare.row(case))?);
                rows.push(Figure {
                    request: case.name(),
                    side: side.name(),
                    total: Spread::of(own.iter().copied()).context(none)?.median,
                    added: Spread::paired(own, bare, |own, bare| own - bare).context(none)?,
                });
            }
        }
        let added = |side: Side, case: Case| {
            let found = rows.iter().find(|row| row.side == side.name() && row.request == case.name());
            found.map(|row| row.added.median).context(none)
        };
        let times = |one: &str, other: &str| {
            Ok::<_, anyhow::Error>(
                Spread::paired(of(one)?, of(other)?, |one, other| one / other).context(none)?.median,
            )
        };
        let mut targets = Vec::new();
        for alg in [Alg::Rs256, Alg::Es256] {
            let (cold, warm) = (Case::Cold(alg), Case::Warm(alg));
            let limit = added(Side::Native, cold)? + COLD_ABOVE_NATIVE;
            let name = format!("a new {} token, µs (Envoy's own and {COLD_ABOVE_NATIVE})", alg.name());
            targets.push(Target::new(&name, limit, added(Side::Ours, cold)?));
            let limit = added(Side::NativeCached, warm)? + WARM_ABOVE_NATIVE;
            let name = format!("the same {} token, µs (Envoy's cache and {WARM_ABOVE_NATIVE})", alg.name());
            targets.push(Target::new(&name, limit, added(Side::Ours, warm)?));
        }
        let no_token = added(Side::Ours, Case::None)? / added(Side::Empty, Case::None)?;
        targets.push(Target::new("no token, in times of an empty filter", NO_TOKEN, no_token));
        let eddsa = Case::Cold(Alg::EdDsa);
        let in_times = added(Side::Ours, eddsa)? / added(Side::Native, eddsa)?;
        targets.push(Target::new("a new EdDSA token, in times of Envoy's own filter", EDDSA, in_times));
        let ps256 = added(Side::Ours, Case::Cold(Alg::Ps256))?;
        targets.push(Target::new("a new PS256 token, µs", PS256, ps256));
        let rs256 = Case::Cold(Alg::Rs256);
        let many = times(&Side::OursMany.row(rs256), &Side::Ours.row(rs256))?;
        let name = "a new RS256 token of ten issuers with twenty keys each, in times of one's";
        targets.push(Target::new(name, MANY, many));
        Ok(Self { machine, rounds: options.rounds, seconds: options.seconds, rows, targets })
    }

    /// As plain text.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "\nCPU time of Envoy per request in µs, median of {} rounds of {} s; 'added' is the difference to nobody who \
             verifies within a round,\nwith its quartiles. 'new': each request has another token, 'again': all have the \
             same, 'bad': the same with another's signature, which is refused\n(where nobody verifies it goes on).\n\n\
             {:<14} {:<14} {:>8} {:>8}  quartiles\n",
            self.rounds, self.seconds, "request", "side", "total", "added"
        );
        let mut last = "";
        for row in &self.rows {
            let request = if row.request == last { "" } else { &row.request };
            last = &row.request;
            let quartiles = format!("{:.1} to {:.1}", row.added.q1, row.added.q3);
            let (side, total, added) = (row.side, row.total, row.added.median);
            let _ = writeln!(text, "{request:<14} {side:<14} {total:>8.1} {added:>8.1}  {quartiles}");
        }
        text.push('\n');
        super::super::table::targets(&mut text, &self.targets);
        text
    }
}
