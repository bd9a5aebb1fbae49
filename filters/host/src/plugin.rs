//! One configuration of a filter on one thread: the compiled engine and what its requests share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use outrigger_api::Config;
use outrigger_core::telemetry::Reporter;
use outrigger_core::{Draws, PolicyEngine, PolicySet, Reply};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::holds::Holds;
use crate::metrics::Metrics;
use crate::stream::Stream;
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
    /// Compiles a configuration, or says everything that is wrong with it.
    fn new(json: &[u8]) -> Result<Self, Vec<String>> {
        let all = |problems: Vec<outrigger_api::Problem>| -> Vec<String> {
            problems.iter().map(ToString::to_string).collect()
        };
        let config = Config::read(json, &PolicyEngine::<POLICIES>::decoders()).map_err(all)?;
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

    fn on_tick(&self) {
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

struct Root<const POLICIES: u8> {
    plugin: Option<Rc<Plugin<POLICIES>>>,
}

impl<const POLICIES: u8> Context for Root<POLICIES> {}

impl<const POLICIES: u8> RootContext for Root<POLICIES> {
    /// Takes a configuration. `false` makes Envoy reject the update and keep the one before.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = match abi::plugin_configuration(size) {
            Ok(json) => json,
            Err(status) => {
                log::error!("configuration rejected: envoy does not hand it over: {status:?}");
                return false;
            }
        };
        match Plugin::new(&json) {
            Ok(plugin) => {
                self.plugin = Some(Rc::new(plugin));
                true
            }
            Err(problems) => {
                log::error!("configuration rejected, {} problem(s):", problems.len());
                for problem in problems {
                    log::error!("{problem}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(plugin) = &self.plugin {
            plugin.on_tick();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.plugin.clone(), context_id)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Registers the root context with the SDK.
pub(crate) fn register<const POLICIES: u8>() {
    proxy_wasm::set_root_context(|_| Box::new(Root::<POLICIES> { plugin: None }));
}
