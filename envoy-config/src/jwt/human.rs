//! An inspection for people.

use serde_json::{Map, Value};

use super::inspect::{Inspection, Verdict};

/// The whole of `inspection`.
pub fn report(inspection: &Inspection) -> String {
    let parts = &inspection.parts;
    let mut lines = Vec::new();
    section(&mut lines, "header", members(parts.header.as_ref(), |_| None));
    let time = |name: &str| {
        let time = parts.times.iter().find(|time| time.claim == name)?;
        Some(match &time.at {
            Some(at) => format!("{at}, {}", time.means),
            None => time.means.clone(),
        })
    };
    section(&mut lines, "claims", members(parts.claims.as_ref(), time));
    let by = inspection.rules.iter().find(|rule| rule.accepted());
    let signature = match (parts.signature_bytes, by) {
        (_, Some(rule)) => format!("verified by {}", rule.rule),
        (Some(bytes), None) => format!("{bytes} bytes, not verified"),
        (None, None) => "none that can be read".to_owned(),
    };
    section(&mut lines, "signature", vec![signature]);
    section(&mut lines, "rules", inspection.rules.iter().flat_map(rule).collect());
    lines.push(String::new());
    lines.push(conclusion(inspection, by));
    lines.into_iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn section(lines: &mut Vec<String>, name: &str, texts: Vec<String>) {
    let mut name = name;
    for text in texts {
        lines.push(format!("  {name:<11}{text}"));
        name = "";
    }
}

/// A line for each member, with what `remark` says of it.
fn members(object: Option<&Map<String, Value>>, remark: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let Some(object) = object else { return vec!["no JSON object".to_owned()] };
    let line = |(name, value): (&String, &Value)| {
        // A string as it is, unless it would break the line.
        let value = match value {
            Value::String(text) if !text.contains(char::is_control) => text.clone(),
            other => other.to_string(),
        };
        let remark = remark(name).map(|text| format!("  ({text})")).unwrap_or_default();
        format!("{name}: {value}{remark}").replace(char::is_control, "\u{fffd}")
    };
    object.iter().map(line).collect()
}

fn rule(verdict: &Verdict) -> Vec<String> {
    let at = match (&verdict.file, verdict.line) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        _ => String::new(),
    };
    let dry_run = if verdict.dry_run { ", in a dry run" } else { "" };
    let outcome = match (&verdict.failure, &verdict.principal) {
        (Some(failure), _) => format!("refused{dry_run}: {failure}"),
        (None, Some(principal)) => format!("accepted{dry_run} as {principal}"),
        (None, None) => format!("accepted{dry_run}, without `iss` and `sub`"),
    };
    let first = format!("{}{at}  {outcome}", verdict.rule);
    [first].into_iter().chain(verdict.wanted.iter().map(|wanted| format!("  {wanted}"))).collect()
}

fn conclusion(inspection: &Inspection, by: Option<&Verdict>) -> String {
    let malformed = inspection.parts.malformed.as_ref();
    match (malformed, by, inspection.accepted) {
        (_, Some(rule), _) => format!("accepted by {}", rule.rule),
        (Some(failure), None, _) => format!("refused by every proxy: {failure}"),
        (None, None, None) => "not verified: without rules (-f) and keys nobody can".to_owned(),
        (None, None, Some(_)) if inspection.rules.is_empty() => {
            "not verified: no RequestAuthentication is for this proxy".to_owned()
        }
        (None, None, Some(_)) => "refused: no rule takes it".to_owned(),
    }
}
