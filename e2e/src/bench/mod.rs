//! What our filters cost: CPU time of Envoy per request, beside a bare Envoy, an empty filter and Envoy's own filters.
//!
//! Every configuration is a listener of one Envoy process with one worker, so that all of them meet the same noise.
//! A round sends requests to each in turn; what counts is the difference to the bare listener within a round, and
//! the median of those. Figures of different machines, or of different hours on one, are not comparable; ratios are.

pub mod options;
pub mod statistics;

mod bootstrap;
mod calls;
mod configurations;
mod cpu;
pub(crate) mod envoy;
mod listener;
mod load;
mod loading;
mod machine;
mod metrics;
mod native;
mod ours;
mod plain;
mod policies;
mod probes;
mod report;
mod resources;
mod rounds;
mod routes;
mod setting;
mod table;
mod tokens;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use self::configurations::Bench;
use self::envoy::Envoy;
use self::load::Generator;
use self::machine::{Cores, Machine};
use self::options::Options;

/// Measures, prints the table and writes the report.
///
/// # Errors
/// A tool or module is missing, Envoy refuses a configuration, or a listener does not answer as it should.
pub fn run(options: &Options) -> Result<()> {
    if options.routes {
        return routes::run(options);
    }
    if options.policies {
        return policies::run(options);
    }
    if options.tokens {
        return tokens::run(options);
    }
    if options.metrics {
        return metrics::run(options);
    }
    if options.loading {
        return loading::run(options);
    }
    let (bench, [upstream, envoy]) = put_up(options)?;
    let generator = Generator::new(Cores::find().load, options.connections)?;
    let before = Machine::read();
    before.warn_if_busy();
    let rows = bench.selected(&options.only)?;
    let samples = rounds::measure(&rows, &envoy, &generator, options)?;
    drop((envoy, upstream));
    let report = report::Report::new(&bench, &rows, &samples, options, before)?;
    print!("{}", table::table(&report));
    report.write(&options.output)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

/// Puts every listener up and asks each whether it decides as it should, without measuring anything.
///
/// # Errors
/// As [`run`].
pub fn check(options: &Options) -> Result<()> {
    put_up(options).map(drop)
}

/// The upstream and the Envoy to measure, up and checked.
fn put_up(options: &Options) -> Result<(Bench, [Envoy; 2])> {
    let cores = Cores::find();
    let folder = tempfile::tempdir()?;
    let ports = envoy::free_ports::<2>()?;
    let upstream =
        Envoy::start("upstream", &bootstrap::upstream(ports), &folder.path().join("upstream"), cores.load)?;
    let bench = Bench::new(options, ports, folder.path())?;
    eprintln!(
        "bench: starting Envoy with {} listeners; it compiles every module first ...",
        bench.listeners.len()
    );
    let measured = bootstrap::measured(&bench.listeners, bench.clusters(), &bench.shop.ours);
    let envoy = Envoy::start("measured", &measured, &folder.path().join("measured"), cores.envoy)?;
    probes::check(&bench, &envoy)?;
    calls::check(&envoy, &bench.rows, "suite", "calls")?;
    eprintln!("bench: every listener decides as it should");
    Ok((bench, [upstream, envoy]))
}

/// The folder with our modules.
fn modules() -> Result<PathBuf> {
    let folder =
        std::env::var_os("OUTRIGGER_MODULES").context("OUTRIGGER_MODULES is not set: run through ./makew")?;
    Path::new(&folder).canonicalize().with_context(|| Path::new(&folder).display().to_string())
}

/// The size of a module in bytes.
fn module_size(path: &Path) -> Result<u64> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(size > 0, "`{}` is empty", path.display());
    Ok(size)
}
