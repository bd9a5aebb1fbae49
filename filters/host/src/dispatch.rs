//! Which configuration and which stream a callback of Envoy's is about.
//!
//! This stands in for the SDK's dispatcher, which looks each stream up in up to three maps, for every callback, and
//! panics on an id that it does not know: a panic takes down the VM of a worker thread. `outrigger-pack` gives these
//! callbacks the ABI's names in its place.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use outrigger_core::PolicySet;
use outrigger_core::authz::ext_authz::Answer;
use proxy_wasm::types::Action;

use crate::ext_authz::Asked;
use crate::plugin::Plugin;
use crate::stream::Stream;
use crate::{abi, authorize, authz_stats, ext_authz};

/// The callbacks of one filter module on one thread.
#[derive(Debug)]
pub struct Dispatcher<const POLICIES: u8> {
    /// By the id of their root context: a few.
    plugins: RefCell<Vec<(u32, Rc<Plugin<POLICIES>>)>>,
    /// Streams that no other callback was about yet, with their root contexts. Mostly it is one: Envoy creates a stream right
    /// before the first callback about it. But where a module stands in a chain twice, requests that the first lets go on
    /// together are all created for the second before it is asked about any.
    created: RefCell<Vec<(u32, u32)>>,
    /// The streams whose request was seen and that have something left to do.
    streams: RefCell<HashMap<u32, Stream<POLICIES>, BuildHasherDefault<IdHasher>>>,
    /// How many contexts may still be created before those that are gone are looked for.
    until_sweep: Cell<u32>,
}

/// The least number of contexts created between two sweeps.
const SWEEP: u32 = 1024;

impl<const POLICIES: u8> Dispatcher<POLICIES> {
    /// Without any configuration.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            plugins: RefCell::new(Vec::new()),
            created: RefCell::new(Vec::new()),
            streams: RefCell::new(HashMap::with_hasher(BuildHasherDefault::new())),
            until_sweep: Cell::new(SWEEP),
        }
    }

    /// A context is there: a stream of the root context `parent`, or a root context if that is 0.
    pub fn on_context_create(&self, context: u32, parent: u32) {
        if parent != 0
            && let Ok(mut created) = self.created.try_borrow_mut()
        {
            created.push((context, parent));
        }
        match self.until_sweep.get().checked_sub(1) {
            Some(left) => self.until_sweep.set(left),
            None => self.sweep(context),
        }
    }

    /// Forgets the contexts that are gone. To be told of each would cost every request an entry into the VM. Configurations
    /// that were replaced go this way, and streams that never came to their last callback.
    #[inline(never)]
    fn sweep(&self, current: u32) {
        let there = |context: u32| abi::set_effective_context(context).is_ok();
        if let Ok(mut plugins) = self.plugins.try_borrow_mut()
            && plugins.len() > 1
        {
            plugins.retain(|(root, _)| there(*root));
        }
        if let Ok(mut created) = self.created.try_borrow_mut() {
            created.retain(|(stream, _)| there(*stream));
        }
        let mut left = 0;
        if let Ok(mut streams) = self.streams.try_borrow_mut() {
            streams.retain(|stream, _| there(*stream));
            left = streams.len();
        }
        // A sweep asks for each stream; with as many new ones in between, that is once for each.
        self.until_sweep.set(u32::try_from(left).unwrap_or(u32::MAX).max(SWEEP));
        if abi::set_effective_context(current).is_err() {
            log::error!("envoy does not know the context that it has created");
        }
    }

    /// Takes the configuration of `root`, so many bytes long. `false` makes Envoy reject it and keep the one before.
    pub fn on_configure(&self, root: u32, size: usize) -> bool {
        // The main thread has configurations and no streams: nothing else would end those that were replaced.
        self.sweep(root);
        let Some(plugin) = Plugin::configured(size) else { return false };
        if let Ok(mut plugins) = self.plugins.try_borrow_mut() {
            plugins.retain(|(id, _)| *id != root);
            plugins.push((root, Rc::new(plugin)));
        }
        true
    }

    /// The timer of `root`.
    pub fn on_tick(&self, root: u32) {
        if let Some(plugin) = self.plugin(root) {
            plugin.on_tick(|stream| self.decide_anew(stream));
        }
    }

    /// A server has answered a call of `root`, so many bytes.
    pub fn on_http_call_response(&self, root: u32, call: u32, size: usize) {
        let Some(plugin) = self.plugin(root) else { return };
        if const { PolicySet::contains_bits(POLICIES, PolicySet::AUTHZ) } {
            let asked = plugin.asked.try_borrow_mut().ok().and_then(|mut asked| asked.remove(&call));
            if let Some(asked) = asked {
                return self.on_verdict(&asked, size);
            }
        }
        plugin.on_answer(call, size);
    }

    /// A server has said what becomes of a request.
    fn on_verdict(&self, asked: &Asked, size: usize) {
        let answer = ext_authz::answer(&asked.provider, size);
        if asked.dry_run {
            let allowed = matches!(answer, Answer::Allowed { .. });
            authz_stats::count_answer(allowed, &asked.rule, true);
        } else if abi::set_effective_context(asked.stream).is_ok() {
            self.resume_with(asked.stream, |stream, after| stream.on_verdict(answer, &asked.rule, after));
        }
    }

    /// Decides a request that was held because it could not be decided.
    fn decide_anew(&self, id: u32) {
        self.resume_with(id, Stream::decide_anew);
    }

    /// Lets `go` have the stream and put it back before the request goes on, which runs callbacks of its own.
    fn resume_with(&self, id: u32, go: impl FnOnce(Stream<POLICIES>, &dyn Fn(Stream<POLICIES>))) {
        let held = self.streams.try_borrow_mut().ok().and_then(|mut streams| {
            let stream = streams.get_mut(&id)?;
            let stand_in = stream.stand_in();
            Some(std::mem::replace(stream, stand_in))
        });
        let Some(stream) = held else { return };
        go(stream, &|stream| {
            let Ok(mut streams) = self.streams.try_borrow_mut() else { return };
            // It may have ended in the meantime.
            if let Some(stand_in) = streams.get_mut(&id) {
                if stream.has_more_to_do() {
                    *stand_in = stream;
                } else {
                    streams.remove(&id);
                }
            }
        });
    }

    /// A request's headers are there.
    pub fn on_request_headers(&self, id: u32) -> Action {
        let plugin = self.plugin_of(id);
        if const { POLICIES == PolicySet::AUTHZ.bits() }
            && let Some(plugin) = &plugin
            && plugin.engine.customs().is_empty()
        {
            return authorize::at_once(plugin);
        }
        self.begin(plugin, id)
    }

    /// A stream begins.
    #[inline(never)]
    fn begin(&self, plugin: Option<Rc<Plugin<POLICIES>>>, id: u32) -> Action {
        let mut stream = Stream::new(plugin, id);
        let action = stream.on_request_headers();
        if stream.has_more_to_do()
            && let Ok(mut streams) = self.streams.try_borrow_mut()
        {
            streams.insert(id, stream);
        }
        action
    }

    /// The headers of the response to `id` are there.
    pub fn on_response_headers(&self, id: u32) -> Action {
        if let Ok(mut streams) = self.streams.try_borrow_mut()
            && let Some(stream) = streams.get_mut(&id)
        {
            return stream.on_response_headers();
        }
        Action::Continue
    }

    /// A stream has ended.
    pub fn on_log(&self, id: u32) {
        let seen = self.streams.try_borrow_mut().ok().and_then(|mut streams| streams.remove(&id));
        let stream = seen.unwrap_or_else(|| Stream::unseen(self.plugin_of(id), id));
        stream.on_log();
    }

    fn plugin(&self, root: u32) -> Option<Rc<Plugin<POLICIES>>> {
        let plugins = self.plugins.try_borrow().ok()?;
        plugins.iter().find(|(id, _)| *id == root).map(|(_, plugin)| Rc::clone(plugin))
    }

    /// The configuration of a stream that was just created.
    fn plugin_of(&self, stream: u32) -> Option<Rc<Plugin<POLICIES>>> {
        let mut created = self.created.try_borrow_mut().ok()?;
        let at = created.iter().rposition(|(other, _)| *other == stream)?;
        let (_, root) = created.swap_remove(at);
        self.plugin(root)
    }
}

impl<const POLICIES: u8> Default for Dispatcher<POLICIES> {
    fn default() -> Self {
        Self::new()
    }
}

/// Spreads context ids, which Envoy hands out one after the other.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        // Knuth's multiplicative hash, in the upper half too, where the map looks first.
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
