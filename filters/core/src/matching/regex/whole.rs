//! Expressions that the whole of a value must match: one, or many at once.

use std::sync::{Arc, OnceLock};

use outrigger_api::re2::Expression;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache as DfaCache, DFA};
use regex_automata::nfa::thompson::NFA;
use regex_automata::nfa::thompson::pikevm::{Cache as VmCache, PikeVM};
use regex_automata::{Anchored, Input, MatchKind, PatternSet};

use super::caches::Caches;
use super::{parse, shared};

/// Bytes of lazily built automaton that an expression or a set may keep.
const CACHE: usize = 2 << 20;
/// The same, more for each state of the automaton that it is built from, most of which is scratch space.
const CACHE_OF_EACH: usize = 32;
/// An automaton that rebuilds its states so often that each serves for fewer bytes than this is slower than the
/// virtual machine.
const LEAST_BYTES_PER_STATE: usize = 10;
/// How often the automaton's states are thrown away before that is looked at.
const LEAST_CLEARINGS: usize = 3;

/// One expression, compiled when it is first searched for. It is searched for with an automaton that is built as
/// values come by, and where that does not pay with a virtual machine.
#[derive(Debug, Clone)]
pub struct Regex(Arc<Single>);

#[derive(Debug)]
struct Single {
    source: Box<str>,
    /// What matches begin with: most values that do not match fail here already.
    start: Box<[u8]>,
    engine: OnceLock<Option<Engine>>,
}

/// Several compiled expressions, numbered in order.
#[derive(Debug)]
pub struct RegexSet(Engine);

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
    /// `source` has been parsed before, and each match begins with `start`.
    pub(super) fn new(source: &str, start: &[u8]) -> Self {
        Self(Arc::new(Single { source: source.into(), start: start.into(), engine: OnceLock::new() }))
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether the whole of `value` matches.
    pub fn is_match(&self, value: &[u8]) -> bool {
        if !value.starts_with(&self.0.start) {
            return false;
        }
        // What parses and is not too large compiles, so there is an engine.
        let compile = || Engine::new(shared::compile(vec![parse(&self.0.source).ok()?])?, CACHE);
        let engine = self.0.engine.get_or_init(compile).as_ref();
        let mut matches = false;
        if let Some(engine) = engine {
            engine.each_match(value, &mut |_| matches = true);
        }
        matches
    }
}

impl RegexSet {
    pub(super) fn new(expressions: Vec<Expression>) -> Option<Self> {
        let nfa = shared::compile(expressions)?;
        let scratch = nfa.states().len().saturating_mul(CACHE_OF_EACH);
        Engine::new(nfa, CACHE.saturating_add(scratch)).map(Self)
    }

    /// Calls `found` with the number of each expression that matches the whole of `value`, in no particular order.
    pub fn each_match(&self, value: &[u8], found: &mut dyn FnMut(usize)) {
        self.0.each_match(value, found);
    }
}

impl Engine {
    /// `cache_capacity` is in bytes.
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

    fn each_match(&self, value: &[u8], found: &mut dyn FnMut(usize)) {
        let input = Input::new(value).anchored(Anchored::Yes);
        self.caches.lend(Cache::default, |cache| {
            if let Some(automaton) = &self.automaton {
                let cache = cache.automaton.get_or_insert_with(|| automaton.create_cache());
                cache.search_start(0);
                let end = walk(automaton, cache, &input);
                cache.search_finish(value.len());
                if let Some(end) = end {
                    let count = if end.is_match() { automaton.match_len(cache, end) } else { 0 };
                    (0..count).for_each(|n| found(automaton.match_pattern(cache, end, n).as_usize()));
                    return;
                }
            }
            let mut matching = PatternSet::new(self.machine.get_nfa().pattern_len());
            let cache = cache.machine.get_or_insert_with(|| self.machine.create_cache());
            self.machine.which_overlapping_matches(cache, &input, &mut matching);
            matching.iter().for_each(|pattern| found(pattern.as_usize()));
        });
    }
}

/// Where the automaton stands at the end of a value: every expression must match to there, so nothing is found
/// before. `None`: it gave up.
fn walk(automaton: &DFA, cache: &mut DfaCache, input: &Input<'_>) -> Option<LazyStateID> {
    let mut state = automaton.start_state_forward(cache, input).ok()?;
    for byte in input.haystack() {
        state = automaton.next_state(cache, state, *byte).ok()?;
        if state.is_tagged() {
            if state.is_dead() {
                return Some(state);
            }
            if state.is_quit() {
                return None;
            }
        }
    }
    automaton.next_eoi_state(cache, state).ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::compile;
    use super::*;

    const PATTERNS: [&str; 11] = [
        "a|ab",
        "[a-z]*",
        "",
        "(?i)A.*b",
        "a[a-z]*b",
        "a[a-z]*",
        "^a(b|Xb)?$",
        r"\ba\b.*",
        "(a{2,3}b?){0,2}",
        "(a|é|è)b",
        "(?:a|b)+",
    ];
    const VALUES: [&[u8]; 10] =
        [b"", b"a", b"ab", b"aXb", b"abc", b"\xff", b"aab", b"aaabaa", b"\xc3\xa9b", b"\xa9b"];

    /// With a cache too small for the automaton the virtual machine alone answers.
    fn engine(patterns: &[&str], cache_capacity: usize) -> Engine {
        let expressions = patterns.iter().map(|pattern| parse(pattern).unwrap()).collect();
        Engine::new(shared::compile(expressions).unwrap(), cache_capacity).unwrap()
    }

    fn matches(engine: &Engine, value: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        engine.each_match(value, &mut |found| all.push(found));
        all.sort_unstable();
        all
    }

    #[test]
    fn both_engines_find_the_same_together_and_alone() {
        let (with, without) = (engine(&PATTERNS, 1 << 20), engine(&PATTERNS, 0));
        assert!(with.automaton.is_some() && without.automaton.is_none());
        for value in VALUES {
            let alone = PATTERNS.iter().enumerate().filter(|(_, pattern)| {
                let single = |capacity| !matches(&engine(&[**pattern], capacity), value).is_empty();
                assert_eq!(single(0), single(1 << 20), "{pattern} on {}", value.escape_ascii());
                single(0)
            });
            let alone: Vec<usize> = alone.map(|(number, _)| number).collect();
            assert_eq!(matches(&with, value), alone, "{}", value.escape_ascii());
            assert_eq!(matches(&without, value), alone, "{}", value.escape_ascii());
        }
        assert_eq!(matches(&with, b"ab"), [0, 1, 3, 4, 5, 6, 9, 10]);
        assert_eq!(matches(&with, b""), [1, 2, 8]);
        assert_eq!(matches(&with, b"aaabaa"), [1, 5, 8, 10]);
        assert_eq!(matches(&with, b"\xc3\xa9b"), [9]);
    }

    #[test]
    fn a_value_that_begins_otherwise_needs_no_automaton() {
        for (pattern, start) in [
            ("/a/b", "/a/b"),
            ("/a/[0-9]+/b", "/a/"),
            ("(/a)b?", "/a"),
            ("/ab|/ac", ""),
            ("(?i)/a", "/"),
            ("a?b", ""),
            ("^a", ""),
            ("", ""),
        ] {
            let regex = compile(pattern).unwrap();
            assert_eq!(&*regex.0.start, start.as_bytes(), "{pattern}");
            assert!(!regex.is_match(b"other"));
            assert_eq!(regex.0.engine.get().is_some(), start.is_empty(), "{pattern}");
        }
        assert!(compile("/a/[0-9]+/b").unwrap().is_match(b"/a/1/b"));
    }

    #[test]
    fn an_automaton_that_gives_up_changes_nothing() {
        let patterns: Vec<String> =
            (0..40).map(|n| format!(".*[a-{}].{{{n}}}x.*", char::from(b'b' + n % 20))).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let (small, none) = (engine(&patterns, 1 << 17), engine(&patterns, 0));
        assert!(small.automaton.is_some());
        let value: Vec<u8> = (0..4000_u32).map(|at| b'a' + (at * at / 7 % 26) as u8).collect();
        for from in [0, 1000, 3900] {
            assert_eq!(matches(&small, &value[from..]), matches(&none, &value[from..]));
        }
    }
}
