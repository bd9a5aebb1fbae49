//! One configuration of a filter on one thread: the compiled engine and what its requests share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use outrigger_api::{Config, DecisionRecord, select};
use outrigger_core::authz::{self, ext_authz::unaskable};
use outrigger_core::jwt::Cache;
use outrigger_core::telemetry::Reporter;
use outrigger_core::{Draws, Now, PolicyEngine, PolicySet, Reply};

use crate::connection::Listener;
use crate::ext_authz::Asked;
use crate::holds::Holds;
use crate::jwks::Jwks;
use crate::metrics::Metrics;
use crate::surroundings::Surroundings;
use crate::{abi, effects, record};

/// What a held request does when its time has come.
#[derive(Debug)]
pub(crate) enum Held {
    /// It goes on.
    Resume,
    /// It is answered.
    Reply(Reply<'static>),
    /// It is decided anew.
    Decide,
}

/// What verifying tokens takes from one request to the next.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) jwks: Jwks,
    pub(crate) cache: Cache,
}

/// Everything that the requests of one configuration share.
#[derive(Debug)]
pub(crate) struct Plugin<const POLICIES: u8> {
    pub(crate) engine: PolicyEngine<POLICIES>,
    pub(crate) listener: Listener,
    pub(crate) record: DecisionRecord,
    metrics: Option<Metrics>,
    pub(crate) surroundings: Surroundings,
    pub(crate) draws: Cell<Draws>,
    pub(crate) holds: RefCell<Holds<Held>>,
    /// What servers are asked about requests, by the number of the call. Each call ends with an answer or its timeout.
    pub(crate) asked: RefCell<HashMap<u32, Asked>>,
    /// `None` without any rule about tokens.
    tokens: Option<Tokens>,
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
        for policy in &config.resources {
            if select::is_stray(policy, &config.proxy) {
                log::warn!("{} is not for this proxy", policy.id());
            }
        }
        let engine = PolicyEngine::compile(&config).map_err(all)?;
        for warning in engine.warnings() {
            log::warn!("{warning}");
        }
        let responds = const { PolicySet::contains_bits(POLICIES, PolicySet::ROUTE) };
        if const { PolicySet::contains_bits(POLICIES, PolicySet::AUTHZ) } {
            for authz::Custom { provider, .. } in engine.customs() {
                if let Some(reason) = unaskable(provider, responds) {
                    return Err(vec![format!(
                        "extension provider `{}` can't be asked: {reason}",
                        provider.name
                    )]);
                }
            }
        }
        if config.decision_record.response_header.is_some() && !responds {
            // Only modules that route are told of responses: it costs every request an entry into the VM.
            log::warn!(
                "decisionRecord.responseHeader: this filter sets it on refusals only, the suite always"
            );
        }
        let counts = const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) };
        let metrics = counts.then(|| {
            let reporter = Reporter::new(&config.proxy, engine.overrides().clone());
            Metrics::new(reporter, config.metrics.max_series, seed())
        });
        let metrics = metrics.transpose().map_err(|problem| vec![problem])?;
        let tokens = engine
            .verifies_tokens()
            .then(|| Tokens { jwks: Jwks::new(engine.key_sources(), seed()), cache: Cache::new(seed()) });
        if !engine.key_sources().is_empty() {
            // The first look comes soon, and not in the VM in which Envoy only tries this out.
            set_tick_period(1);
        }
        record::declare();
        Ok(Self {
            surroundings: Surroundings::new(&engine, &config),
            engine,
            tokens,
            asked: RefCell::default(),
            listener: Listener::from(&config.proxy),
            record: config.decision_record,
            metrics,
            draws: Cell::new(Draws::Seeded(seed())),
            holds: RefCell::default(),
            started: Instant::now(),
        })
    }

    /// The metrics, which the modules of the other policies have no code for.
    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref().filter(|_| const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) })
    }

    /// What verifying tokens takes, which the modules of the other policies have no code for.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref().filter(|_| const { PolicySet::contains_bits(POLICIES, PolicySet::JWT) })
    }

    /// Holds the stream for `duration`, then does `then`.
    pub(crate) fn hold(&self, stream: u32, duration: Duration, then: Held) {
        let now = self.started.elapsed();
        let is_first = self.holds.borrow_mut().insert(now.saturating_add(duration), stream, then);
        if is_first {
            self.set_timer(now);
        }
    }

    /// Holds the stream until keys are there, for `longest` at most; then it is decided anew.
    pub(crate) fn hold_for_keys(&self, stream: u32, longest: Duration) {
        if let Some(tokens) = self.tokens() {
            tokens.jwks.wait(stream);
        }
        let now = self.started.elapsed();
        self.holds.borrow_mut().insert(now.saturating_add(longest), stream, Held::Decide);
        self.set_timer(now);
    }

    /// A server has answered a call of this plugin's.
    pub(crate) fn on_answer(&self, call: u32, size: usize) {
        let (Some(tokens), Some(now)) = (self.tokens(), self.wall_clock()) else { return };
        tokens.jwks.answered(self.engine.key_sources(), call, size, now);
        self.hasten();
    }

    /// Lets streams go whose time has come. `decide` is for those that have to be decided anew.
    pub(crate) fn on_tick(&self, decide: impl Fn(u32)) {
        if let (Some(tokens), Some(now)) = (self.tokens(), self.wall_clock()) {
            tokens.jwks.look(self.engine.key_sources(), now);
        }
        self.hasten();
        let due = self.holds.borrow_mut().take_due(self.started.elapsed());
        self.set_timer(self.started.elapsed());
        // Last: letting a stream go runs callbacks of its own.
        for (stream, then) in due {
            if abi::set_effective_context(stream).is_err() {
                continue;
            }
            match then {
                Held::Resume => resume(),
                Held::Reply(reply) => effects::reply(&reply),
                Held::Decide => decide(stream),
            }
        }
    }

    /// Has the streams decided soon that wait for keys, if there is anything new.
    fn hasten(&self) {
        let ready = self.tokens().map(|tokens| tokens.jwks.take_ready()).unwrap_or_default();
        if ready.is_empty() {
            return;
        }
        let now = self.started.elapsed();
        let mut holds = self.holds.borrow_mut();
        ready.into_iter().for_each(|stream| holds.hasten(now, stream));
        drop(holds);
        self.set_timer(now);
    }

    fn set_timer(&self, now: Duration) {
        let due = self.holds.borrow().next_tick(now);
        let look = self.tokens().and_then(|tokens| tokens.jwks.next_look());
        let look = look.map_or(0, |look| u32::try_from(look.as_millis()).unwrap_or(u32::MAX));
        // 0 is no timer.
        set_tick_period(if due == 0 || look == 0 { due.max(look) } else { due.min(look) });
    }

    fn wall_clock(&self) -> Option<Now> {
        let sources = !self.engine.key_sources().is_empty();
        sources.then(|| abi::current_time().map(Now).ok()).flatten()
    }
}

/// Lets the current stream go on.
pub(crate) fn resume() {
    if let Err(status) = abi::resume_request() {
        log::error!("envoy did not resume a held request: {status:?}");
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
