//! One automaton for many expressions that share the ways on which they begin alike.
//!
//! Ten thousand routes such as `/shops/[0-9]+/orders-17/.*` differ late. Each compiled by itself, all of them are
//! alive until a value has come that far, and a state of the deterministic automaton lists ten thousand positions.
//! Here the expressions are sorted by their parts, and a part that follows the same beginning is compiled once.

use outrigger_api::ordered;
use outrigger_api::re2::Expression;
use regex_automata::nfa::thompson::{Builder, NFA, Transition};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::parts::Parts;
use super::states;

/// The automaton that finds which of `expressions` match all of a value; it numbers them in order. `None`: they have more
/// states together than can be numbered.
pub(super) fn compile(expressions: Vec<Expression>) -> Option<NFA> {
    let count = expressions.len();
    let mut parts = Parts::default();
    let mut ways: Vec<(Vec<u32>, usize)> = Vec::with_capacity(count);
    for (number, expression) in expressions.into_iter().enumerate() {
        parts.ways(expression, |way| ways.push((way, number)));
    }
    ordered::sort(&mut ways);
    let mut tree = Tree::new(parts);
    let ends = (0..count).map(|_| tree.end()).collect::<Option<Vec<_>>>()?;
    for (way, number) in &ways {
        if let Some(end) = ends.get(*number) {
            tree.add(way, *end)?;
        }
    }
    tree.build()
}

/// The automaton while it is being built, from the ends of the ways to their beginnings: a state names those that
/// follow it.
struct Tree {
    builder: Builder,
    parts: Parts,
    /// The way that was added last.
    way: Vec<u32>,
    /// What may follow each of its beginnings, the empty one first.
    open: Vec<Open>,
}

/// What may follow a beginning.
#[derive(Default)]
struct Open {
    /// Single bytes, ascending.
    bytes: Vec<Transition>,
    /// Anything else.
    others: Vec<StateID>,
}

impl Tree {
    fn new(parts: Parts) -> Self {
        let mut builder = Builder::new();
        builder.set_utf8(false);
        Self { builder, parts, way: Vec::new(), open: vec![Open::default()] }
    }

    /// The end of the next expression: there it matches, if the value ends too.
    fn end(&mut self) -> Option<StateID> {
        self.builder.start_pattern().ok()?;
        let matched = self.builder.add_match().ok()?;
        // Nobody searches for one expression of the set alone, which is what this start would be for.
        self.builder.finish_pattern(matched).ok()?;
        self.builder.add_look(matched, Look::End).ok()
    }

    /// Adds a way that leads to `end`; none may be less than the one before.
    fn add(&mut self, way: &[u32], end: StateID) -> Option<()> {
        let shared = self.way.iter().zip(way).take_while(|(one, other)| one == other).count();
        self.close_to(shared)?;
        for part in way.iter().skip(shared) {
            self.way.push(*part);
            self.open.push(Open::default());
        }
        if let Some(open) = self.open.last_mut() {
            open.others.push(end);
        }
        Some(())
    }

    /// Finishes every beginning that is longer than `length` parts.
    fn close_to(&mut self, length: usize) -> Option<()> {
        while self.way.len() > length {
            let (Some(part), Some(open)) = (self.way.pop(), self.open.pop()) else { break };
            let next = self.close(open)?;
            let other = match self.parts.get(part) {
                Ok(byte) => {
                    if let Some(before) = self.open.last_mut() {
                        before.bytes.push(Transition { start: byte, end: byte, next });
                    }
                    continue;
                }
                Err(expression) => states::add(&mut self.builder, expression, false, next)?,
            };
            if let Some(before) = self.open.last_mut() {
                before.others.push(other);
            }
        }
        Some(())
    }

    fn close(&mut self, open: Open) -> Option<StateID> {
        let Open { bytes, mut others } = open;
        if let [byte] = bytes.as_slice() {
            others.push(self.builder.add_range(*byte).ok()?);
        } else if !bytes.is_empty() {
            others.push(self.builder.add_sparse(bytes).ok()?);
        }
        if let [only] = others.as_slice() { Some(*only) } else { self.builder.add_union(others).ok() }
    }

    fn build(mut self) -> Option<NFA> {
        self.close_to(0)?;
        let root = self.open.pop().unwrap_or_default();
        let first = self.close(root)?;
        // The virtual machine begins anew at every byte when it looks for all matches, even in an anchored search.
        let start = self.builder.add_look(first, Look::Start).ok()?;
        self.builder.build(start, start).ok()
    }
}
