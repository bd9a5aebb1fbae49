//! Findings for people: the line of the file with what is meant underlined, as rustc shows it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Mark, Origin, Renderer, Snippet};

use super::finding::{Finding, Level};
use crate::load::SourceFile;

/// All findings and a line that counts them. Coloured: the caller strips that where it is not wanted.
pub fn report(findings: &[Finding], files: &[&SourceFile]) -> String {
    let lines = Lines::of(files);
    let mut text = findings.iter().map(|finding| shown(finding, &lines) + "\n").collect::<String>();
    let _ = writeln!(text, "{}", summary(findings, files.len()));
    text
}

/// One finding.
pub fn one(finding: &Finding, files: &[&SourceFile]) -> String {
    let needed = files.iter().copied().filter(|file| finding.file.as_deref() == Some(&*file.name));
    shown(finding, &Lines::of(&needed.collect::<Vec<_>>()))
}

/// The lines of each file, so that thousands of findings don't search for them again and again.
struct Lines<'f>(HashMap<&'f str, Vec<&'f str>>);

impl<'f> Lines<'f> {
    fn of(files: &[&'f SourceFile]) -> Self {
        Self(files.iter().map(|file| (&*file.name, file.text.lines().collect())).collect())
    }
}

fn shown(finding: &Finding, lines: &Lines<'_>) -> String {
    let mark = match finding.level {
        Level::Error => Mark::ERROR,
        Level::Warning => Mark::WARNING,
        Level::Info => Mark::INFO,
    };
    let mut group = Group::with_title(mark.primary_title(finding.message.as_str()).id(finding.code));
    let label = label(finding);
    if let Some(name) = finding.file.as_deref() {
        let lines = lines.0.get(name);
        let line = finding.line.and_then(|line| {
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            Some((line, *lines?.get(index)?))
        });
        group = match line {
            Some((number, source)) => group.element(
                Snippet::source(source)
                    .path(name)
                    .line_start(usize::try_from(number).unwrap_or(1))
                    .annotation(
                        AnnotationKind::Primary
                            .span(underlined(source, finding.column.unwrap_or(1)))
                            .label(label),
                    ),
            ),
            None => {
                let number = |number: Option<u32>| number.and_then(|it| usize::try_from(it).ok());
                let origin = match (number(finding.line), number(finding.column)) {
                    (Some(line), Some(column)) => Origin::path(name).line(line).char_column(column),
                    _ => Origin::path(name),
                };
                group.element(origin)
            }
        };
    }
    let mut report = vec![group];
    if let Some(hint) = &finding.hint {
        report.push(Group::with_title(Mark::HELP.secondary_title(hint.as_str())));
    }
    Renderer::styled().decor_style(DecorStyle::Ascii).render(&report) + "\n"
}

/// Which resource, which field.
fn label(finding: &Finding) -> String {
    let mut label = String::new();
    if let (Some(kind), Some(name)) = (&finding.kind, &finding.name) {
        let namespace = finding.namespace.as_deref().unwrap_or_default();
        let _ = write!(label, "{kind} {namespace}/{name}");
    }
    if !finding.path.is_empty() {
        let _ = write!(label, "{}{}", if label.is_empty() { "" } else { ": " }, finding.path);
    }
    label
}

/// How many there are of which level.
pub fn summary(findings: &[Finding], files: usize) -> String {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings, infos) = (count(Level::Error), count(Level::Warning), count(Level::Info));
    let found = match (errors, warnings, infos) {
        (0, 0, 0) => "no findings".to_owned(),
        _ => format!("{}, {}, {infos} info", plural(errors, "error"), plural(warnings, "warning")),
    };
    format!("{found} in {}", plural(files, "file"))
}

/// The bytes of `line` from the character at `column` to the end of the value there: in flow style to the `,` or
/// bracket that ends it, else to the end of the line without a comment.
fn underlined(line: &str, column: u32) -> Range<usize> {
    let skip = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let start = line.char_indices().nth(skip).map_or(line.len(), |(at, _)| at);
    let rest = line.get(start..).unwrap_or_default();
    let (mut depth, mut quote, mut before) = (0i32, None, ' ');
    let mut end = rest.len();
    for (at, letter) in rest.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(letter),
            (None, '{' | '[') => depth = depth.saturating_add(1),
            (None, '}' | ']') if depth == 0 => {
                end = at;
                break;
            }
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, '#') if before.is_whitespace() => {
                end = at;
                break;
            }
            (None, ',')
                if depth == 0 && rest.get(at.saturating_add(1)..).is_some_and(|r| r.starts_with(' ')) =>
            {
                end = at;
                break;
            }
            _ => {}
        }
        before = letter;
    }
    let length = rest.get(..end).unwrap_or(rest).trim_end().len();
    // Something must be underlined, even at the end of a line.
    let length = if length == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { length };
    start..start.saturating_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_underlined() {
        for (line, column, meant) in [
            ("  timeout: 0s # never", 3, "timeout: 0s"),
            ("  - uri: {prefix: /a}", 5, "uri: {prefix: /a}"),
            ("  - {uri: {prefix: /a}, name: b}", 6, "uri: {prefix: /a}"),
            ("  - {uri: {prefix: /a}, name: b}", 25, "name: b"),
            ("  value: \"a # b, c\"", 3, "value: \"a # b, c\""),
            ("  it's: 1", 3, "it's: 1"),
            ("é: ü", 4, "ü"),
            ("  key:", 3, "key:"),
            ("  x", 9, ""),
            ("}", 1, "}"),
        ] {
            assert_eq!(line.get(underlined(line, column)), Some(meant), "{line}");
        }
    }
}
