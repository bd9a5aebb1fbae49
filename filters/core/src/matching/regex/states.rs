//! From an expression to the states of an automaton, from its end to its beginning: a state names those that follow it.

use outrigger_api::re2::{Assertion, Expression, Repetition};
use regex_automata::nfa::thompson::{Builder, Transition};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

/// States that lead to `next`. Groups are kept if `groups` says so. `None`: there are too many states.
pub(super) fn add(
    builder: &mut Builder,
    expression: &Expression,
    groups: bool,
    next: StateID,
) -> Option<StateID> {
    match expression {
        Expression::Literal(bytes) => bytes.iter().rev().try_fold(next, |next, byte| {
            builder.add_range(Transition { start: *byte, end: *byte, next }).ok()
        }),
        Expression::Class(set) => {
            let transitions = set.ranges().map(|(start, end)| Transition { start, end, next }).collect();
            builder.add_sparse(transitions).ok()
        }
        Expression::Assertion(assertion) => builder.add_look(next, look(*assertion)).ok(),
        Expression::Group(number, inner) if groups => {
            let end = builder.add_capture_end(next, *number).ok()?;
            let start = add(builder, inner, groups, end)?;
            builder.add_capture_start(start, *number, None).ok()
        }
        Expression::Group(_, inner) => add(builder, inner, groups, next),
        Expression::Sequence(parts) => {
            parts.iter().rev().try_fold(next, |next, part| add(builder, part, groups, next))
        }
        Expression::Choice(choices) => {
            let choices = choices.iter().map(|choice| add(builder, choice, groups, next));
            let choices = choices.collect::<Option<Vec<_>>>()?;
            builder.add_union(choices).ok()
        }
        Expression::Repetition(repetition) => repeated(builder, repetition, groups, next),
    }
}

fn repeated(builder: &mut Builder, repetition: &Repetition, groups: bool, next: StateID) -> Option<StateID> {
    let Repetition { least, most, greedy, what } = repetition;
    // The way that is preferred comes first.
    let ways = |again, on| if *greedy { [again, on] } else { [on, again] };
    let (mut start, more) = match most {
        None => {
            let fork = builder.add_union(Vec::new()).ok()?;
            let once = add(builder, what, groups, fork)?;
            for way in ways(once, next) {
                builder.patch(fork, way).ok()?;
            }
            match least {
                // Having matched nothing once, going on comes before anything else: a fork of its own leads in.
                0 if what.may_be_empty() => (builder.add_union(ways(once, next).into()).ok()?, 0),
                0 => (fork, 0),
                least => (once, least.saturating_sub(1)),
            }
        }
        Some(most) => {
            let mut start = next;
            for _ in *least..*most {
                let once = add(builder, what, groups, start)?;
                start = builder.add_union(ways(once, next).into()).ok()?;
            }
            (start, *least)
        }
    };
    for _ in 0..more {
        start = add(builder, what, groups, start)?;
    }
    Some(start)
}

fn look(assertion: Assertion) -> Look {
    match assertion {
        Assertion::Start => Look::Start,
        Assertion::End => Look::End,
        Assertion::LineStart => Look::StartLF,
        Assertion::LineEnd => Look::EndLF,
        Assertion::WordBoundary => Look::WordAscii,
        Assertion::NoWordBoundary => Look::WordAsciiNegate,
    }
}

/// How many states `expression` takes, about; no more than `usize::MAX`.
pub(super) fn count(expression: &Expression) -> usize {
    match expression {
        Expression::Literal(bytes) => bytes.len(),
        Expression::Class(_) | Expression::Assertion(_) => 1,
        Expression::Group(_, inner) => count(inner),
        Expression::Sequence(parts) | Expression::Choice(parts) => {
            parts.iter().map(count).fold(1, usize::saturating_add)
        }
        Expression::Repetition(repetition) => {
            let times = repetition.most.unwrap_or(repetition.least).max(1);
            count(&repetition.what)
                .saturating_add(1)
                .saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
    }
}
