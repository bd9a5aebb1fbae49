//! The figures, for people and as `routes` of `dist/bench.json`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::super::machine::Machine;
use super::super::options::Options;
use super::super::report::Target;
use super::super::rounds::Samples;
use super::super::statistics::Spread;
use super::Table;
use super::footprint::Footprint;
use super::shapes::Shape;

/// What compiling 10,000 rules in one VM may take, in seconds.
const COMPILE_SECONDS: f64 = 1.5;
/// What they may take up there, in bytes.
const COMPILED_BYTES: f64 = 60e6;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    seconds: u32,
    /// Microseconds of CPU time per request without any table.
    bare: f64,
    shapes: Vec<Figures>,
    targets: Vec<Target>,
}

/// One shape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    shape: &'static str,
    sizes: Vec<Size>,
    /// The largest table in times of the smallest, total CPU time per request.
    growth: f64,
    /// The same of the request that no rule takes.
    growth_of_miss: f64,
    ours: Footprint,
    native: Footprint,
}

/// One size. Microseconds of CPU time per request, medians.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Size {
    rules: usize,
    ours: f64,
    native: f64,
    ours_added: f64,
    native_added: f64,
    /// Ours in times of Envoy's, within a round.
    times_native: f64,
}

impl Report {
    pub(super) fn new(
        counts: &[usize],
        samples: &Samples,
        footprints: &[(Shape, bool, Footprint)],
        options: &Options,
        machine: Machine,
    ) -> Result<Self> {
        let of = |row: &str| {
            samples.get(row).map(Vec::as_slice).with_context(|| format!("`{row}` was not measured"))
        };
        let none = "nothing was measured";
        let median =
            |row: &str| Ok::<_, anyhow::Error>(Spread::of(of(row)?.iter().copied()).context(none)?.median);
        let times = |one: &str, other: &str| {
            let spread = Spread::paired(of(one)?, of(other)?, |one, other| one / other);
            Ok::<_, anyhow::Error>(spread.context(none)?.median)
        };
        let bare = median("bare")?;
        let (least, most) = (*counts.first().context(none)?, *counts.last().context(none)?);
        let (mut shapes, mut targets) = (Vec::new(), Vec::new());
        for shape in Shape::ALL {
            let row = |count, ours, miss| Table { shape, count, ours }.row(miss);
            let mut sizes = Vec::new();
            for rules in counts.iter().copied() {
                let (ours, native) = (median(&row(rules, true, false))?, median(&row(rules, false, false))?);
                let times_native = times(&row(rules, true, false), &row(rules, false, false))?;
                let added = |total: f64| total - bare;
                let (ours_added, native_added) = (added(ours), added(native));
                sizes.push(Size { rules, ours, native, ours_added, native_added, times_native });
                if rules >= 1_000 && shape.is_linear_in_envoy() {
                    let name = format!("{}: {rules} rules in times of Envoy's", shape.name());
                    targets.push(Target::new(&name, 1.0, times_native));
                }
            }
            let growth = times(&row(most, true, false), &row(least, true, false))?;
            let growth_of_miss = times(&row(most, true, true), &row(least, true, true))?;
            let name = format!("{}: {most} rules in times of {least}", shape.name());
            targets.push(Target::new(&name, shape.limit(), growth));
            targets.push(Target::new(&format!("{name}, no rule fits"), shape.limit(), growth_of_miss));
            let footprint = |side: bool| {
                let found = footprints.iter().find(|(own, ours, _)| (*own, *ours) == (shape, side));
                found.map(|(.., footprint)| *footprint).context("a table that was not started")
            };
            let (ours, native) = (footprint(true)?, footprint(false)?);
            let name = format!("{}: seconds to compile {most} rules in one VM", shape.name());
            targets.push(Target::new(&name, COMPILE_SECONDS, ours.seconds));
            let name = format!("{}: bytes that {most} rules take in one VM", shape.name());
            targets.push(Target::new(&name, COMPILED_BYTES, (ours.bytes_per_rule * most as f64).round()));
            shapes.push(Figures { shape: shape.name(), sizes, growth, growth_of_miss, ours, native });
        }
        Ok(Self { machine, rounds: options.rounds, seconds: options.seconds, bare, shapes, targets })
    }

    /// As plain text.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "\nCPU time of Envoy per request in µs, median of {} rounds of {} s; a bare Envoy takes {:.1}. The last rule is \
             asked for.\n'x 10' is the total in times of the smallest table's; 'miss' the same for a request that no rule \
             fits. Compiling and memory are those of the largest\ntable above the smallest: ours in one VM, Envoy's in the \
             process.\n\n",
            self.rounds, self.seconds, self.bare
        );
        let _ = writeln!(
            text,
            "{:14} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6} {:>10} {:>7} {:>10} {:>7}",
            "shape",
            "rules",
            "ours",
            "added",
            "native",
            "added",
            "x native",
            "x 10",
            "miss",
            "compile s",
            "B/rule",
            "native s",
            "B/rule"
        );
        for shape in &self.shapes {
            for (at, size) in shape.sizes.iter().enumerate() {
                let _ = write!(
                    text,
                    "{:14} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.2}",
                    if at == 0 { shape.shape } else { "" },
                    size.rules,
                    size.ours,
                    size.ours_added,
                    size.native,
                    size.native_added,
                    size.times_native
                );
                if at + 1 == shape.sizes.len() {
                    let (ours, native) = (shape.ours, shape.native);
                    let _ = write!(
                        text,
                        " {:>7.2} {:>6.2} {:>10.2} {:>7.0} {:>10.2} {:>7.0}",
                        shape.growth,
                        shape.growth_of_miss,
                        ours.seconds,
                        ours.bytes_per_rule,
                        native.seconds,
                        native.bytes_per_rule
                    );
                }
                text.push('\n');
            }
        }
        text.push('\n');
        super::super::table::targets(&mut text, &self.targets);
        text
    }
}
