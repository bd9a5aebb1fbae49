//! Tables of resources, each row with what is said about it, in files that a reader can check by eye:
//!
//! ```text
//! === fields of a route                 what the rows of this section are
//! kind: VirtualService                  the resource around each of them; its place is `@`
//! spec: {http: [@]}
//! ===
//! timeout: 0s                           a row: some lines,
//!          ^ error IST0106 spec.http[0].timeout: …    what is said, below its place,
//!          | what to write instead                    the hint
//!
//! timeout: 1s                           rows are apart by an empty line
//! = ok                                  nothing is said
//! ```
//!
//! What is said about a place outside of the row stands at its end, as `> line:column error …`. The tests of the
//! command line include this file too.

use std::fmt::Write as _;

/// One thing that is said about a resource.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// Line and column, from 1.
    pub(crate) place: Option<(usize, usize)>,
    /// `error IST0106 spec.hosts: why`.
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

/// The table as it would have to be written: `judge` is asked about the resource of each row, in order.
pub(crate) fn rewrite(table: &str, mut judge: impl FnMut(&str) -> Vec<Said>) -> String {
    let mut out = String::new();
    let mut template = Vec::new();
    let mut in_template = false;
    let mut row: Vec<&str> = Vec::new();
    for line in table.lines().chain([""]) {
        if let Some(title) = line.strip_prefix("===") {
            in_template = !title.is_empty();
            if in_template {
                template.clear();
            }
        } else if in_template {
            template.push(line);
        } else if line.starts_with('#') {
        } else if !line.is_empty() {
            row.extend((!is_said(line)).then_some(line));
            continue;
        } else if !row.is_empty() {
            finish(&template, &std::mem::take(&mut row), &mut judge, &mut out);
        }
        out.push_str(line);
        out.push('\n');
    }
    out.pop();
    out
}

fn is_said(line: &str) -> bool {
    ["^ ", "> ", "| ", "= ok"].iter().any(|mark| line.trim_start().starts_with(mark))
}

fn finish(template: &[&str], row: &[&str], judge: &mut impl FnMut(&str) -> Vec<Said>, out: &mut String) {
    let (text, line, column) = resource(template, row);
    let (mut inside, outside): (Vec<_>, Vec<_>) = judge(&text).into_iter().partition(|said| {
        said.place.is_some_and(|(at, from)| (line..line + row.len()).contains(&at) && from > column)
    });
    if inside.is_empty() && outside.is_empty() {
        let _ = writeln!(out, "{}\n= ok", row.join("\n"));
        return;
    }
    inside.sort_by_key(|said| said.place);
    for (n, text) in row.iter().enumerate() {
        let _ = writeln!(out, "{text}");
        for said in inside.iter().filter(|said| said.place.is_some_and(|(at, _)| at == line + n)) {
            let indent = " ".repeat(said.place.map_or(0, |(_, from)| from - column - 1));
            let _ = writeln!(out, "{indent}^ {}", said.text);
            if let Some(hint) = &said.hint {
                let _ = writeln!(out, "{indent}| {hint}");
            }
        }
    }
    for said in outside {
        let place = said.place.map_or("-".to_owned(), |(line, column)| format!("{line}:{column}"));
        let _ = writeln!(out, "> {place} {}", said.text);
        if let Some(hint) = &said.hint {
            let _ = writeln!(out, "| {hint}");
        }
    }
}

/// The row within its resource, the line where it begins, and the columns before it.
fn resource(template: &[&str], row: &[&str]) -> (String, usize, usize) {
    let (mut text, mut place) = (String::new(), (0, 0));
    for (n, line) in template.iter().enumerate() {
        let Some((before, after)) = place_of_row(line) else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        place = (n + 1, before.len());
        let indent = format!("\n{}", " ".repeat(before.len()));
        let _ = writeln!(text, "{before}{}{after}", row.join(&indent));
    }
    (text, place.0, place.1)
}

/// A line of a template before and after the `@`, which stands at its end or is all that is in brackets.
fn place_of_row(line: &str) -> Option<(&str, &str)> {
    line.split_once('@').filter(|(_, after)| after.chars().all(|letter| matches!(letter, '}' | ']')))
}
