//! Many configurations in one Envoy.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use super::answer::Answer;
use super::configuration::Configuration;
use super::options::Options;
use super::policy::{Comparison, Policy};
use super::random::Random;
use super::request::Request;

/// Something that differs.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Our side does not take the configuration.
    Refused {
        /// It.
        configuration: Configuration,
        /// Why.
        problems: String,
    },
    /// The two sides do not do the same.
    Differs(Box<Difference>),
}

/// A request with two outcomes.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    /// The resources.
    pub(super) configuration: Configuration,
    /// The request.
    pub(super) request: Request,
    /// What came of it on our side.
    pub(super) ours: Answer,
    /// What came of it on the native side.
    pub(super) native: Answer,
}

/// How a batch went.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Requests without a difference.
    pub(super) passed: usize,
    /// Requests with a difference that is meant, by its name.
    pub(super) deviations: BTreeMap<&'static str, usize>,
    /// The others.
    pub(super) failures: Vec<Failure>,
}

impl Outcome {
    fn add(&mut self, configuration: &Configuration, request: Request, comparison: Comparison) {
        match comparison {
            Comparison::Same => self.passed += 1,
            Comparison::Deviates(names) => {
                for name in names {
                    *self.deviations.entry(name).or_default() += 1;
                }
            }
            Comparison::Differs { ours, native } => {
                let configuration = configuration.clone();
                let difference = Difference { configuration, request, ours, native };
                self.failures.push(Failure::Differs(Box::new(difference)));
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        for (name, count) in other.deviations {
            *self.deviations.entry(name).or_default() += count;
        }
    }
}

/// Sends `each` requests to every configuration in `numbers`.
pub(super) fn run<P: Policy>(
    policy: &P,
    options: &Options,
    numbers: &[usize],
    each: usize,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let (mut configurations, mut kept) = (Vec::new(), Vec::new());
    for &number in numbers {
        let configuration = policy.configuration(options.seed, number);
        let refused = policy
            .refusal(&configuration)
            .with_context(|| format!("configuration {number} has no reference"))?;
        match refused {
            Some(problems) => outcome.failures.push(Failure::Refused { configuration, problems }),
            None => {
                configurations.push(configuration);
                kept.push(number);
            }
        }
    }
    let pair = policy.start(&configurations)?;
    let (next, all) = (AtomicUsize::new(0), Mutex::new(outcome));
    std::thread::scope(|scope| {
        let worker = || -> Result<()> {
            let mut asker = policy.connect(&pair);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(configuration), Some(number)) = (configurations.get(index), kept.get(index)) else {
                    return Ok(());
                };
                let mut random = Random::new(!options.seed, *number as u64);
                let mut own = Outcome::default();
                for _ in 0..each {
                    let request = policy.request(&mut random, configuration);
                    let compared = policy.compare(configuration, &request, &mut asker);
                    own.add(configuration, request, compared?);
                }
                all.lock().map_err(|_| anyhow::anyhow!("a worker panicked"))?.merge(own);
            }
        };
        let workers: Vec<_> = (0..options.threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))?)
    })?;
    Ok(all.into_inner().unwrap_or_default())
}
