//! The figures, for people and as `routes` of `dist/bench.json`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::super::machine::Machine;
use super::super::options::Options;
use super::super::report::Target;
use super::super::rounds::Samples;
use super::super::statistics::Spread;
use super::footprint::Footprint;
use super::shapes::Shape;
use super::{Side, Table};

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
    seconds: f64,
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
    suite: Footprint,
    native: Footprint,
}

/// One size. Microseconds of CPU time per request, medians.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Size {
    rules: usize,
    suite: f64,
    router: f64,
    native: f64,
    suite_added: f64,
    router_added: f64,
    native_added: f64,
    /// The suite in times of Envoy's routes, within a round.
    suite_times_native: f64,
    /// The router filter in times of Envoy's routes: the same work on both sides.
    router_times_native: f64,
}

impl Report {
    pub(super) fn new(
        counts: &[usize],
        samples: &Samples,
        footprints: &[(Shape, Side, Footprint)],
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
            let row = |count, side, miss| Table { shape, count, side }.row(miss);
            let mut sizes = Vec::new();
            for rules in counts.iter().copied() {
                let of = |side| median(&row(rules, side, false));
                let (suite, router, native) = (of(Side::Suite)?, of(Side::Router)?, of(Side::Native)?);
                let times_native = |side| times(&row(rules, side, false), &row(rules, Side::Native, false));
                let router_times_native = times_native(Side::Router)?;
                sizes.push(Size {
                    rules,
                    suite,
                    router,
                    native,
                    suite_added: suite - bare,
                    router_added: router - bare,
                    native_added: native - bare,
                    suite_times_native: times_native(Side::Suite)?,
                    router_times_native,
                });
                if rules >= 1_000 && shape.is_linear_in_envoy() {
                    let name = format!("{}: {rules} rules in times of Envoy's", shape.name());
                    targets.push(Target::new(&name, 1.0, router_times_native));
                }
            }
            let growth = times(&row(most, Side::Suite, false), &row(least, Side::Suite, false))?;
            let growth_of_miss = times(&row(most, Side::Suite, true), &row(least, Side::Suite, true))?;
            let name = format!("{}: {most} rules in times of {least}", shape.name());
            targets.push(Target::new(&name, shape.limit(), growth));
            targets.push(Target::new(&format!("{name}, no rule fits"), shape.limit(), growth_of_miss));
            let footprint = |side: Side| {
                let found = footprints.iter().find(|(own, whose, _)| (*own, *whose) == (shape, side));
                found.map(|(.., footprint)| *footprint).context("a table that was not started")
            };
            let (suite, native) = (footprint(Side::Suite)?, footprint(Side::Native)?);
            let name = format!("{}: seconds to compile {most} rules in one VM", shape.name());
            targets.push(Target::new(&name, COMPILE_SECONDS, suite.seconds));
            let name = format!("{}: bytes that {most} rules take in one VM", shape.name());
            targets.push(Target::new(&name, COMPILED_BYTES, (suite.bytes_per_rule * most as f64).round()));
            shapes.push(Figures { shape: shape.name(), sizes, growth, growth_of_miss, suite, native });
        }
        Ok(Self { machine, rounds: options.rounds, seconds: options.seconds, bare, shapes, targets })
    }

    /// As plain text.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "\nCPU time of Envoy per request in µs, median of {} rounds of {} s; a bare Envoy takes {:.1}. The last rule is \
             asked for.\nThe router does what Envoy's routes do; the suite counts each request too. 'x native' is the total in times \
             of theirs, 'x 10' the suite's in\ntimes of the smallest table's, 'miss' the same for a request that no rule \
             fits. Compiling and memory are those of the largest table\nabove the smallest: the suite's in one VM, Envoy's \
             in the process.\n\n",
            self.rounds, self.seconds, self.bare
        );
        let _ = writeln!(
            text,
            "{:14} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6} {:>10} {:>7} {:>10} {:>7}",
            "shape",
            "rules",
            "native",
            "router",
            "added",
            "x native",
            "suite",
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
                    "{:14} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.2} {:>8.1} {:>8.2}",
                    if at == 0 { shape.shape } else { "" },
                    size.rules,
                    size.native,
                    size.router,
                    size.router_added,
                    size.router_times_native,
                    size.suite,
                    size.suite_times_native
                );
                if at + 1 == shape.sizes.len() {
                    let (suite, native) = (shape.suite, shape.native);
                    let _ = write!(
                        text,
                        " {:>7.2} {:>6.2} {:>10.2} {:>7.0} {:>10.2} {:>7.0}",
                        shape.growth,
                        shape.growth_of_miss,
                        suite.seconds,
                        suite.bytes_per_rule,
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
