//! What is known of tokens that were seen before, within bounds.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::FixedState;

use super::failure::Failure;
use super::identity::Identity;
use super::token::Token;

/// Longer tokens are not remembered.
const LONGEST: usize = 16 * 1024;

/// What an entry takes beside its token's text, of which it holds some five times the size.
const OVERHEAD: usize = 512;

/// How much is remembered of good tokens.
const GOOD: Bounds = Bounds { entries: 1000, bytes: 4 * 1024 * 1024 };

/// How much is remembered of bad ones, apart: a flood of them displaces no good one.
const BAD: Bounds = Bounds { entries: 500, bytes: 1024 * 1024 };

/// A token that was taken apart, or why it can't be; and what checking its signature has shown.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) token: Result<Rc<Token>, Failure>,
    checks: RefCell<Vec<Check>>,
}

/// The outcome of one rule's check.
#[derive(Debug, Clone)]
struct Check {
    provider: usize,
    /// The version of the keys that it was checked with.
    keys: u64,
    outcome: Result<Rc<Identity>, Failure>,
}

impl Known {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self { token: Token::parse(text).map(Rc::new), checks: RefCell::default() }
    }

    /// What `provider` has found with this version of its keys.
    pub(super) fn outcome(&self, provider: usize, keys: u64) -> Option<Result<Rc<Identity>, Failure>> {
        let checks = self.checks.try_borrow().ok()?;
        let found = checks.iter().find(|check| check.provider == provider && check.keys == keys);
        found.map(|check| check.outcome.clone())
    }

    /// Keeps what `provider` has found, in place of what it had with other keys.
    pub(super) fn keep(&self, provider: usize, keys: u64, outcome: Result<Rc<Identity>, Failure>) {
        if let Ok(mut checks) = self.checks.try_borrow_mut() {
            checks.retain(|check| check.provider != provider);
            checks.push(Check { provider, keys, outcome });
        }
    }

    fn is_good(&self) -> bool {
        self.checks.try_borrow().is_ok_and(|checks| checks.iter().any(|check| check.outcome.is_ok()))
    }
}

/// Tokens by their whole text. Times are checked each time, so that nobody outlives `exp` here.
#[derive(Debug)]
pub struct Cache {
    good: RefCell<Generations>,
    bad: RefCell<Generations>,
    counts: Cell<Counts>,
}

/// What has become of tokens since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Tokens that were known.
    pub hits: u64,
    /// Tokens that were not.
    pub misses: u64,
    /// Entries that made room.
    pub evicted: u64,
}

impl Cache {
    /// An empty one. `seed` should be random, so that nobody can send tokens of one hash on purpose.
    pub fn new(seed: u64) -> Self {
        let generations = |bounds| RefCell::new(Generations::new(bounds, seed));
        Self { good: generations(GOOD), bad: generations(BAD), counts: Cell::default() }
    }

    /// What has been counted since the last call.
    pub fn take_counts(&self) -> Counts {
        self.counts.take()
    }

    /// What is known of this token.
    pub(super) fn find(&self, text: &[u8]) -> Option<Rc<Known>> {
        let find = |side: &RefCell<Generations>| side.try_borrow_mut().ok()?.find(text);
        let found = find(&self.good).or_else(|| find(&self.bad));
        self.count(|counts| match &found {
            Some(_) => counts.hits = counts.hits.saturating_add(1),
            None => counts.misses = counts.misses.saturating_add(1),
        });
        found
    }

    /// Remembers a token.
    pub(super) fn insert(&self, text: &[u8], known: Rc<Known>) {
        if text.len() > LONGEST {
            return;
        }
        let side = if known.is_good() { &self.good } else { &self.bad };
        if let Ok(mut side) = side.try_borrow_mut() {
            let evicted = side.insert(text, known);
            self.count(|counts| counts.evicted = counts.evicted.saturating_add(evicted));
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }
}

/// Of both generations together.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    entries: usize,
    bytes: usize,
}

type Entries = HashMap<Box<[u8]>, Rc<Known>, FixedState>;

/// Two generations: what is found moves to the young one, and when that is full the old one is dropped whole. So those
/// in use stay, for one map operation each.
#[derive(Debug)]
struct Generations {
    young: Entries,
    old: Entries,
    /// What the young generation takes.
    bytes: usize,
    bounds: Bounds,
}

impl Generations {
    fn new(bounds: Bounds, seed: u64) -> Self {
        let entries = || HashMap::with_hasher(FixedState::with_seed(seed));
        Self { young: entries(), old: entries(), bytes: 0, bounds }
    }

    fn find(&mut self, text: &[u8]) -> Option<Rc<Known>> {
        if let Some(known) = self.young.get(text) {
            return Some(Rc::clone(known));
        }
        let (text, known) = self.old.remove_entry(text)?;
        self.add(text, Rc::clone(&known));
        Some(known)
    }

    /// How many entries made room.
    fn insert(&mut self, text: &[u8], known: Rc<Known>) -> u64 {
        self.old.remove(text);
        self.add(text.into(), known)
    }

    fn add(&mut self, text: Box<[u8]>, known: Rc<Known>) -> u64 {
        let size = text.len().saturating_mul(6).saturating_add(OVERHEAD);
        let mut evicted = 0;
        let is_full = self.young.len() >= self.bounds.entries / 2
            || self.bytes.saturating_add(size) > self.bounds.bytes / 2;
        if is_full {
            evicted = u64::try_from(self.old.len()).unwrap_or_default();
            self.old.clear();
            std::mem::swap(&mut self.young, &mut self.old);
            self.bytes = 0;
        }
        if self.young.insert(text, known).is_none() {
            self.bytes = self.bytes.saturating_add(size);
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn good() -> Rc<Known> {
        let known = Known::parse(b"x");
        known.keep(0, 0, Ok(Rc::new(Identity { claims: serde_json::Map::new() })));
        Rc::new(known)
    }

    fn entries(cache: &Cache) -> (usize, usize) {
        let count = |side: &RefCell<Generations>| side.borrow().young.len() + side.borrow().old.len();
        (count(&cache.good), count(&cache.bad))
    }

    #[test]
    fn the_whole_text_counts() {
        let cache = Cache::new(1);
        cache.insert(b"a.b.c", good());
        assert!(cache.find(b"a.b.c").is_some());
        assert!(cache.find(b"a.b.d").is_none());
        assert_eq!(cache.take_counts(), Counts { hits: 1, misses: 1, evicted: 0 });
        assert_eq!(cache.take_counts(), Counts::default());
    }

    #[test]
    fn an_outcome_is_of_one_rule_and_one_version_of_its_keys() {
        let known = good();
        assert!(known.outcome(0, 0).is_some());
        assert!(known.outcome(1, 0).is_none() && known.outcome(0, 1).is_none());
        known.keep(0, 1, Err(Failure::JwtVerificationFail));
        assert!(known.outcome(0, 0).is_none());
        assert_eq!(known.outcome(0, 1).unwrap().unwrap_err(), Failure::JwtVerificationFail);
    }

    #[test]
    fn bad_tokens_displace_no_good_one() {
        let cache = Cache::new(1);
        cache.insert(b"good", good());
        for number in 0..10_000_u32 {
            cache.insert(number.to_string().as_bytes(), Rc::new(Known::parse(b"x")));
        }
        assert!(cache.find(b"good").is_some());
        assert_eq!(entries(&cache), (1, BAD.entries));
        assert_eq!(cache.take_counts().evicted, 9_500);
    }

    #[test]
    fn what_is_used_stays_and_the_rest_makes_room() {
        let cache = Cache::new(1);
        cache.insert(b"used", good());
        for number in 0..5_000_u32 {
            cache.insert(number.to_string().as_bytes(), good());
            assert!(cache.find(b"used").is_some(), "{number}");
        }
        assert!(cache.find(b"0").is_none());
        assert!(entries(&cache).0 <= GOOD.entries);
    }

    #[test]
    fn bytes_are_bounded_and_long_tokens_not_kept() {
        let cache = Cache::new(1);
        for number in 0..1_000_u32 {
            cache.insert(&[&number.to_le_bytes()[..], &[b'a'; 8_000]].concat(), good());
        }
        assert!(entries(&cache).0 <= GOOD.bytes / (6 * 8_004 + OVERHEAD));
        cache.insert(&[b'a'; LONGEST + 1], good());
        assert!(cache.find(&[b'a'; LONGEST + 1]).is_none());
    }
}
