//! Many configurations in one Envoy.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use super::answer::Answer;
use super::generate::{Configuration, configuration};
use super::options::Options;
use super::pair::{Asker, Pair, Setting, refusal};
use super::random::Random;
use super::request::Request;
use super::upstream::Copies;
use super::{ask, reference};

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
    /// The others.
    pub(super) failures: Vec<Failure>,
}

/// Sends `each` requests to every configuration in `numbers`.
pub(super) fn run(options: &Options, numbers: &[usize], each: usize, setting: &Setting) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let (mut configurations, mut kept) = (Vec::new(), Vec::new());
    for &number in numbers {
        let configuration = configuration(options.seed, number);
        let refused = refusal(&configuration, setting)
            .with_context(|| format!("configuration {number} has no reference"))?;
        match refused {
            Some(problems) => outcome.failures.push(Failure::Refused { configuration, problems }),
            None => {
                configurations.push(configuration);
                kept.push(number);
            }
        }
    }
    let pair = Pair::start(&configurations, setting)?;
    let (next, all) = (AtomicUsize::new(0), Mutex::new(outcome));
    std::thread::scope(|scope| {
        let worker = || -> Result<()> {
            let mut asker = pair.connect();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(configuration), Some(number)) = (configurations.get(index), kept.get(index)) else {
                    return Ok(());
                };
                let mut random = Random::new(!options.seed, *number as u64);
                let (mut passed, mut failures) = (0, Vec::new());
                for _ in 0..each {
                    let request = ask::request(&mut random, configuration);
                    match compare(configuration, request, &mut asker, &setting.copies)? {
                        None => passed += 1,
                        Some(difference) => failures.push(Failure::Differs(Box::new(difference))),
                    }
                }
                let mut all = all.lock().map_err(|_| anyhow::anyhow!("a worker panicked"))?;
                all.passed += passed;
                all.failures.extend(failures);
            }
        };
        let workers: Vec<_> = (0..options.threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))?)
    })?;
    Ok(all.into_inner().unwrap_or_default())
}

/// How often a request is sent at most, where destinations are drawn.
const DRAWS: usize = 200;

/// Asks both sides. `None`: they do the same.
pub(super) fn compare(
    configuration: &Configuration,
    request: Request,
    asker: &mut Asker,
    copies: &Copies,
) -> Result<Option<Difference>> {
    let copies = reference::copies(configuration).then_some(copies);
    let (ours, native) = asker.ask(&request, copies)?;
    if ours == native {
        return Ok(None);
    }
    if reference::draws(configuration) {
        // Each side may answer in several ways; what one has answered, the other has to be able to answer too.
        let (mut by_native, mut by_ours) = (false, false);
        for _ in 0..DRAWS {
            let (again, native_again) = asker.ask(&request, copies)?;
            by_native |= native_again == ours;
            by_ours |= again == native;
            if by_native && by_ours {
                return Ok(None);
            }
        }
    }
    Ok(Some(Difference { configuration: configuration.clone(), request, ours, native }))
}
