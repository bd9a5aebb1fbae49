//! CEL in Telemetries.

use cel::{ParseError, Program};
use outrigger_api::Resource;
use outrigger_api::types::telemetry::{TagOverride, Telemetry};

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
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

/// Looks at the filters of logs and the values of labels.
pub(super) fn check(resource: &Resource, telemetry: &Telemetry, findings: &mut Vec<Finding>) {
    for (at, entry) in telemetry.access_logging.iter().enumerate() {
        if let Some(filter) = &entry.filter {
            let path = format!("spec.accessLogging[{at}].filter.expression");
            findings.extend(of(resource, &path, filter, "nothing would be logged"));
        }
    }
    for (at, entry) in telemetry.metrics.iter().enumerate() {
        for (n, change) in entry.overrides.iter().enumerate() {
            for (tag, value) in &change.tag_overrides {
                if let TagOverride::Upsert(value) = value {
                    let path = format!("spec.metrics[{at}].overrides[{n}].tagOverrides[{tag:?}].value");
                    findings.extend(of(resource, &path, value, "the label would be `unknown`"));
                }
            }
        }
    }
}

/// What is wrong with an expression. An attribute that Envoy does not have is no error to Envoy.
fn of(resource: &Resource, path: &str, expression: &str, then: &str) -> Option<Finding> {
    let finding = |level, message| Finding::new(codes::BAD_EXPRESSION, level, resource, path, message);
    let program = match Program::compile(expression) {
        Ok(program) => program,
        Err(wrong) => {
            let error = first(&wrong.errors)?;
            let (line, column) = error.pos;
            let place = match expression.lines().count() {
                0 | 1 => format!("column {column}"),
                _ => format!("line {line}, column {column}"),
            };
            let shown = expression.split_whitespace().collect::<Vec<_>>().join(" ");
            let message = format!("`{shown}` is not CEL, at {place} of it: {}", reason(&error.msg));
            return Some(finding(Level::Error, message));
        }
    };
    let references = program.references();
    let mut names = references.variables();
    names.sort_unstable();
    let unknown = names.into_iter().find(|name| !ATTRIBUTES.contains(name))?;
    let message = format!("Envoy has no attribute that begins with `{unknown}`: {then}");
    let meant = did_you_mean(closest(unknown, ATTRIBUTES.into_iter()));
    let hint = meant.unwrap_or_else(|| format!("there is `{}`", ATTRIBUTES.join("`, `")));
    Some(finding(Level::Warning, message).hint(hint))
}

/// Where it goes wrong: what else is said follows from that.
fn first(errors: &[ParseError]) -> Option<&ParseError> {
    errors.iter().find(|error| error.msg.starts_with("Syntax error")).or(errors.first())
}

/// The parser's words, without the list of all that could have stood there.
fn reason(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let (what, _) = message.split_once(" expecting ").unwrap_or((message, ""));
    match what.strip_suffix(" '<EOF>'") {
        Some("mismatched input") => "something is missing at its end".to_owned(),
        _ => what.to_owned(),
    }
}
