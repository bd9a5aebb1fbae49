//! One automaton for many expressions that share the ways on which they begin alike.
//!
//! Ten thousand routes such as `/shops/[0-9]+/orders-17/.*` differ late. Each compiled by itself, all of them are
//! alive until a value has come that far, and a state of the deterministic automaton lists ten thousand positions.
//! Here the expressions are sorted by their parts, and a part that follows the same beginning is compiled once.

use outrigger_api::ordered;
use regex_automata::nfa::thompson::{Builder, NFA, Transition};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{self, Class, Hir, HirKind, Repetition};
use regex_syntax::utf8::Utf8Sequences;

use super::parts::Parts;

/// The automaton that finds which of `expressions` match all of a value; it numbers them in order. `None`: they have more
/// states together than can be numbered.
pub(super) fn compile(expressions: Vec<Hir>) -> Option<NFA> {
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
                Err(expression) => fragment(&mut self.builder, expression, next)?,
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

/// States for `expression` that lead to `next`.
fn fragment(builder: &mut Builder, expression: &Hir, next: StateID) -> Option<StateID> {
    match expression.kind() {
        HirKind::Empty => Some(next),
        HirKind::Literal(literal) => literal.0.iter().rev().try_fold(next, |next, byte| {
            builder.add_range(Transition { start: *byte, end: *byte, next }).ok()
        }),
        HirKind::Class(Class::Bytes(class)) => {
            let ranges = class.ranges().iter();
            let transitions =
                ranges.map(|range| Transition { start: range.start(), end: range.end(), next }).collect();
            builder.add_sparse(transitions).ok()
        }
        // The parser was told to know bytes only, and yet makes `(a|b)` a class of characters, of several bytes each
        // where these are UTF-8.
        HirKind::Class(Class::Unicode(class)) => {
            let characters =
                class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            let choices = characters.map(|bytes| {
                bytes.as_slice().iter().rev().try_fold(next, |next, range| {
                    builder.add_range(Transition { start: range.start, end: range.end, next }).ok()
                })
            });
            let choices = choices.collect::<Option<Vec<_>>>()?;
            builder.add_union(choices).ok()
        }
        HirKind::Look(look) => match assertion(*look) {
            Some(look) => builder.add_look(next, look).ok(),
            None => builder.add_fail().ok(),
        },
        HirKind::Capture(capture) => fragment(builder, &capture.sub, next),
        HirKind::Concat(parts) => {
            parts.iter().rev().try_fold(next, |next, part| fragment(builder, part, next))
        }
        HirKind::Alternation(choices) => {
            let choices = choices.iter().map(|choice| fragment(builder, choice, next));
            let choices = choices.collect::<Option<Vec<_>>>()?;
            builder.add_union(choices).ok()
        }
        HirKind::Repetition(repetition) => repeated(builder, repetition, next),
    }
}

/// Which of several matches is found makes no difference here, so greed makes none either.
fn repeated(builder: &mut Builder, repetition: &Repetition, next: StateID) -> Option<StateID> {
    let (least, sub) = (repetition.min, &repetition.sub);
    let (mut next, more) = match repetition.max {
        None => {
            let again = builder.add_union(Vec::new()).ok()?;
            let once = fragment(builder, sub, again)?;
            builder.patch(again, once).ok()?;
            builder.patch(again, next).ok()?;
            if least == 0 { (again, 0) } else { (once, least.saturating_sub(1)) }
        }
        Some(most) => {
            let mut start = next;
            for _ in least..most {
                let once = fragment(builder, sub, start)?;
                start = builder.add_union(vec![once, next]).ok()?;
            }
            (start, least)
        }
    };
    for _ in 0..more {
        next = fragment(builder, sub, next)?;
    }
    Some(next)
}

/// `None`: one that the translation from RE2's syntax never writes.
fn assertion(look: hir::Look) -> Option<Look> {
    Some(match look {
        hir::Look::Start => Look::Start,
        hir::Look::End => Look::End,
        hir::Look::StartLF => Look::StartLF,
        hir::Look::EndLF => Look::EndLF,
        hir::Look::WordAscii => Look::WordAscii,
        hir::Look::WordAsciiNegate => Look::WordAsciiNegate,
        _ => return None,
    })
}

/// How many states `expression` takes, about; no more than `usize::MAX`.
pub(super) fn size(expression: &Hir) -> usize {
    match expression.kind() {
        HirKind::Empty => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) | HirKind::Look(_) => 1,
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(size).fold(1, usize::saturating_add)
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            size(&repetition.sub)
                .saturating_add(1)
                .saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
    }
}
