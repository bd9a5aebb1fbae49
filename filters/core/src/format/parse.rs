//! From a header's value to a template.

use outrigger_api::command_operator::{FORM, Malformed, Piece, pieces};

use super::operator::Operator;
use super::template::{Part, Template};

/// What is wrong with a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormatError {
    /// The operator as it is written, without its percent signs.
    pub(crate) operator: String,
    /// Where it begins in the value, in bytes from 1.
    pub(crate) position: usize,
    /// Why it is not carried out.
    pub(crate) reason: String,
}

impl Template {
    /// Reads `value`; `None` if there is nothing to fill in.
    ///
    /// # Errors
    /// The first operator that can't be carried out.
    pub(crate) fn parse(value: &str) -> Result<Option<Self>, FormatError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        for piece in pieces(value) {
            let (command, position) = match piece {
                Ok(Piece::Text(piece)) => {
                    text.push_str(piece);
                    continue;
                }
                Ok(Piece::Percent) => {
                    text.push('%');
                    continue;
                }
                Ok(Piece::Operator(command, position)) => (command, position),
                Err(Malformed { written, position }) => {
                    return Err(FormatError {
                        operator: written.to_owned(),
                        position,
                        reason: FORM.to_owned(),
                    });
                }
            };
            let error =
                |reason: String| FormatError { operator: command.written.to_owned(), position, reason };
            let operator = Operator::new(command.name, command.argument).map_err(error)?;
            if command.length.is_some() && !operator.takes_length() {
                return Err(error("takes no length".into()));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text).into_bytes().into()));
            }
            parts.push(Part::Value { operator, length: command.length });
        }
        if parts.is_empty() {
            return Ok(None);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.into_bytes().into()));
        }
        Ok(Some(Self(parts)))
    }
}
