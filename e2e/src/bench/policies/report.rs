//! The figures, for people and as `policies` of `dist/bench.json`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::super::machine::Machine;
use super::super::options::Options;
use super::super::report::Target;
use super::super::rounds::Samples;
use super::super::statistics::Spread;
use super::shapes::Shape;
use super::{FEW, MANY, Side};

/// What 10,000 policies may cost in times of 10.
const GROWTH: f64 = 1.15;
/// What one policy may cost above an empty filter, in microseconds.
const ABOVE_EMPTY: f64 = 1.0;
/// From so many policies on ours has to be the cheaper filter.
const CHEAPER_FROM: usize = 100;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    seconds: f64,
    /// Microseconds of CPU time per request without any filter, and with one that does nothing.
    bare: f64,
    empty: f64,
    /// What reading the path and nothing else takes above a filter that does nothing, within a round.
    path_above_empty: f64,
    shapes: Vec<Figures>,
    targets: Vec<Target>,
}

/// One shape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    shape: &'static str,
    sizes: Vec<Size>,
    /// The largest set in times of that of ten policies, total CPU time per request. `None`: one of them is not measured.
    growth: Option<f64>,
    /// The same of a request that no policy allows; `None` also if there can be none.
    growth_of_miss: Option<f64>,
}

/// One size. Microseconds of CPU time per request, medians.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Size {
    policies: usize,
    /// `None`: it takes too long.
    native_added: Option<f64>,
    authz_added: f64,
    /// Above an empty filter, within a round.
    above_empty: f64,
    /// In times of Envoy's filter, total CPU time per request, within a round.
    times_native: Option<f64>,
}

impl Report {
    pub(super) fn new(
        counts: &[usize],
        samples: &Samples,
        options: &Options,
        machine: Machine,
    ) -> Result<Self> {
        let of = |row: &str| {
            samples.get(row).map(Vec::as_slice).with_context(|| format!("`{row}` was not measured"))
        };
        let none = "nothing was measured";
        let paired = |one: &str, other: &str, by: fn(f64, f64) -> f64| -> Result<f64> {
            Ok(Spread::paired(of(one)?, of(other)?, by).context(none)?.median)
        };
        let median =
            |row: &str| -> Result<f64> { Ok(Spread::of(of(row)?.iter().copied()).context(none)?.median) };
        let times = |one: f64, other: f64| one / other;
        let above = |one: f64, other: f64| one - other;
        let (mut shapes, mut targets) = (Vec::new(), Vec::new());
        for shape in Shape::ALL {
            let tls = shape.needs_certificate();
            let ours = |count, miss| Side::Ours(shape, count).row(tls, miss);
            let (bare, empty) = (Side::Bare.row(tls, false), Side::Empty.row(tls, false));
            let mut sizes = Vec::new();
            for policies in counts.iter().copied() {
                let native = Side::Native(shape, policies).row(tls, false);
                let is_native = policies <= shape.most_native();
                let with_native =
                    |one: &str, other: &str, by| is_native.then(|| paired(one, other, by)).transpose();
                let times_native = with_native(&ours(policies, false), &native, times)?;
                let above_empty = paired(&ours(policies, false), &empty, above)?;
                if policies == 1 {
                    let name = format!("{}: 1 policy, µs above an empty filter", shape.name());
                    targets.push(Target {
                        met: above_empty <= ABOVE_EMPTY,
                        ..Target::new(&name, ABOVE_EMPTY, above_empty)
                    });
                }
                if policies >= CHEAPER_FROM
                    && let Some(times_native) = times_native
                {
                    let name = format!("{}: {policies} policies in times of Envoy's", shape.name());
                    targets.push(Target::new(&name, 1.0, times_native));
                }
                sizes.push(Size {
                    policies,
                    native_added: with_native(&native, &bare, above)?,
                    authz_added: paired(&ours(policies, false), &bare, above)?,
                    above_empty,
                    times_native,
                });
            }
            let name = format!("{}: {MANY} policies in times of {FEW}", shape.name());
            let mut growth = |of: &str, miss| -> Result<f64> {
                let growth = paired(&ours(MANY, miss), &ours(FEW, miss), times)?;
                targets.push(Target::new(&format!("{name}{of}"), GROWTH, growth));
                Ok(growth)
            };
            let both = counts.contains(&FEW) && counts.contains(&MANY);
            let growth_of_hit = both.then(|| growth("", false)).transpose()?;
            let growth_of_miss =
                (both && shape.can_miss()).then(|| growth(", none allows", true)).transpose()?;
            shapes.push(Figures { shape: shape.name(), sizes, growth: growth_of_hit, growth_of_miss });
        }
        let (bare, empty) = (median("bare")?, median("empty")?);
        let path_above_empty = paired(&Side::Path.row(false, false), &Side::Empty.row(false, false), above)?;
        let (rounds, seconds) = (options.rounds, options.seconds);
        Ok(Self { machine, rounds, seconds, bare, empty, path_above_empty, shapes, targets })
    }

    /// As plain text.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "\nCPU time of Envoy per request in µs, median of {} rounds of {} s; a bare Envoy takes {:.1}, with a filter that does \
             nothing {:.1}; one that only\nreads the path takes {:+.1} above that. What the last policy allows is asked for. 'x native' is the total in times of Envoy's own filter, \
             'x 10' that of the largest set\nin times of ten policies, 'miss' the same for a request that none allows.\n\n",
            self.rounds, self.seconds, self.bare, self.empty, self.path_above_empty
        );
        let _ = writeln!(
            text,
            "{:12} {:>8} {:>12} {:>12} {:>12} {:>9} {:>7} {:>7}",
            "shape", "policies", "native added", "authz added", "above empty", "x native", "x 10", "miss"
        );
        for shape in &self.shapes {
            for (at, size) in shape.sizes.iter().enumerate() {
                let or_none = |figure: Option<f64>, digits| {
                    figure.map_or("-".to_owned(), |figure| format!("{figure:.digits$}"))
                };
                let _ = write!(
                    text,
                    "{:12} {:>8} {:>12} {:>12.1} {:>12.1} {:>9}",
                    if at == 0 { shape.shape } else { "" },
                    size.policies,
                    or_none(size.native_added, 1),
                    size.authz_added,
                    size.above_empty,
                    or_none(size.times_native, 2)
                );
                if at + 1 == shape.sizes.len() {
                    let (growth, miss) = (or_none(shape.growth, 2), or_none(shape.growth_of_miss, 2));
                    let _ = write!(text, " {growth:>7} {miss:>7}");
                }
                text.push('\n');
            }
        }
        text.push('\n');
        super::super::table::targets(&mut text, &self.targets);
        text
    }
}
