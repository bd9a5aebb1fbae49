//! `./makew differential`: random Istio resources, carried out by our filters and by Envoy's own beside them. The same
//! requests go to both, and nothing that comes of them may differ, but for the deviations that are meant.

mod answer;
mod authz;
mod batch;
mod configuration;
mod connection;
mod fields;
mod jwt;
pub mod options;
mod policy;
mod random;
mod report;
mod request;
mod routes;
mod shrink;
mod upstream;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};

use self::authz::Authorization;
pub use self::authz::Guards;
use self::batch::Failure;
use self::jwt::Tokens;
use self::options::{Options, Which};
use self::policy::Policy;
use self::routes::Routes;

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Requests with the same outcome on both sides.
    pub passed: usize,
    /// Requests with different ones, and configurations that only one side takes.
    pub failed: usize,
    /// Requests with an outcome that is meant to be another, by what is deviated in. One request may count twice.
    pub deviations: BTreeMap<&'static str, usize>,
}

/// Asks both sides and tells every difference on standard output.
///
/// # Errors
/// Envoy does not start or does not answer, a module is missing.
pub fn run(options: &Options) -> Result<Summary> {
    let modules = folder(options)?;
    match options.policy {
        Which::Routes => run_policy(&Routes::new(modules)?, options),
        Which::Jwt => run_policy(&Tokens::new(modules)?, options),
        Which::Authz => run_policy(&Authorization::new(modules)?, options),
    }
}

/// The text that `docs/jwt-refusals.md` has to have: what our filter, whose module is in `options.modules`, and Envoy's own
/// tell clients just now.
///
/// # Errors
/// Envoy does not start or does not answer, the module is missing.
pub fn refusals(options: &Options) -> Result<String> {
    jwt::refusals::document(&Tokens::new(folder(options)?)?)
}

fn folder(options: &Options) -> Result<PathBuf> {
    let folder = options.modules.canonicalize();
    folder.with_context(|| format!("no folder {}", options.modules.display()))
}

fn run_policy<P: Policy>(policy: &P, options: &Options) -> Result<Summary> {
    let numbers: Vec<usize> = (options.first..options.first + options.configurations).collect();
    if options.show {
        for number in numbers {
            report::resources(&policy.configuration(options.seed, number));
        }
        return Ok(Summary::default());
    }
    let (mut summary, mut shrunk, started) = (Summary::default(), 0, Instant::now());
    let each = options.requests.div_ceil(options.configurations.max(1));
    for numbers in numbers.chunks(options.batch) {
        let outcome = batch::run(policy, options, numbers, each)?;
        summary.passed += outcome.passed;
        summary.failed += outcome.failures.len();
        for (name, count) in outcome.deviations {
            *summary.deviations.entry(name).or_default() += count;
        }
        for failure in &outcome.failures {
            report::line(failure);
            if let Failure::Differs(difference) = failure
                && shrunk < options.shrink
            {
                shrunk += 1;
                let smallest = shrink::smallest(policy, difference)?;
                report::pair(&smallest, options.seed, &policy.notes(&smallest.request));
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
    for (name, count) in &summary.deviations {
        println!("{count:>8} deviate as meant: {name}");
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
