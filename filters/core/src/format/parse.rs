//! From a header's value to a template.

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
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            if let Some(literal) = after.strip_prefix('%') {
                text.push('%');
                rest = literal;
                continue;
            }
            let (command, behind) = Command::read(after);
            let error = |reason: String| FormatError {
                operator: command.written.to_owned(),
                position: value.len().saturating_sub(after.len()),
                reason,
            };
            let whole =
                behind.ok_or_else(|| error("is not of the form `%COMMAND(arguments):length%`".into()))?;
            let operator = Operator::new(command.name, command.argument).map_err(error)?;
            if command.length.is_some() && !operator.takes_length() {
                return Err(error("takes no length".into()));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text).into_bytes().into()));
            }
            parts.push(Part::Value { operator, length: command.length });
            rest = whole;
        }
        if parts.is_empty() {
            return Ok(None);
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text.into_bytes().into()));
        }
        Ok(Some(Self(parts)))
    }
}

/// A command, taken apart but not understood.
struct Command<'v> {
    written: &'v str,
    name: &'v str,
    argument: Option<&'v str>,
    length: Option<usize>,
}

impl<'v> Command<'v> {
    /// Reads what follows a percent sign, up to the next one that can end it, and what stands behind that. `None`:
    /// it does not end, or is none; then the command is what to show.
    fn read(text: &'v str) -> (Self, Option<&'v str>) {
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let end = text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
        let (name, after) = text.split_at_checked(end).unwrap_or((text, ""));
        let command = |argument, length, behind: &'v str| {
            let written = text.get(..text.len().saturating_sub(behind.len() + 1)).unwrap_or_default();
            (Self { written, name, argument, length }, Some(behind))
        };
        let none = || {
            let written = text.split_once('%').map_or(text, |(written, _)| written);
            (Self { written, name, argument: None, length: None }, None)
        };
        if name.is_empty() {
            return none();
        }
        let Some(inside) = after.strip_prefix('(') else {
            return match ending(after) {
                Some((length, behind)) => command(None, length, behind),
                None => none(),
            };
        };
        // An argument may hold parentheses of its own: the first that the command can end after closes it.
        for (at, _) in inside.match_indices(')') {
            let (Some(argument), Some(after)) = (inside.get(..at), inside.get(at + 1..)) else { continue };
            if let Some((length, behind)) = ending(after) {
                return command(Some(argument), length, behind);
            }
        }
        none()
    }
}

/// `:length%` or `%`, and what stands behind it.
fn ending(text: &str) -> Option<(Option<usize>, &str)> {
    if let Some(behind) = text.strip_prefix('%') {
        return Some((None, behind));
    }
    let (length, behind) = text.strip_prefix(':')?.split_once('%')?;
    Some((Some(length.parse().ok().filter(|_| !length.starts_with('+'))?), behind))
}
