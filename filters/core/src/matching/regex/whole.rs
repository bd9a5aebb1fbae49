//! Expressions that the whole of a value must match: one, or many at once.

use std::sync::Arc;

use regex_automata::hybrid::dfa::{Cache as DfaCache, DFA};
use regex_automata::nfa::thompson::NFA;
use regex_automata::nfa::thompson::pikevm::{Cache as VmCache, PikeVM};
use regex_automata::{Anchored, Input, MatchKind, PatternSet};

use super::caches::Caches;

/// An automaton that rebuilds its states so often that each serves for fewer bytes than this is slower than the
/// virtual machine.
const LEAST_BYTES_PER_STATE: usize = 10;
/// How often the automaton's states are thrown away before that is looked at.
const LEAST_CLEARINGS: usize = 3;

/// One compiled expression. It is searched for with an automaton that is built as values come by, and where that
/// does not pay with a virtual machine.
#[derive(Debug, Clone)]
pub struct Regex(Arc<Engine>);

/// Several compiled expressions, numbered in order.
#[derive(Debug, Clone)]
pub struct RegexSet(Arc<Engine>);

#[derive(Debug)]
struct Engine {
    /// `None`: the expression is too large for it.
    automaton: Option<DFA>,
    machine: PikeVM,
    caches: Caches<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    automaton: Option<DfaCache>,
    machine: Option<VmCache>,
}

impl Regex {
    /// `nfa` is of one expression with its anchors, `cache_capacity` the bytes for the automaton's states.
    pub(super) fn new(nfa: NFA, cache_capacity: usize) -> Option<Self> {
        Engine::new(nfa, cache_capacity).map(Arc::new).map(Self)
    }

    /// Whether the whole of `value` matches.
    pub fn is_match(&self, value: &[u8]) -> bool {
        let engine = &*self.0;
        let input = Input::new(value).anchored(Anchored::Yes).earliest(true);
        engine.caches.lend(Cache::default, |cache| {
            let quick = engine.automaton.as_ref().and_then(|dfa| {
                let cache = cache.automaton.get_or_insert_with(|| dfa.create_cache());
                dfa.try_search_fwd(cache, &input).ok()
            });
            match quick {
                Some(found) => found.is_some(),
                None => engine.machine.is_match(engine.machine_cache(cache), input),
            }
        })
    }
}

impl RegexSet {
    /// As [`Regex::new`], with any number of expressions.
    pub(super) fn new(nfa: NFA, cache_capacity: usize) -> Option<Self> {
        Engine::new(nfa, cache_capacity).map(Arc::new).map(Self)
    }

    /// The numbers of the expressions that match the whole of `value`, ascending.
    pub fn matches(&self, value: &[u8]) -> Vec<usize> {
        let engine = &*self.0;
        let input = Input::new(value).anchored(Anchored::Yes);
        let mut found = PatternSet::new(engine.machine.get_nfa().pattern_len());
        engine.caches.lend(Cache::default, |cache| {
            let quick = engine.automaton.as_ref().and_then(|dfa| {
                let cache = cache.automaton.get_or_insert_with(|| dfa.create_cache());
                dfa.try_which_overlapping_matches(cache, &input, &mut found).ok()
            });
            if quick.is_none() {
                found.clear();
                engine.machine.which_overlapping_matches(engine.machine_cache(cache), &input, &mut found);
            }
        });
        found.iter().map(|pattern| pattern.as_usize()).collect()
    }
}

impl Engine {
    fn new(nfa: NFA, cache_capacity: usize) -> Option<Self> {
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(cache_capacity)
            .minimum_cache_clear_count(Some(LEAST_CLEARINGS))
            .minimum_bytes_per_state(Some(LEAST_BYTES_PER_STATE));
        let automaton = DFA::builder().configure(config).build_from_nfa(nfa.clone()).ok();
        let machine =
            PikeVM::builder().configure(PikeVM::config().match_kind(MatchKind::All)).build_from_nfa(nfa);
        Some(Self { automaton, machine: machine.ok()?, caches: Caches::default() })
    }

    fn machine_cache<'c>(&self, cache: &'c mut Cache) -> &'c mut VmCache {
        cache.machine.get_or_insert_with(|| self.machine.create_cache())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::{SIZE_LIMIT, nfa};
    use super::*;
    use regex_automata::nfa::thompson::WhichCaptures;

    const PATTERNS: [&str; 4] = [r"\A(?:a|ab)\z", r"\A(?:[a-z]*)\z", r"\A(?:)\z", r"\A(?:(?i)A.*b)\z"];
    const VALUES: [&[u8]; 6] = [b"", b"a", b"ab", b"aXb", b"abc", b"\xff"];

    /// With a cache too small for the automaton the virtual machine alone answers.
    fn set(patterns: &[&str], cache_capacity: usize) -> RegexSet {
        let nfa = nfa(patterns, WhichCaptures::None, SIZE_LIMIT).unwrap();
        RegexSet::new(nfa, cache_capacity).unwrap()
    }

    #[test]
    fn both_engines_find_the_same() {
        let (with, without) = (set(&PATTERNS, 1 << 20), set(&PATTERNS, 0));
        assert!(with.0.automaton.is_some() && without.0.automaton.is_none());
        for value in VALUES {
            let alone = PATTERNS.iter().enumerate().filter(|(_, pattern)| {
                let single = |capacity| {
                    let nfa = nfa(&[**pattern], WhichCaptures::None, SIZE_LIMIT).unwrap();
                    Regex::new(nfa, capacity).unwrap().is_match(value)
                };
                assert_eq!(single(0), single(1 << 20), "{pattern} on {}", value.escape_ascii());
                single(0)
            });
            let alone: Vec<usize> = alone.map(|(number, _)| number).collect();
            assert_eq!(with.matches(value), alone, "{}", value.escape_ascii());
            assert_eq!(without.matches(value), alone, "{}", value.escape_ascii());
        }
        assert_eq!(with.matches(b"ab"), [0, 1, 3]);
        assert_eq!(with.matches(b""), [1, 2]);
    }

    #[test]
    fn an_automaton_that_gives_up_changes_nothing() {
        let patterns: Vec<String> =
            (0..40).map(|n| format!(r"\A(?:.*[a-{}].{{{n}}}x.*)\z", char::from(b'b' + n % 20))).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let (small, none) = (set(&patterns, 1 << 17), set(&patterns, 0));
        assert!(small.0.automaton.is_some());
        let value: Vec<u8> = (0..4000_u32).map(|at| b'a' + (at * at / 7 % 26) as u8).collect();
        for from in [0, 1000, 3900] {
            assert_eq!(small.matches(&value[from..]), none.matches(&value[from..]));
        }
    }
}
