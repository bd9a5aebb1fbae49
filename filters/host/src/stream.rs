//! One request: read once, decided once, its effects applied.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_api::DecisionRecord;
use outrigger_core::authz::ext_authz::Answer;
use outrigger_core::fault::Moment;
use outrigger_core::jwt::{Identity, Means, NoKeys, claims_from_json};
use outrigger_core::route::{Choice, Kept, ResponseChanges};
use outrigger_core::telemetry::ResponseFlags;
use outrigger_core::{Attributes, Draws, HeaderOp, Now, Outcome, PolicySet, Request, RuleRef, authz};
use proxy_wasm::types::Action;

use crate::abi::{self, Map};
use crate::connection::{self, HostLookup};
use crate::ending::Ending;
use crate::ext_authz::Asked;
use crate::fault_stats::ActiveFault;
use crate::jwks::Store;
use crate::measured::Measured;
use crate::plugin::{Held, Plugin, resume};
use crate::signature::HostVerifier;
use crate::{authorize, authz_stats, effects, ext_authz, fault_stats, jwt_stats, property, record};

/// Filter state that carries the verified claims from one stand-alone filter to the next, and into access logs, as
/// `%FILTER_STATE(wasm.outrigger.claims:PLAIN)%` prints them.
pub(crate) const CLAIMS: &[u8] = b"outrigger.claims";

/// What asking a server about a request leads to.
enum Asking {
    /// The request waits, or is answered.
    Waits,
    /// The request is to be looked at again.
    Anew,
    /// The request goes on as it is.
    Goes,
}

/// A request on its way through one plugin.
#[derive(Debug)]
pub(crate) struct Stream<const POLICIES: u8> {
    plugin: Option<Rc<Plugin<POLICIES>>>,
    id: u32,
    measured: Measured,
    flags: ResponseFlags,
    held: bool,
    /// A server is being asked about it.
    asked: bool,
    /// A server has let it pass, or none has to be asked.
    may_pass: bool,
    /// How long it may wait for keys, once it does.
    waits_until: Option<Instant>,
    /// Ends with the request.
    fault: Option<Box<ActiveFault>>,
    /// What the response gets besides `response`.
    response_extras: Vec<HeaderOp<'static>>,
    response: Option<ResponseChanges>,
}

impl<const POLICIES: u8> Stream<POLICIES> {
    pub(crate) fn new(plugin: Option<Rc<Plugin<POLICIES>>>, id: u32) -> Self {
        Self {
            plugin,
            id,
            measured: Measured::new(),
            flags: ResponseFlags::default(),
            held: false,
            asked: false,
            may_pass: false,
            waits_until: None,
            fault: None,
            response_extras: Vec::new(),
            response: None,
        }
    }

    /// One that has ended before anything was known of it: Envoy or a filter before this one has answered it.
    pub(crate) fn unseen(plugin: Option<Rc<Plugin<POLICIES>>>, id: u32) -> Self {
        let mut stream = Self::new(plugin, id);
        if const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) } {
            stream.measured.ask_protocol();
        }
        stream
    }

    /// Decides the request. An error is a reason why it can't be decided.
    fn decide(&mut self, plugin: &Plugin<POLICIES>) -> Result<Action, &'static str> {
        if plugin.engine.is_idle() {
            if let Some(metrics) = plugin.metrics() {
                self.measured.on_request(metrics);
            }
            return Ok(Action::Continue);
        }
        connection::with_request(plugin.engine.attributes(), plugin.listener, |request| {
            self.decide_request(request, plugin)
        })?
    }

    fn decide_request(
        &mut self,
        request: &Request<'_>,
        plugin: &Plugin<POLICIES>,
    ) -> Result<Action, &'static str> {
        // No rule about tokens asks for what could be missing.
        if const { POLICIES != PolicySet::JWT.bits() } {
            plugin.surroundings.on_request(request);
        }
        if let Some(metrics) = plugin.metrics() {
            self.measured.on_headers(request.headers(), request.is_grpc(), metrics);
        }
        if const { PolicySet::contains_bits(POLICIES, PolicySet::AUTHZ) } && !self.may_pass {
            for ask in plugin.engine.customs().iter().filter_map(|custom| custom.ask(request)) {
                match self.ask(&ask, request, plugin)? {
                    Asking::Waits => return Ok(Action::Pause),
                    // The server may have changed its headers.
                    Asking::Anew => return self.decide(plugin),
                    Asking::Goes => {}
                }
            }
        }
        // What the others need does not have to be there.
        if const { POLICIES == PolicySet::AUTHZ.bits() } {
            return Ok(authorize::decide(request, plugin));
        }
        let now = match plugin.engine.needs_time() {
            true => *self.measured.decided.insert(abi::current_time().map_err(|_| "outrigger_no_time")?),
            false => Duration::ZERO,
        };
        let mut draws = plugin.draws.replace(Draws::default());
        let identity = received_identity::<POLICIES>(plugin.engine.attributes());
        let moment = Moment { now: Now(now), active: &fault_stats::Gauges };
        let tokens = plugin.tokens();
        let store = tokens.map(|tokens| Store {
            jwks: &tokens.jwks,
            sources: plugin.engine.key_sources(),
            now: Now(now),
            may_wait: self.waits_until.is_none_or(|until| Instant::now() < until),
        });
        let means = Means {
            verifier: &HostVerifier,
            keys: store.as_ref().map_or(&NoKeys, |store| store),
            cache: tokens.map(|tokens| &tokens.cache),
        };
        let mut verdict = plugin.engine.request(request, identity, &mut draws, moment, &means);
        plugin.draws.set(draws);
        if let Some(tokens) = tokens {
            jwt_stats::count_tokens(&tokens.cache);
        }
        if Self::VERIFIES
            && let Some((failure, rule)) = verdict.jwt.as_ref().and_then(|jwt| jwt.shadow.as_ref())
        {
            jwt_stats::would_refuse(failure, rule);
        }

        if const { PolicySet::contains_bits(POLICIES, PolicySet::AUTHZ) }
            && let Some(decision) = &verdict.authz
        {
            let extra = authorize::tell(decision, &plugin.record, &mut verdict.outcome);
            self.response_extras.extend(extra);
        }
        if plugin.record.filter_state && verdict.outcome != Outcome::Wait {
            record::leave::<POLICIES>(&verdict);
        }
        if let Some(injection) = &verdict.fault {
            self.flags = injection.flags();
            self.fault = Some(Box::new(ActiveFault::new(injection, self.flags)));
        }
        // Also of a request that is answered here: its log should say whose it was.
        if Self::VERIFIES
            && let Some(identity) = verdict.jwt.as_ref().and_then(|jwt| jwt.identity.as_deref())
        {
            pass_on_identity(identity)?;
        }
        let counts = const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) };
        if counts || plugin.surroundings.asks_for_route() {
            self.measured.cluster =
                verdict.route.as_ref().and_then(Choice::shared_cluster).or(verdict.missed);
            self.measured.answered = matches!(verdict.outcome, Outcome::Reply(_));
        }
        match verdict.outcome {
            Outcome::Wait => {
                let now = Instant::now();
                let until = *self.waits_until.get_or_insert_with(|| now + verdict.hold);
                self.held = true;
                plugin.hold_for_keys(self.id, until.saturating_duration_since(now));
                return Ok(Action::Pause);
            }
            Outcome::Reply(reply) if verdict.hold.is_zero() => {
                effects::reply(&reply);
                return Ok(Action::Pause);
            }
            Outcome::Reply(reply) => {
                self.held = true;
                plugin.hold(self.id, verdict.hold, Held::Reply(reply.into_owned()));
                return Ok(Action::Pause);
            }
            Outcome::Forward(ops) => {
                effects::change(Map::Request, &ops).map_err(|_| "outrigger_header_change_failed")?;
            }
        }
        if const { PolicySet::contains_bits(POLICIES, PolicySet::ROUTE) } {
            let kept = verdict.route.as_ref().and_then(|route| route.kept.as_ref());
            self.response_extras.extend(kept.and_then(Kept::set_cookie));
        }
        self.response = verdict.response;
        if verdict.hold.is_zero() {
            self.measured.sent = true;
            return Ok(Action::Continue);
        }
        self.held = true;
        plugin.hold(self.id, verdict.hold, Held::Resume);
        Ok(Action::Pause)
    }

    /// Asks a server about the request.
    fn ask(
        &mut self,
        ask: &authz::Ask<'_>,
        request: &Request<'_>,
        plugin: &Plugin<POLICIES>,
    ) -> Result<Asking, &'static str> {
        let (rule, dry_run) = (ask.rule, ask.dry_run);
        match ext_authz::ask(ask.provider, request) {
            Ok(call) => {
                let provider = Arc::clone(ask.provider);
                let asked = Asked { stream: self.id, provider, rule: rule.clone(), dry_run };
                plugin.asked.try_borrow_mut().map_err(|_| "outrigger_nobody_asked")?.insert(call, asked);
                (self.asked, self.may_pass) = (!dry_run, dry_run);
                Ok(if dry_run { Asking::Goes } else { Asking::Waits })
            }
            Err(answer) if dry_run => {
                authz_stats::count_answer(matches!(answer, Answer::Allowed { .. }), rule, true);
                self.may_pass = true;
                Ok(Asking::Goes)
            }
            Err(answer) => self.take_verdict(answer, rule, &plugin.record),
        }
    }

    /// Does what a server has said.
    fn take_verdict(
        &mut self,
        answer: Answer,
        rule: &RuleRef,
        told: &DecisionRecord,
    ) -> Result<Asking, &'static str> {
        self.asked = false;
        self.may_pass = matches!(answer, Answer::Allowed { .. });
        authz_stats::count_answer(self.may_pass, rule, false);
        match answer {
            Answer::Allowed { upstream, downstream } => {
                effects::change(Map::Request, &upstream).map_err(|_| "outrigger_header_change_failed")?;
                self.response_extras.extend(downstream);
                Ok(Asking::Anew)
            }
            Answer::Denied(mut reply) => {
                let record = authz::record(false, authz::Action::Custom, Some(rule));
                if told.filter_state {
                    record::leave_answer(&record);
                }
                if let Some(name) = &told.response_header {
                    reply.headers.push((name.clone().into(), record.into_bytes().into()));
                }
                effects::reply(&reply);
                Ok(Asking::Waits)
            }
        }
    }

    /// A server has answered; `after` is called before the request goes on.
    pub(crate) fn on_verdict(mut self, answer: Answer, rule: &RuleRef, after: &dyn Fn(Self)) {
        let Some(plugin) = self.plugin.clone().filter(|_| self.asked) else { return after(self) };
        match self.take_verdict(answer, rule, &plugin.record) {
            Ok(Asking::Anew) => self.decide_anew(after),
            Ok(Asking::Waits | Asking::Goes) => after(self),
            Err(reason) => {
                effects::refuse(reason);
                after(self);
            }
        }
    }
}

/// Those that Envoy has set.
fn response_flags() -> ResponseFlags {
    let flags = property::integer(b"response\0flags").and_then(|flags| u64::try_from(flags).ok());
    ResponseFlags(flags.unwrap_or(0))
}

/// The identity that a stand-alone JWT filter before this one has verified.
pub(crate) fn received_identity<const POLICIES: u8>(wanted: Attributes) -> Option<Identity> {
    if PolicySet::contains_bits(POLICIES, PolicySet::JWT) || !wanted.contains(Attributes::CLAIMS) {
        return None;
    }
    claims_from_json(&property::bytes(CLAIMS)?)
}

/// Leaves the identity to the filters behind this one, and to access logs.
fn pass_on_identity(identity: &Identity) -> Result<(), &'static str> {
    abi::set_property(CLAIMS, identity.to_json()).map_err(|_| "outrigger_claims_not_passed_on")
}

impl<const POLICIES: u8> Stream<POLICIES> {
    const VERIFIES: bool = PolicySet::contains_bits(POLICIES, PolicySet::JWT);

    /// What stands for this stream while it is decided anew.
    pub(crate) fn stand_in(&self) -> Self {
        let mut stream = Self::new(self.plugin.clone(), self.id);
        stream.measured = self.measured.clone();
        stream
    }

    /// Decides the request, which has been held for that, and carries the decision out. `after` is called before it goes
    /// on.
    pub(crate) fn decide_anew(mut self, after: &dyn Fn(Self)) {
        self.held = false;
        self.waits_no_longer();
        let action = self.on_request_headers();
        after(self);
        if action == Action::Continue {
            resume();
        }
    }

    /// Decides the request and carries the decision out.
    pub(crate) fn on_request_headers(&mut self) -> Action {
        let decided = match self.plugin.clone() {
            Some(plugin) => self.decide(&plugin),
            None => Err("outrigger_not_configured"),
        };
        decided.unwrap_or_else(|reason| {
            effects::refuse(reason);
            Action::Pause
        })
    }

    /// Whether anything is left to do for the stream after its request headers.
    pub(crate) fn has_more_to_do(&self) -> bool {
        let counts = const { PolicySet::contains_bits(POLICIES, PolicySet::METRICS) };
        let watched = self.plugin.as_ref().is_some_and(|plugin| plugin.surroundings.asks_for_route());
        let responds = self.response.is_some() || !self.response_extras.is_empty();
        counts || watched || responds || self.held || self.asked || self.fault.is_some()
    }

    /// Changes the response headers.
    pub(crate) fn on_response_headers(&mut self) -> Action {
        if let Some(metrics) = self.plugin.as_ref().and_then(|plugin| plugin.metrics()) {
            self.measured.on_response(metrics);
        }
        if let Some(plugin) = &self.plugin
            && plugin.surroundings.asks_for_route()
            && let Some(chosen) = &self.measured.cluster
        {
            plugin.surroundings.on_response(chosen);
        }
        if let Some(changes) = self.response.take()
            && let Err(status) = effects::change(Map::Response, &changes.ops(&HostLookup))
        {
            log::error!("response headers not changed: {status:?}");
        }
        if let Err(status) = effects::change(Map::Response, &std::mem::take(&mut self.response_extras)) {
            log::error!("response headers not set: {status:?}");
        }
        Action::Continue
    }

    /// Counts the request.
    pub(crate) fn on_log(&self) {
        if self.fault.is_some() {
            // Only now is known what else has happened to the request.
            fault_stats::log_flags(self.flags.with(response_flags()));
        }
        let Some(plugin) = &self.plugin else { return };
        if let Some(metrics) = plugin.metrics() {
            let entry_namespace = |host: &str| plugin.engine.entry_namespace(host).map(str::to_owned);
            let injected = |ending: &Ending| match const { POLICIES == PolicySet::METRICS.bits() } {
                true => fault_stats::received_flags(ending),
                false => self.flags,
            };
            self.measured.on_log(metrics, injected, entry_namespace);
        }
    }
}

impl<const POLICIES: u8> Stream<POLICIES> {
    /// Leaves its place among those that wait for keys, if it has one, to others.
    fn waits_no_longer(&self) {
        if let Some(tokens) = self.plugin.as_ref().and_then(|plugin| plugin.tokens()) {
            tokens.jwks.forget(self.id);
        }
    }
}

impl<const POLICIES: u8> Drop for Stream<POLICIES> {
    fn drop(&mut self) {
        if self.held
            && let Some(plugin) = &self.plugin
        {
            self.waits_no_longer();
            if let Ok(mut holds) = plugin.holds.try_borrow_mut() {
                holds.remove(self.id);
            }
        }
    }
}
