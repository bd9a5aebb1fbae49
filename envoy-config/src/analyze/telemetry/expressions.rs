//! CEL in Telemetries.

use cel::IdedExpr;
use outrigger_api::Resource;
use outrigger_api::types::telemetry::{TagOverride, Telemetry};

use super::asked::Asked;
use crate::analyze::codes;
use crate::analyze::expression::{NotTaken, take_apart};
use crate::analyze::finding::{Finding, Level};
use crate::analyze::kinds::{Kind, kind};
use crate::analyze::registry::{closest, did_you_mean};

/// Envoy's attributes, by what they begin with.
const ATTRIBUTES: [&str; 10] = [
    "connection",
    "destination",
    "filter_state",
    "metadata",
    "request",
    "response",
    "source",
    "upstream",
    "upstream_filter_state",
    "xds",
];

/// CEL's names of types.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The functions that Envoy has wherever it takes CEL.
const FUNCTIONS: [&str; 24] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "size",
    "startsWith",
    "timestamp",
    "type",
    "uint",
];

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Whether a line is logged. Envoy takes no loops and makes no texts of other values there.
    Filter,
    /// A label's value.
    Label,
}

impl Place {
    /// What Envoy refuses, with all of its configuration.
    fn refusal(self, asked: &Asked<'_>) -> Option<String> {
        let known = |name: &str| FUNCTIONS.contains(&name) || (self == Self::Label && name == "string");
        if let Some(name) = asked.functions.iter().find(|name| !known(name)) {
            return Some(match *name {
                "string" => "Envoy makes no texts of other values in a log's filter: there is no `string()`"
                    .to_owned(),
                name => format!("Envoy's CEL has no function `{name}`"),
            });
        }
        let loops = self == Self::Filter && asked.loops;
        loops.then(|| "Envoy takes no `exists`, `all`, `map` or `filter` in a log's filter".to_owned())
    }

    /// What becomes of an expression about an attribute that is not there.
    fn otherwise(self) -> &'static str {
        match self {
            Self::Filter => "nothing would be logged",
            Self::Label => "the label would be `unknown`",
        }
    }
}

/// Looks at the filters of logs and the values of labels.
pub(super) fn check(resource: &Resource, telemetry: &Telemetry, findings: &mut Vec<Finding>) {
    for (at, entry) in telemetry.access_logging.iter().enumerate() {
        if let Some(filter) = &entry.filter {
            let path = format!("spec.accessLogging[{at}].filter.expression");
            findings.extend(of(resource, &path, filter, Place::Filter));
        }
    }
    for ((at, n), change) in telemetry.metric_overrides() {
        for (tag, value) in &change.tag_overrides {
            if let TagOverride::Upsert(value) = value {
                let path = format!("spec.metrics[{at}].overrides[{n}].tagOverrides[{tag:?}].value");
                findings.extend(of(resource, &path, value, Place::Label));
            }
        }
    }
}

/// What is wrong with an expression. An attribute that Envoy does not have is no error to Envoy.
fn of(resource: &Resource, path: &str, expression: &str, place: Place) -> Option<Finding> {
    let message = match take_apart(expression, |parsed| of_parsed(resource, path, parsed, place)) {
        Ok(finding) => return finding,
        Err(NotTaken::Wrong { line, column, reason }) => {
            let at = match expression.lines().count() {
                0 | 1 => format!("column {column}"),
                _ => format!("line {line}, column {column}"),
            };
            let shown = expression.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("`{shown}` is not CEL, at {at} of it: {reason}")
        }
        Err(NotTaken::TooMuch(reason)) => format!("this expression is too much: {reason}"),
    };
    Some(Finding::new(codes::BAD_EXPRESSION, Level::Error, resource, path, message))
}

fn of_parsed(resource: &Resource, path: &str, parsed: &IdedExpr, place: Place) -> Option<Finding> {
    let finding = |level, message| Finding::new(codes::BAD_EXPRESSION, level, resource, path, message);
    let asked = Asked::of(parsed);
    if let Some(message) = place.refusal(&asked) {
        return Some(finding(Level::Error, message));
    }
    if let Some(peer) = asked.peer {
        let message = format!("nobody leaves `{peer}` in filter state here: {}", place.otherwise());
        let hint =
            "what peers tell of themselves is in the labels `source_…` and `destination_…` of every metric";
        return Some(finding(Level::Warning, message).hint(hint.to_owned()));
    }
    let known = |name: &&str| ATTRIBUTES.contains(name) || TYPES.contains(name);
    let Some(unknown) = asked.names.into_iter().find(|name| !known(name)) else {
        let (message, hint) = misread(kind(&parsed.expr)?).filter(|_| place == Place::Label)?;
        return Some(finding(Level::Warning, message.to_owned()).hint(hint.map(str::to_owned)));
    };
    let message = format!("Envoy has no attribute that begins with `{unknown}`: {}", place.otherwise());
    let meant = did_you_mean(closest(unknown, ATTRIBUTES.into_iter()));
    let hint = meant.unwrap_or_else(|| format!("there is `{}`", ATTRIBUTES.join("`, `")));
    Some(finding(Level::Warning, message).hint(hint))
}

/// What becomes of a label whose value is neither text nor whole number nor boolean, and what to write instead.
fn misread(kind: Kind) -> Option<(&'static str, Option<&'static str>)> {
    match kind {
        Kind::Text | Kind::Number | Kind::Boolean => None,
        Kind::Double => Some((
            "a number with a fraction is taken for a whole one: the label would be another number",
            Some("make a text of it by `string(…)`, or a whole number by `int(…)`"),
        )),
        Kind::Duration => Some((
            "a duration becomes a number of nanoseconds, which next to no two requests share",
            Some(
                "compare it, as in `request.duration > duration('1s') ? 'slow' : 'fast'`, or make a text of it by `string(…)`",
            ),
        )),
        Kind::Moment => Some((
            "a moment becomes a number of nanoseconds, which no two requests share",
            Some("take a part of it, such as `request.time.getHours()`"),
        )),
        Kind::List => Some((
            "a list is no text: the label would be what it is in Envoy's memory",
            Some("take one of its elements, or ask something about it, as in `'a' in […]`"),
        )),
        Kind::Map => Some((
            "a map is no text: the label would be unreadable",
            Some("take one of its values, such as `request.headers['x-team']`"),
        )),
        Kind::Nothing => Some(("this is no value: the label would be `unknown`", None)),
    }
}
