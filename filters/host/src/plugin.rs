//! One configuration of a filter on one thread: the compiled engine and what its requests share.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use outrigger_api::Config;
use outrigger_core::telemetry::Reporter;
use outrigger_core::{Draws, PolicyEngine, PolicySet, Reply};

use crate::holds::Holds;
use crate::metrics::Metrics;
use crate::{abi, effects};

/// What a held request does when its time has come.
#[derive(Debug)]
pub(crate) enum Held {
    /// It goes on.
    Resume,
    /// It is answered.
    Reply(Reply<'static>),
}

/// Everything that the requests of one configuration share.
#[derive(Debug)]
pub(crate) struct Plugin<const POLICIES: u8> {
    pub(crate) engine: PolicyEngine<POLICIES>,
    pub(crate) port: Option<u16>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) draws: Cell<Draws>,
    pub(crate) holds: RefCell<Holds<Held>>,
    started: Instant,
}

impl<const POLICIES: u8> Plugin<POLICIES> {
    /// Reads and compiles the configuration that Envoy has just announced, or logs everything that is wrong with it.
    pub(crate) fn configured(size: usize) -> Option<Self> {
        let json = match abi::plugin_configuration(size) {
            Ok(json) => json,
            Err(status) => {
                log::error!("configuration rejected: envoy does not hand it over: {status:?}");
                return None;
            }
        };
        match Self::new(json) {
            Ok(plugin) => Some(plugin),
            Err(problems) => {
                log::error!("configuration rejected, {} problem(s):", problems.len());
                for problem in problems {
                    log::error!("{problem}");
                }
                None
            }
        }
    }

    /// Compiles a configuration, or says everything that is wrong with it.
    fn new(json: Vec<u8>) -> Result<Self, Vec<String>> {
        let all = |problems: Vec<outrigger_api::Problem>| -> Vec<String> {
            problems.iter().map(ToString::to_string).collect()
        };
        let config = Config::read(&json, &PolicyEngine::<POLICIES>::decoders()).map_err(all)?;
        // What memory a VM once has it keeps, so that the most in use at any one time counts.
        drop(json);
        let engine = PolicyEngine::compile(&config).map_err(all)?;
        for warning in engine.warnings() {
            log::warn!("{warning}");
        }
        let counts = const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) };
        let metrics = counts.then(|| Metrics::new(Reporter::new(&config.proxy)));
        Ok(Self {
            engine,
            port: config.proxy.port,
            metrics,
            draws: Cell::new(Draws::Seeded(seed())),
            holds: RefCell::default(),
            started: Instant::now(),
        })
    }

    /// Holds the stream for `duration`, then does `then`.
    pub(crate) fn hold(&self, stream: u32, duration: std::time::Duration, then: Held) {
        let now = self.started.elapsed();
        let next = {
            let mut holds = self.holds.borrow_mut();
            holds.insert(now.saturating_add(duration), stream, then).then(|| holds.next_tick(now))
        };
        if let Some(period) = next {
            set_tick_period(period);
        }
    }

    /// Lets streams go whose time has come.
    pub(crate) fn on_tick(&self) {
        let due = self.holds.borrow_mut().take_due(self.started.elapsed());
        let next = self.holds.borrow().next_tick(self.started.elapsed());
        set_tick_period(next);
        // Last: letting a stream go runs callbacks of its own.
        for (stream, then) in due {
            if abi::set_effective_context(stream).is_err() {
                continue;
            }
            match then {
                Held::Resume => {
                    if let Err(status) = abi::resume_request() {
                        log::error!("envoy did not resume a held request: {status:?}");
                    }
                }
                Held::Reply(reply) => effects::reply(&reply),
            }
        }
    }
}

fn set_tick_period(milliseconds: u32) {
    if let Err(status) = abi::set_tick_period(milliseconds) {
        log::error!("envoy did not set the timer: {status:?}");
    }
}

/// A seed from the host's randomness; should it fail, the time still differs between threads and restarts.
fn seed() -> u64 {
    let now = || abi::current_time().map_or(1, |now| u64::try_from(now.as_nanos()).unwrap_or(1));
    getrandom::u64().unwrap_or_else(|_| now())
}
