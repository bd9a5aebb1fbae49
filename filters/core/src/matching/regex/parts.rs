//! Expressions as ways through numbered parts, so that equal beginnings can be told.

use outrigger_api::re2::Expression;

use crate::matching::ByteSet;

/// Parts that are not single bytes, each once. The number of a byte is the byte itself.
#[derive(Default)]
pub(super) struct Parts {
    expressions: Vec<Expression>,
    known: ByteSet,
}

/// The first number that is not a byte's.
const FIRST: u32 = 256;

impl Parts {
    /// Takes `expression` apart. What is an alternative as a whole makes several ways.
    pub(super) fn ways(&mut self, expression: Expression, mut each: impl FnMut(Vec<u32>)) {
        match &expression {
            Expression::Choice(choices) => {
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
    pub(super) fn get(&self, part: u32) -> Result<u8, &Expression> {
        let byte = part.to_le_bytes();
        let expression =
            part.checked_sub(FIRST).and_then(|at| self.expressions.get(usize::try_from(at).ok()?));
        expression.map_or(Ok(byte.first().copied().unwrap_or_default()), Err)
    }

    fn walk(&mut self, expression: &Expression, way: &mut Vec<u32>) {
        match expression {
            Expression::Literal(bytes) => way.extend(bytes.iter().map(|byte| u32::from(*byte))),
            Expression::Sequence(parts) => parts.iter().for_each(|part| self.walk(part, way)),
            Expression::Group(_, inner) => self.walk(inner, way),
            _ => {
                let mut name = Vec::new();
                describe(expression, &mut name);
                let place = self.known.place(name.into(), || self.expressions.push(expression.clone()));
                way.push(FIRST.saturating_add(u32::try_from(place).unwrap_or(u32::MAX)));
            }
        }
    }
}

/// The text that every match of `expression` begins with; empty where there is none, or none that is easily seen.
pub(super) fn literal_start(expression: &Expression) -> &[u8] {
    match expression {
        Expression::Literal(bytes) => bytes,
        Expression::Sequence(parts) => parts.first().map_or(&[], literal_start),
        Expression::Group(_, inner) => literal_start(inner),
        _ => &[],
    }
}

/// Writes `expression` so that different ones never look alike; groups and greed make no difference.
fn describe(expression: &Expression, out: &mut Vec<u8>) {
    let counted = |out: &mut Vec<u8>, kind: u8, count: usize| {
        out.push(kind);
        out.extend_from_slice(&count.to_le_bytes());
    };
    match expression {
        Expression::Literal(bytes) => {
            counted(out, 1, bytes.len());
            out.extend_from_slice(bytes);
        }
        Expression::Class(set) => {
            counted(out, 2, set.ranges().count());
            out.extend(set.ranges().flat_map(|(first, last)| [first, last]));
        }
        Expression::Assertion(assertion) => out.extend([3, *assertion as u8]),
        Expression::Repetition(repetition) => {
            counted(out, 4, usize::from(repetition.most.is_some()));
            out.extend_from_slice(&repetition.least.to_le_bytes());
            out.extend_from_slice(&repetition.most.unwrap_or_default().to_le_bytes());
            describe(&repetition.what, out);
        }
        Expression::Group(_, inner) => describe(inner, out),
        Expression::Sequence(parts) => {
            counted(out, 5, parts.len());
            parts.iter().for_each(|part| describe(part, out));
        }
        Expression::Choice(choices) => {
            counted(out, 6, choices.len());
            choices.iter().for_each(|choice| describe(choice, out));
        }
    }
}
