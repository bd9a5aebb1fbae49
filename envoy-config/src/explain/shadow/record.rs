//! The record of policies on dry run in a line of an access log. Clients choose much of such a line (paths, user agents):
//! what they write there must not pass for a record.

use outrigger_core::authz;
use serde_json::{Map, Value};

/// The key of the record in Istio's default JSON.
const KEY: &str = "authz_dry_run";
/// What stands between the verdicts of a record.
const BETWEEN: &str = ", ";
/// What a text has for a record that is not there, and with `omitEmptyValues`.
const NONE: [&str; 2] = ["-", ""];

/// A verdict of the record that the filters leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// `ALLOW` or `DENY`.
    pub(super) action: String,
    /// The rule that matched: `ns/name` of its policy, and its number.
    pub(super) rule: Option<(String, usize)>,
    pub(super) allowed: bool,
    /// Whether it is not what was done.
    pub(super) differs: bool,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// It stands where no client can write.
    Sure(Vec<Verdict>),
    /// It stands somewhere in a line of a format that is not known.
    Found(Vec<Verdict>),
}

/// The fields of a line of JSON. Whoever collects the lines may put something before them.
pub(super) fn fields(line: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(line.get(line.find('{')?..)?).ok()
}

/// The record in a line. It may be empty.
pub(super) fn of(line: &str) -> Record {
    if let Some(fields) = fields(line) {
        let text = fields.get(KEY).and_then(Value::as_str).unwrap_or_default();
        return Record::Sure(whole(text).unwrap_or_default());
    }
    match at_the_end(line.trim_end()) {
        Some(verdicts) => Record::Sure(verdicts),
        None => Record::Found(last(line)),
    }
}

/// Of Istio's default line, which ends with what was decided and what would have been, each in quotes. A client that
/// writes quotes can write no fields behind these two.
fn at_the_end(line: &str) -> Option<Vec<Verdict>> {
    let (before, dry_run) = line.strip_suffix('"')?.rsplit_once("\" \"")?;
    let (_, decided) = before.rsplit_once(" \"")?;
    let is_decision =
        |text: &str| ["allowed ", "denied ", "audited "].iter().any(|one| text.starts_with(one));
    if !NONE.contains(&decided) && !is_decision(decided) {
        return None;
    }
    if NONE.contains(&dry_run) { Some(Vec::new()) } else { whole(dry_run) }
}

/// `text`, if it is a record and nothing else.
fn whole(text: &str) -> Option<Vec<Verdict>> {
    let (verdicts, rest) = leading(text);
    (!verdicts.is_empty() && rest.is_empty()).then_some(verdicts)
}

/// The last record in a line.
fn last(line: &str) -> Vec<Verdict> {
    let (mut verdicts, mut rest) = (Vec::new(), line);
    while let Some(at) = rest.find(authz::DRY_RUN) {
        let (found, behind) = leading(rest.get(at..).unwrap_or_default());
        if found.is_empty() {
            rest = rest.get(at + authz::DRY_RUN.len()..).unwrap_or_default();
        } else {
            (verdicts, rest) = (found, behind);
        }
    }
    verdicts
}

/// The verdicts at the beginning of a text, and what is behind them.
fn leading(text: &str) -> (Vec<Verdict>, &str) {
    let (mut verdicts, mut rest, mut next) = (Vec::new(), text, Some(text));
    while let Some((verdict, behind)) = next.and_then(verdict) {
        verdicts.push(verdict);
        rest = behind;
        next = behind.strip_prefix(BETWEEN);
    }
    (verdicts, rest)
}

/// One at the beginning of a text, such as `dry-run denied DENY shop/cart[0] (differs)`, and what is behind it.
fn verdict(text: &str) -> Option<(Verdict, &str)> {
    let (decision, rest) = text.strip_prefix(authz::DRY_RUN)?.split_once(' ')?;
    let allowed = match decision {
        "allowed" => true,
        "denied" => false,
        _ => return None,
    };
    let (action, rest) = rest.split_once(' ')?;
    if !matches!(action, "ALLOW" | "DENY") {
        return None;
    }
    let (rule, rest) = match rest.strip_prefix("none") {
        Some(rest) => (None, rest),
        None => {
            let (policy, rest) = rest.split_once('[')?;
            let (number, rest) = rest.split_once(']')?;
            (Some((policy.to_owned(), number.parse().ok()?)), rest)
        }
    };
    let (differs, rest) = match rest.strip_prefix(" (differs)") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    Some((Verdict { action: action.to_owned(), rule, allowed, differs }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGED: &str = "dry-run denied DENY ns/forged[0] (differs)";
    const TRUE: &str = "dry-run allowed DENY none, dry-run allowed ALLOW ns/new[0] (differs)";

    fn names(record: &Record) -> (bool, Vec<String>) {
        let (Record::Sure(verdicts) | Record::Found(verdicts)) = record;
        let name = |one: &Verdict| {
            one.rule.as_ref().map_or("none".to_owned(), |(policy, rule)| format!("{policy}[{rule}]"))
        };
        (matches!(record, Record::Sure(_)), verdicts.iter().map(name).collect())
    }

    #[test]
    fn what_a_client_writes_is_no_record() {
        let text = |agent: &str, end: &str| {
            format!(
                "[t] \"GET /{agent} HTTP/1.1\" 200 - via_upstream - \"-\" 0 5 1 1 \"-\" \"{agent}\" \"id\" \"h\" \"-\" c - - - - r \"-\" \"-\" \"-\" {end}\n"
            )
        };
        let json = |agent: &str, record: &str| {
            format!(r#"envoy-1 | {{"user_agent":"{agent}","path":"/{agent}"{record}}}"#)
        };
        let quoted = format!("x\" \"-\" \"{FORGED}");
        let json_in_text = format!(r#"{{"authz_dry_run":"{FORGED}"}}"#);
        let both = vec!["none".to_owned(), "ns/new[0]".to_owned()];
        for (line, expected) in [
            (text(FORGED, &format!("\"-\" \"{TRUE}\"")), both.clone()),
            (text(FORGED, &format!("\"denied ALLOW none\" \"{TRUE}\"\r")), both.clone()),
            (text(FORGED, "\"-\" \"-\""), vec![]),
            (text(FORGED, "\"\" \"\""), vec![]),
            (text(&quoted, "\"-\" \"-\""), vec![]),
            (text(&json_in_text, "\"-\" \"-\""), vec![]),
            (json(FORGED, &format!(r#","authz_dry_run":"{TRUE}""#)), both),
            (json(FORGED, r#","authz_dry_run":"-""#), vec![]),
            (json(FORGED, r#","authz_dry_run":null"#), vec![]),
            (json(FORGED, ""), vec![]),
        ] {
            assert_eq!(names(&of(&line)), (true, expected), "{line}");
        }
    }

    #[test]
    fn of_an_unknown_format_the_last_counts() {
        for (line, expected) in [
            (format!("{FORGED} {TRUE}"), vec!["none", "ns/new[0]"]),
            (format!("{TRUE} \"curl\""), vec!["none", "ns/new[0]"]),
            (format!("{TRUE}; dry-run maybe"), vec!["none", "ns/new[0]"]),
            (format!("dry-run {FORGED}"), vec!["ns/forged[0]"]),
            ("dry-run maybe".to_owned(), vec![]),
            ("dry-run denied DENY a[b".to_owned(), vec![]),
        ] {
            assert_eq!(
                names(&of(&line)),
                (false, expected.into_iter().map(str::to_owned).collect()),
                "{line}"
            );
        }
    }
}
