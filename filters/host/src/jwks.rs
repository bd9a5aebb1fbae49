//! Keys that are fetched: one thread of the proxy asks, all of them share what it finds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use outrigger_core::jwt::fetch::{self, Location, MAX_BODY, Record, Source, Uri};
use outrigger_core::jwt::{Found, KeySet, KeyStore};
use outrigger_core::telemetry::JwtStat;
use outrigger_core::{Draws, Now};

use crate::abi::{self, Map, Status};
use crate::{headers, jwt_stats};

/// How often each thread looks what others have found.
const LOOK: Duration = Duration::from_secs(1);

/// The same while requests wait for it.
const LOOK_FOR_WAITING: Duration = Duration::from_millis(20);

/// So many requests of one thread wait for keys at most; further ones are answered at once.
const MOST_WAITING: usize = 1000;

/// How often a change of shared data is tried while others change it.
const TRIES: u32 = 16;

/// What one thread has of all sources.
#[derive(Debug)]
pub(crate) struct Jwks {
    each: Vec<RefCell<Local>>,
    waiting: RefCell<Vec<u32>>,
    /// Whether those that wait should be asked about again.
    news: Cell<bool>,
    /// Whether it has looked yet.
    begun: Cell<bool>,
    draws: Cell<Draws>,
}

/// What one thread has of one source.
#[derive(Debug, Default)]
struct Local {
    record: Record,
    /// The keys, and their version.
    keys: Option<(Rc<KeySet>, u64)>,
    call: Option<Call>,
}

/// A request to a server that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Call {
    id: u32,
    asks: Asks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Configuration,
    Keys,
}

impl Jwks {
    /// Nothing is asked yet: Envoy first tries a configuration out in a VM whose answers nobody would get.
    pub(crate) fn new(sources: &[Source], seed: u64) -> Self {
        let each = sources.iter().map(|_| RefCell::default()).collect();
        Self {
            each,
            waiting: RefCell::default(),
            news: Cell::new(false),
            begun: Cell::new(false),
            draws: Cell::new(Draws::Seeded(seed)),
        }
    }

    /// When to call [`Self::look`] next; `None` if there is nothing to look for.
    pub(crate) fn next_look(&self) -> Option<Duration> {
        let waiting = self.waiting.try_borrow().is_ok_and(|waiting| !waiting.is_empty());
        (!self.each.is_empty()).then_some(if waiting { LOOK_FOR_WAITING } else { LOOK })
    }

    /// A request waits for keys.
    pub(crate) fn wait(&self, stream: u32) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.push(stream);
        }
    }

    /// A request waits no longer, or has left.
    pub(crate) fn forget(&self, stream: u32) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.retain(|waits| *waits != stream);
        }
    }

    fn has_room(&self) -> bool {
        self.waiting.try_borrow().is_ok_and(|waiting| waiting.len() < MOST_WAITING)
    }

    /// Asks servers if it is time, and takes over what other threads have found.
    pub(crate) fn look(&self, sources: &[Source], now: Now) {
        if !self.begun.replace(true) {
            for source in sources {
                // Should it fail, the lease runs out.
                _ = change(source, &|record| record.taken_over(now));
            }
        }
        for (source, local) in sources.iter().zip(&self.each) {
            let Ok(mut local) = local.try_borrow_mut() else { continue };
            self.refresh(source, &mut local);
            if local.call.is_none() && local.record.is_due(source, now) {
                self.ask(source, &mut local, &|record| record.is_due(source, now), now);
            }
        }
    }

    /// The requests that wait no longer, since something has changed: they have to be asked about again.
    pub(crate) fn take_ready(&self) -> Vec<u32> {
        if !self.news.take() {
            return Vec::new();
        }
        self.waiting.try_borrow_mut().map(|mut waiting| std::mem::take(&mut *waiting)).unwrap_or_default()
    }

    /// A server has answered a call, so many bytes.
    pub(crate) fn answered(&self, sources: &[Source], id: u32, size: usize, now: Now) {
        for (source, local) in sources.iter().zip(&self.each) {
            let Ok(mut local) = local.try_borrow_mut() else { continue };
            let Some(call) = local.call.take_if(|call| call.id == id) else { continue };
            if let Err(reason) = self.take_answer(source, &mut local, call.asks, size, now) {
                self.failed(source, &mut local, &reason, now);
            }
        }
    }

    /// Takes over what other threads have found.
    fn refresh(&self, source: &Source, local: &mut Local) {
        let record = shared_record(source).0;
        let (before, version) = (local.record, local.keys.as_ref().map_or(0, |(_, version)| *version));
        local.record = record;
        if record.version != version
            && let Some((version, text)) = shared_keys(source)
            // Whoever has shared them has read them.
            && let Ok(keys) = fetch::keys(b"200", &text)
        {
            local.keys = Some((Rc::new(keys), version));
        }
        if (before.version, before.failures) != (record.version, record.failures) {
            self.news.set(true);
        }
    }

    /// Takes the lease, if `wanted` of what is known by then, and asks.
    fn ask(&self, source: &Source, local: &mut Local, wanted: &dyn Fn(&Record) -> bool, now: Now) {
        let leased = change(source, &|record| wanted(&record).then(|| record.leased(source, now)));
        let record = match leased {
            Ok(Some(record)) => record,
            Ok(None) => return,
            Err(status) => return log::error!("keys of {}: {status:?}", source.uri()),
        };
        local.record = record;
        let asks = match source.location {
            Location::Keys(_) => Asks::Keys,
            Location::Discovery(_) => Asks::Configuration,
        };
        if let Err(reason) = call(source, local, source.uri(), asks) {
            self.failed(source, local, &reason, now);
        }
    }

    fn take_answer(
        &self,
        source: &Source,
        local: &mut Local,
        asked: Asks,
        size: usize,
        now: Now,
    ) -> Result<(), String> {
        let header = |name| abi::header(Map::CallResponse, name);
        let status = header(b":status").map_err(|_| "there is no answer".to_owned())?;
        if size > MAX_BODY {
            return Err(format!("the answer has {size} bytes, more than the {MAX_BODY} that are read"));
        }
        let body = match size {
            0 => Vec::new(),
            _ => abi::call_response_body(size).map_err(|status| format!("no body: {status:?}"))?,
        };
        if asked == Asks::Configuration {
            let uri = fetch::discovered(source, &status, &body)?;
            return call(source, local, &uri, Asks::Keys);
        }
        let keys = Rc::new(fetch::keys(&status, &body)?);
        let max_age = header(b"cache-control").ok().and_then(|value| fetch::max_age(&value));
        let known = shared_keys(source);
        let is_new = known.as_ref().is_none_or(|(_, text)| *text != body);
        let version = change(source, &|record| {
            let found = record.found(now, max_age, is_new, self.draw());
            // The keys first: whoever sees their version has to find them.
            if is_new {
                share_keys(source, found.version, &body).ok()?
            }
            Some(found)
        });
        match version {
            Ok(Some(record)) => local.record = record,
            _ => return Err("they can't be shared between threads".to_owned()),
        }
        if is_new || local.keys.is_none() {
            local.keys = Some((keys, local.record.version));
        }
        self.news.set(true);
        jwt_stats::count(JwtStat::FetchSuccess, 1);
        if is_new {
            log::info!("keys of {}: version {}", source.uri(), local.record.version);
        }
        Ok(())
    }

    fn failed(&self, source: &Source, local: &mut Local, reason: &str, now: Now) {
        jwt_stats::count(JwtStat::FetchFailed, 1);
        self.news.set(true);
        match change(source, &|record| Some(record.failed(source, now, self.draw()))) {
            Ok(Some(record)) => local.record = record,
            _ => local.record = local.record.failed(source, now, self.draw()),
        }
        let kept = if local.record.is_usable(source, now) {
            "those that are there are used"
        } else {
            "there are none"
        };
        log::warn!("keys of {}: {reason}; {kept} ({} in a row)", source.uri(), local.record.failures);
    }

    /// Another number each time.
    fn draw(&self) -> u64 {
        let mut draws = self.draws.get();
        let word = draws.word();
        self.draws.set(draws);
        word.into()
    }
}

impl Local {
    fn usable(&self, source: &Source, now: Now) -> Option<Found> {
        let (keys, version) = self.keys.as_ref()?;
        self.record.is_usable(source, now).then(|| Found::Keys(Rc::clone(keys), *version))
    }
}

/// The keys for one request.
#[derive(Debug)]
pub(crate) struct Store<'p> {
    pub(crate) jwks: &'p Jwks,
    pub(crate) sources: &'p [Source],
    pub(crate) now: Now,
    /// Whether the request may still be held.
    pub(crate) may_wait: bool,
}

impl Store<'_> {
    fn local(&self, source: usize) -> Option<(&Source, std::cell::RefMut<'_, Local>)> {
        Some((self.sources.get(source)?, self.jwks.each.get(source)?.try_borrow_mut().ok()?))
    }

    fn wait(&self) -> Found {
        if self.may_wait && self.jwks.has_room() { Found::Wait } else { Found::Failed }
    }
}

impl KeyStore for Store<'_> {
    fn find(&self, source: usize) -> Found {
        let Some((source, mut local)) = self.local(source) else { return Found::Failed };
        if let Some(found) = local.usable(source, self.now) {
            return found;
        }
        self.jwks.refresh(source, &mut local);
        match local.usable(source, self.now) {
            Some(found) => found,
            None if local.record.is_promising() => self.wait(),
            None => Found::Failed,
        }
    }

    fn find_newer(&self, source: usize) -> Found {
        let Some((source, mut local)) = self.local(source) else { return Found::Failed };
        let version = |local: &Local| local.keys.as_ref().map(|(_, version)| *version);
        let before = version(&local);
        self.jwks.refresh(source, &mut local);
        if version(&local) != before {
            return local.usable(source, self.now).unwrap_or(Found::Failed);
        }
        if !self.may_wait || !self.jwks.has_room() {
            return Found::Failed;
        }
        if local.record.may_ask_again(source, self.now) {
            let wanted = |record: &Record| record.may_ask_again(source, self.now);
            self.jwks.ask(source, &mut local, &wanted, self.now);
        }
        if local.record.is_leased(self.now) { Found::Wait } else { Found::Failed }
    }
}

/// Sends the request for `uri`, whose answer is told apart by what it `asks`.
fn call(source: &Source, local: &mut Local, uri: &Uri, asks: Asks) -> Result<(), String> {
    let lines: [(&[u8], &[u8]); 6] = [
        (b":method", b"GET"),
        (b":scheme", uri.scheme().as_bytes()),
        (b":authority", uri.authority().as_bytes()),
        (b":path", uri.path().as_bytes()),
        (b"accept", b"application/json"),
        (b"user-agent", b"outrigger"),
    ];
    let timeout = u32::try_from(source.timeout.as_millis()).unwrap_or(u32::MAX).max(1);
    let call = abi::http_call(uri.cluster(), &headers::serialise(lines.into_iter()), timeout);
    let id = call.map_err(|status| {
        // It looks the host up while it sends.
        format!("envoy can't ask: {status:?}; is there this host, and the cluster `{}`?", uri.cluster())
    })?;
    local.call = Some(Call { id, asks });
    Ok(())
}

fn record_key(source: &Source) -> Vec<u8> {
    format!("outrigger.jwks.state {}", source.uri()).into_bytes()
}

fn keys_key(source: &Source) -> Vec<u8> {
    format!("outrigger.jwks.keys {}", source.uri()).into_bytes()
}

/// What all threads know, and the number to change it with.
fn shared_record(source: &Source) -> (Record, u32) {
    match abi::shared_data(&record_key(source)) {
        Ok((bytes, version)) => (Record::decode(&bytes), version),
        Err(_) => (Record::default(), abi::NOTHING_YET),
    }
}

/// Changes what all threads know to what `next` makes of it; it may be called more than once. `None` leaves it.
fn change(source: &Source, next: &dyn Fn(Record) -> Option<Record>) -> Result<Option<Record>, Status> {
    let mut tries = 0;
    loop {
        let (record, version) = shared_record(source);
        if version == abi::NOTHING_YET {
            // Only one thread gets to create it. The others, and this one, go on from there.
            let created = abi::set_shared_data(&record_key(source), &record.encode(), abi::NOTHING_YET);
            tries += 1;
            match created {
                Err(status) if tries > TRIES => return Err(status),
                _ => continue,
            }
        }
        let Some(record) = next(record) else { return Ok(None) };
        match abi::set_shared_data(&record_key(source), &record.encode(), version) {
            Ok(()) => return Ok(Some(record)),
            Err(status) if tries > TRIES => return Err(status),
            Err(_) => tries += 1,
        }
    }
}

/// The text of the shared key set, and its version.
fn shared_keys(source: &Source) -> Option<(u64, Vec<u8>)> {
    let (mut bytes, _) = abi::shared_data(&keys_key(source)).ok()?;
    let version = u64::from_le_bytes(*bytes.first_chunk()?);
    Some((version, bytes.split_off(size_of::<u64>())))
}

fn share_keys(source: &Source, version: u64, text: &[u8]) -> Result<(), Status> {
    let bytes = [&version.to_le_bytes()[..], text].concat();
    abi::set_shared_data(&keys_key(source), &bytes, 0)
}
