//! `./makew differential`: random Istio resources, carried out by the suite in a rendered gateway and by native Envoy
//! routes beside it. The same requests go to both, and nothing that comes of them may differ.

mod answer;
mod ask;
mod batch;
mod connection;
mod generate;
pub mod options;
mod pair;
mod random;
mod reference;
mod report;
mod request;
mod shrink;
mod upstream;
mod words;

use std::time::Instant;

use anyhow::{Context as _, Result};

use self::batch::Failure;
use self::options::Options;
use self::pair::Setting;

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Requests with the same outcome on both sides.
    pub passed: usize,
    /// Requests with different ones, and configurations that only one side takes.
    pub failed: usize,
}

/// Asks both sides and tells every difference on standard output.
///
/// # Errors
/// Envoy does not start or does not answer, the suite is missing.
pub fn run(options: &Options) -> Result<Summary> {
    let modules = options.modules.canonicalize();
    let (endpoints, copies) = upstream::start()?;
    let setting = Setting {
        endpoints,
        copies,
        modules: modules.with_context(|| format!("no folder {}", options.modules.display()))?,
        folder: tempfile::tempdir()?,
    };
    if options.show {
        for number in options.first..options.first + options.configurations {
            report::resources(&generate::configuration(options.seed, number));
        }
        return Ok(Summary::default());
    }
    let (mut summary, mut shrunk, started) = (Summary::default(), 0, Instant::now());
    let numbers: Vec<usize> = (options.first..options.first + options.configurations).collect();
    let each = options.requests.div_ceil(options.configurations.max(1));
    for numbers in numbers.chunks(options.batch) {
        let outcome = batch::run(options, numbers, each, &setting)?;
        summary.passed += outcome.passed;
        summary.failed += outcome.failures.len();
        for failure in &outcome.failures {
            report::line(failure);
            if let Failure::Differs(difference) = failure
                && shrunk < options.shrink
            {
                shrunk += 1;
                report::pair(&shrink::smallest(difference, &setting)?, options.seed);
            }
        }
        let last = numbers.last().copied().unwrap_or_default();
        eprintln!(
            "differential: {} passed, {} failed up to configuration {last}, {} s",
            summary.passed,
            summary.failed,
            started.elapsed().as_secs()
        );
    }
    println!(
        "{} passed, {} failed: {} configurations from {} on, seed {}, {} s",
        summary.passed,
        summary.failed,
        options.configurations,
        options.first,
        options.seed,
        started.elapsed().as_secs()
    );
    Ok(summary)
}
