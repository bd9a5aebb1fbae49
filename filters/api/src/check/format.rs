//! Envoy's format strings of access logs and of spans' tags, which Envoy itself refuses with all that stands beside them.

mod operators;

use self::operators::{ARGUMENT, Argument, OPERATORS, PLAIN};
use super::headers;
use crate::command_operator::{CommandOperator, FORM, Malformed, Piece, pieces};
use crate::decode::suggest_nearest;

/// What is wrong with a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Which operator, and what about it.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) hint: Option<String>,
}

/// A format that Envoy takes.
///
/// # Errors
/// The first operator that it does not.
pub(crate) fn operators(format: &str) -> Result<(), Wrong> {
    for piece in pieces(format) {
        match piece {
            Ok(Piece::Text(_) | Piece::Percent) => {}
            Ok(Piece::Operator(operator, position)) => known(operator).map_err(|wrong| Wrong {
                message: format!("`%{}%` at byte {position} {}", operator.written, wrong.message),
                ..wrong
            })?,
            Err(Malformed { written, position }) => {
                let message = format!("`%{written}` at byte {position} {FORM}");
                return Err(Wrong { message, hint: Some("write `%%` for a percent sign".to_owned()) });
            }
        }
    }
    Ok(())
}

fn known(operator: CommandOperator<'_>) -> Result<(), Wrong> {
    let CommandOperator { name, length, .. } = operator;
    let argument = operator.argument.filter(|argument| !argument.is_empty());
    let wrong = |message: &str, hint: Option<String>| Err(Wrong { message: message.to_owned(), hint });
    if PLAIN.contains(&name) {
        return match (argument, length) {
            (Some(_), _) => wrong("takes no argument", None),
            (None, Some(_)) => wrong("takes no length", None),
            (None, None) => Ok(()),
        };
    }
    let Some((_, kind, takes_length)) = OPERATORS.iter().find(|(known, ..)| *known == name) else {
        let all: Vec<_> = PLAIN.iter().copied().chain(OPERATORS.iter().map(|(known, ..)| *known)).collect();
        let meant = suggest_nearest(name, &all).map(|meant| format!("did you mean `%{meant}%`?"));
        return wrong("is no operator of Envoy's", meant);
    };
    let takes_length = *takes_length;
    if length.is_some() && !takes_length {
        return wrong("takes no length", None);
    }
    match kind.check(argument) {
        Ok(()) => Ok(()),
        Err(message) => wrong(&message, None),
    }
}

impl Argument {
    fn check(self, argument: Option<&str>) -> Result<(), String> {
        let needed = argument.ok_or_else(|| format!("needs {} in parentheses", self.wanted()));
        match self {
            Self::Optional => Ok(()),
            Self::Text(_) => needed.map(drop),
            Self::Header => header(needed?),
            Self::Time => time(argument.unwrap_or_default()),
            Self::FilterState => filter_state(needed?),
            Self::Words(sets) => words(argument.unwrap_or_default(), sets),
            Self::Metadata => words(needed?.split(':').next().unwrap_or_default(), &[METADATA]),
            Self::Duration => duration(needed?),
            Self::Operators => coalesce(needed?),
        }
    }

    /// What it is, for those who left it out.
    fn wanted(self) -> &'static str {
        match self {
            Self::Text(what) => what,
            Self::Header => "a header's name",
            Self::FilterState => "the name of a filter state",
            Self::Metadata => "a kind of metadata, such as `ROUTE:NAMESPACE:KEY`,",
            Self::Duration => "two points in time, such as `DS_RX_BEG:DS_TX_END:ms`,",
            Self::Operators => "an object of JSON, such as `{\"operators\": [\"PROTOCOL\"]}`,",
            Self::Optional | Self::Time | Self::Words(_) => ARGUMENT,
        }
    }
}

/// Where metadata is.
const METADATA: &[&str] =
    &["DYNAMIC", "CLUSTER", "ROUTE", "UPSTREAM_HOST", "LISTENER", "VIRTUAL_HOST", "LISTENER_FILTER_CHAIN"];

/// `NAME?ALTERNATIVE`.
fn header(argument: &str) -> Result<(), String> {
    let is_name = |name: &str| {
        let name = name.strip_prefix(':').unwrap_or(name);
        headers::is_token(name)
    };
    let names: Vec<_> = argument.split('?').collect();
    if names.len() > 2 {
        return Err("has more than one `?`".to_owned());
    }
    match names.iter().find(|name| !name.is_empty() && !is_name(name)) {
        Some(name) => Err(format!("names no header: `{name}`")),
        None => Ok(()),
    }
}

/// A format of `strftime`, in which no line may end.
fn time(argument: &str) -> Result<(), String> {
    let ends_line = |behind: &str| {
        let behind = behind.trim_start_matches(['-', '_', '0', '^', '#']);
        let behind = behind.trim_start_matches(|letter: char| ('1'..='9').contains(&letter));
        behind.strip_prefix(['E', 'O']).unwrap_or(behind).starts_with('n')
    };
    let ends = argument.match_indices('%').any(|(at, _)| argument.get(at + 1..).is_some_and(ends_line));
    if ends { Err("has a line end, `%n`, in its format".to_owned()) } else { Ok(()) }
}

/// `KEY:PLAIN|TYPED|FIELD:NAME`.
fn filter_state(argument: &str) -> Result<(), String> {
    let mut parts = argument.split(':');
    let (key, format, field) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    if key.is_none_or(str::is_empty) {
        return Err("names no filter state".to_owned());
    }
    words(format, &[&["PLAIN", "TYPED", "FIELD"]])?;
    let field = field.is_some_and(|field| !field.is_empty());
    match (format == "FIELD", field) {
        (true, false) => Err("needs a field's name behind `FIELD`".to_owned()),
        (false, true) => Err("takes a field's name only behind `FIELD`".to_owned()),
        _ => Ok(()),
    }
}

/// Parts that are joined by colons, each one of some words or left out. More of them than there are sets count for nothing.
fn words(argument: &str, sets: &[&[&str]]) -> Result<(), String> {
    let unknown =
        argument.split(':').zip(sets).find(|(word, known)| !word.is_empty() && !known.contains(word));
    match unknown {
        Some((word, known)) => Err(format!("knows no `{word}`, only `{}`", known.join("`, `"))),
        None => Ok(()),
    }
}

/// `BEGIN:END:PRECISION`; points that nobody knows are those that filters leave.
fn duration(argument: &str) -> Result<(), String> {
    let parts: Vec<_> = argument.split(':').collect();
    match parts[..] {
        [_, _] | [_, _, ""] => Ok(()),
        [_, _, precision] => words(precision, &[&["ms", "us", "ns"]]),
        _ => Err(format!("needs {} in parentheses", Argument::Duration.wanted())),
    }
}

/// `{"operators": ["COMMAND", {"command": …, "param": …, "max_length": …}]}`.
fn coalesce(argument: &str) -> Result<(), String> {
    let object: serde_json::Value =
        serde_json::from_str(argument).map_err(|error| format!("is given no JSON: {error}"))?;
    let operators = object.get("operators").and_then(serde_json::Value::as_array);
    let operators = operators.filter(|operators| !operators.is_empty());
    let operators =
        operators.ok_or_else(|| format!("needs {} in parentheses", Argument::Operators.wanted()))?;
    for operator in operators {
        let text = |field: &str| operator.get(field).and_then(serde_json::Value::as_str);
        let name = operator.as_str().or_else(|| text("command")).unwrap_or_default();
        let length = operator.get("max_length").and_then(serde_json::Value::as_u64);
        let operator = CommandOperator {
            written: name,
            name,
            argument: text("param"),
            length: length.and_then(|length| usize::try_from(length).ok()),
        };
        known(operator).map_err(|wrong| format!("can't try `{name}`, which {}", wrong.message))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
