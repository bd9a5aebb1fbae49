//! The figures, as `dist/bench.json` has them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use super::configurations::{Bench, Row};
use super::machine::Machine;
use super::options::Options;
use super::rounds::Samples;
use super::statistics::Spread;
use super::{envoy, module_size};

/// What the suite may cost above a bare Envoy, in times of what an empty filter does.
const TIMES_EMPTY: f64 = 2.5;
/// The same, in times of what the host takes for the suite's questions.
const TIMES_CALLS: f64 = 1.5;
/// What the suite may weigh, in bytes.
const SUITE_BYTES: f64 = 700_000.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Where.
    pub(super) machine: Machine,
    /// With what.
    pub(super) versions: Versions,
    /// Rounds.
    pub(super) rounds: u32,
    /// Seconds of each measurement.
    pub(super) seconds: f64,
    /// Connections of the load generator.
    pub(super) connections: u32,
    /// Sizes of the modules in bytes, by the names of their rows.
    pub(super) modules: BTreeMap<String, u64>,
    /// A row for each configuration. Times are microseconds of CPU time per request.
    pub(super) configurations: Vec<Figures>,
    /// What is aimed at.
    pub(super) targets: Vec<Target>,
}

/// Versions of everything that has a part in the figures.
#[derive(Debug, Serialize)]
pub(super) struct Versions {
    /// Ours.
    pub(super) outrigger: &'static str,
    /// As it says itself.
    pub(super) envoy: Option<String>,
}

/// The figures of one configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) about: String,
    /// Its bare configuration: the same requests, no filters.
    pub(super) bare: String,
    /// All of it.
    pub(super) total: Spread,
    /// Above the bare one, within a round.
    pub(super) added: Spread,
    /// In times of the bare one, within a round.
    pub(super) times_bare: f64,
    /// In times of the native one, within a round.
    pub(super) times_native: f64,
    /// A figure a round.
    pub(super) samples: Vec<f64>,
}

/// A figure that is not to be above a limit.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    /// What it says.
    pub(super) name: String,
    /// No more than this.
    pub(super) limit: f64,
    /// What it is.
    pub(super) value: f64,
    /// Whether it is no more than the limit.
    pub(super) met: bool,
}

impl Target {
    /// `value`, which is to be no more than `limit`. Below zero it is noise, and says nothing.
    pub(super) fn new(name: &str, limit: f64, value: f64) -> Self {
        Self { name: name.to_owned(), limit, value, met: (0.0..=limit).contains(&value) }
    }
}

impl Report {
    /// From what was measured.
    pub(super) fn new(
        bench: &Bench,
        rows: &[Row],
        samples: &Samples,
        options: &Options,
        before: Machine,
    ) -> Result<Self> {
        let modules: BTreeMap<_, _> = bench
            .modules
            .iter()
            .map(|(name, path)| Ok((name.clone(), module_size(path)?)))
            .collect::<Result<_>>()?;
        let configurations: Vec<_> =
            rows.iter().map(|row| Figures::of(row, samples)).collect::<Result<_>>()?;
        let mut targets = Vec::new();
        let added = |name| configurations.iter().find(|row| row.name == name).map(|row| row.added.median);
        if let (Some(suite), Some(empty)) = (added("suite"), added("empty")) {
            let name = "the suite adds, in times of an empty filter, without a token";
            targets.push(Target::new(name, TIMES_EMPTY, suite / empty));
        }
        if let (Some(suite), Some(calls)) = (added("suite"), added("calls")) {
            let name = "the suite adds, in times of what it asks the host";
            targets.push(Target::new(name, TIMES_CALLS, suite / calls));
        }
        if let Some(size) = modules.get("suite") {
            targets.push(Target::new("bytes of the suite", SUITE_BYTES, *size as f64));
        }
        Ok(Self {
            machine: before.after(),
            versions: Versions { outrigger: env!("CARGO_PKG_VERSION"), envoy: envoy::version() },
            rounds: options.rounds,
            seconds: options.seconds,
            connections: options.connections,
            modules,
            configurations,
            targets,
        })
    }

    /// Writes it to `file`.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let Value::Object(parts) = serde_json::to_value(self)? else { return Ok(()) };
        parts.into_iter().try_for_each(|(name, part)| add(file, &name, part))
    }
}

/// Puts `part` into the report in `file` as the field `name`. What other runs have put there under other names stays.
pub(super) fn add(file: &Path, name: &str, part: Value) -> Result<()> {
    let known = std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let mut report: serde_json::Map<String, Value> = known.unwrap_or_default();
    report.insert(name.to_owned(), part);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(&report)? + "\n";
    std::fs::write(file, text).with_context(|| file.display().to_string())
}

impl Figures {
    fn of(row: &Row, samples: &Samples) -> Result<Self> {
        let of = |name: &String| samples.get(name).with_context(|| format!("`{name}` was not measured"));
        let (own, bare, native) = (of(&row.name)?, of(&row.bare)?, of(&row.native)?);
        let times = |other: &[f64]| Spread::paired(own, other, |own, other| own / other);
        let none = "nothing was measured";
        Ok(Self {
            name: row.name.clone(),
            about: row.about.clone(),
            bare: row.bare.clone(),
            total: Spread::of(own.iter().copied()).context(none)?,
            added: Spread::paired(own, bare, |own, bare| own - bare).context(none)?,
            times_bare: times(bare).context(none)?.median,
            times_native: times(native).context(none)?.median,
            samples: own.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::Request;
    use super::*;

    #[test]
    fn a_row_is_compared_within_the_round() {
        let row = Row {
            name: "suite".to_owned(),
            about: String::new(),
            port: 1,
            request: Request { path: "/".to_owned(), ..Request::default() },
            bare: "bare".to_owned(),
            native: "native".to_owned(),
        };
        let mut samples = Samples::from([
            ("bare".to_owned(), vec![20.0, 60.0, 30.0]),
            ("native".to_owned(), vec![40.0, 120.0, 60.0]),
        ]);
        assert!(Figures::of(&row, &samples).is_err());
        samples.insert("suite".to_owned(), vec![30.0, 70.0, 40.0]);
        let figures = Figures::of(&row, &samples).unwrap();
        assert_eq!((figures.total.median, figures.added.median), (40.0, 10.0));
        assert_eq!((figures.times_bare, figures.times_native), (4.0 / 3.0, 2.0 / 3.0));
    }

    #[test]
    fn a_target_is_met_up_to_its_limit() {
        assert!(Target::new("t", 2.5, 2.5).met);
        assert!(!Target::new("t", 2.5, 2.51).met);
        assert!(!Target::new("t", 2.5, f64::NAN).met);
    }
}
