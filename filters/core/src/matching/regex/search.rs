//! An expression that is looked for anywhere in a text, to replace what it matches.

use outrigger_api::re2::Expression;
use regex_automata::Input;
use regex_automata::nfa::thompson::backtrack::{BoundedBacktracker, Cache as BacktrackerCache};
use regex_automata::nfa::thompson::pikevm::{Cache as VmCache, PikeVM};
use regex_automata::nfa::thompson::{Builder, NFA, Transition};
use regex_automata::util::captures::Captures;
use regex_automata::util::iter::Searcher;

use super::caches::Caches;
use super::states;

/// How large a compiled expression may be, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled expression. Short texts are searched by a bounded backtracker, long ones by a virtual machine.
#[derive(Debug)]
pub struct Search {
    backtracker: BoundedBacktracker,
    machine: PikeVM,
    groups: usize,
    caches: Caches<(BacktrackerCache, Option<VmCache>)>,
}

/// What the groups of an expression have matched.
#[derive(Debug)]
pub struct Groups<'t> {
    text: &'t [u8],
    captures: &'t Captures,
}

impl<'t> Groups<'t> {
    /// What the group of this number has matched, nothing if it had no part in the match. 0 is the whole match.
    pub fn get(&self, group: usize) -> &'t [u8] {
        let span = self.captures.get_group(group);
        span.and_then(|span| self.text.get(span.range())).unwrap_or_default()
    }
}

impl Search {
    /// `None`: `expression` is too large.
    pub(super) fn new(expression: &Expression) -> Option<Self> {
        let nfa = compile(expression)?;
        Some(Self {
            backtracker: BoundedBacktracker::new_from_nfa(nfa.clone()).ok()?,
            machine: PikeVM::new_from_nfa(nfa).ok()?,
            groups: expression.groups().saturating_add(1),
            caches: Caches::default(),
        })
    }

    /// The number of groups, the whole match being one.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// `text` with every match replaced by what `replace` makes of it.
    pub fn replace_all(&self, text: &[u8], replace: impl Fn(&Groups<'_>) -> Vec<u8>) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(text.len());
        let mut rest = 0;
        let mut captures = self.machine.create_captures();
        self.caches.lend(
            || (self.backtracker.create_cache(), None),
            |(short, long)| {
                let mut matches = Searcher::new(Input::new(text));
                while let Ok(Some(found)) = matches.try_advance(|input| {
                    if self.backtracker.try_search(short, input, &mut captures).is_err() {
                        let cache = long.get_or_insert_with(|| self.machine.create_cache());
                        self.machine.search(cache, input, &mut captures);
                    }
                    Ok(captures.get_match())
                }) {
                    replaced.extend_from_slice(text.get(rest..found.start()).unwrap_or_default());
                    replaced.extend(replace(&Groups { text, captures: &captures }));
                    rest = found.end();
                }
            },
        );
        replaced.extend_from_slice(text.get(rest..).unwrap_or_default());
        replaced
    }
}

/// The automaton that finds the first match of `expression` with its groups. `None`: it would be too large.
fn compile(expression: &Expression) -> Option<NFA> {
    let mut builder = Builder::new();
    builder.set_utf8(false);
    builder.set_size_limit(Some(SIZE_LIMIT)).ok()?;
    builder.start_pattern().ok()?;
    let matched = builder.add_match().ok()?;
    let end = builder.add_capture_end(matched, 0).ok()?;
    let body = states::add(&mut builder, expression, true, end)?;
    let start = builder.add_capture_start(body, 0, None).ok()?;
    builder.finish_pattern(start).ok()?;
    // Where a search need not begin at once it rather begins than goes on.
    let fork = builder.add_union(vec![start]).ok()?;
    let skipped = builder.add_range(Transition { start: 0, end: u8::MAX, next: fork }).ok()?;
    builder.patch(fork, skipped).ok()?;
    builder.build(start, fork).ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::compile_search;

    #[test]
    fn every_match_is_replaced() {
        for (pattern, text, expected) in [
            ("b", "abcb", "a<b>c<b>"),
            ("x", "abc", "abc"),
            ("b*", "abc", "<>a<b>c<>"),
            ("", "ab", "<>a<>b<>"),
            ("^a", "aa", "<a>a"),
            ("", "", "<>"),
        ] {
            let search = compile_search(pattern).unwrap();
            let replaced = search.replace_all(text.as_bytes(), |groups| [b"<", groups.get(0), b">"].concat());
            assert_eq!(String::from_utf8_lossy(&replaced), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn texts_too_long_to_backtrack_are_searched_too() {
        let search = compile_search("(a|b)(?:[0-9]{100})?c").unwrap();
        let text = "xac".repeat(200_000);
        assert!(text.len() > search.backtracker.max_haystack_len());
        let replaced = search.replace_all(text.as_bytes(), |groups| groups.get(1).to_vec());
        assert_eq!(replaced, "xa".repeat(200_000).into_bytes());
    }
}
