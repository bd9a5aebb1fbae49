//! Expressions as ways through numbered parts, so that equal beginnings can be told.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::matching::ByteMap;

/// Parts that are not single bytes, each once. The number of a byte is the byte itself.
#[derive(Default)]
pub(super) struct Parts {
    expressions: Vec<Hir>,
    known: ByteMap<u32>,
}

/// The first number that is not a byte's.
const FIRST: u32 = 256;

impl Parts {
    /// Takes `expression` apart. What is an alternative as a whole makes several ways.
    pub(super) fn ways(&mut self, expression: Hir, mut each: impl FnMut(Vec<u32>)) {
        match expression.kind() {
            HirKind::Alternation(choices) => {
                for choice in choices {
                    let mut way = Vec::new();
                    self.walk(choice, &mut way);
                    each(way);
                }
            }
            _ => {
                let mut way = Vec::new();
                self.walk(&expression, &mut way);
                each(way);
            }
        }
    }

    /// What a number stands for: a byte, or an expression.
    pub(super) fn get(&self, part: u32) -> Result<u8, &Hir> {
        let byte = part.to_le_bytes();
        let expression =
            part.checked_sub(FIRST).and_then(|at| self.expressions.get(usize::try_from(at).ok()?));
        expression.map_or(Ok(byte.first().copied().unwrap_or_default()), Err)
    }

    fn walk(&mut self, expression: &Hir, way: &mut Vec<u32>) {
        match expression.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => way.extend(literal.0.iter().map(|byte| u32::from(*byte))),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.walk(part, way)),
            HirKind::Capture(capture) => self.walk(&capture.sub, way),
            _ => {
                let mut name = Vec::new();
                describe(expression, &mut name);
                let next = FIRST.saturating_add(u32::try_from(self.expressions.len()).unwrap_or(u32::MAX));
                let number = *self.known.entry(name.into()).or_insert(next);
                if number == next {
                    self.expressions.push(expression.clone());
                }
                way.push(number);
            }
        }
    }
}

/// The text that every match of `expression` begins with; empty where there is none, or none that is easily seen.
pub(super) fn literal_start(expression: &Hir) -> &[u8] {
    match expression.kind() {
        HirKind::Literal(literal) => &literal.0,
        HirKind::Concat(parts) => parts.first().map_or(&[], literal_start),
        HirKind::Capture(capture) => literal_start(&capture.sub),
        _ => &[],
    }
}

/// Writes `expression` so that different ones never look alike; groups and greed make no difference.
fn describe(expression: &Hir, out: &mut Vec<u8>) {
    let counted = |out: &mut Vec<u8>, kind: u8, count: usize| {
        out.push(kind);
        out.extend_from_slice(&count.to_le_bytes());
    };
    match expression.kind() {
        HirKind::Empty => out.push(0),
        HirKind::Literal(literal) => {
            counted(out, 1, literal.0.len());
            out.extend_from_slice(&literal.0);
        }
        HirKind::Class(Class::Bytes(class)) => {
            counted(out, 2, class.ranges().len());
            out.extend(class.ranges().iter().flat_map(|range| [range.start(), range.end()]));
        }
        HirKind::Class(Class::Unicode(class)) => {
            counted(out, 3, class.ranges().len());
            let ends = class.ranges().iter().flat_map(|range| [range.start(), range.end()]);
            out.extend(ends.flat_map(|end| u32::from(end).to_le_bytes()));
        }
        HirKind::Look(look) => {
            out.push(4);
            out.extend_from_slice(&look.as_repr().to_le_bytes());
        }
        HirKind::Repetition(repetition) => {
            counted(out, 5, usize::from(repetition.max.is_some()));
            out.extend_from_slice(&repetition.min.to_le_bytes());
            out.extend_from_slice(&repetition.max.unwrap_or_default().to_le_bytes());
            describe(&repetition.sub, out);
        }
        HirKind::Capture(capture) => describe(&capture.sub, out),
        HirKind::Concat(parts) => {
            counted(out, 6, parts.len());
            parts.iter().for_each(|part| describe(part, out));
        }
        HirKind::Alternation(choices) => {
            counted(out, 7, choices.len());
            choices.iter().for_each(|choice| describe(choice, out));
        }
    }
}
