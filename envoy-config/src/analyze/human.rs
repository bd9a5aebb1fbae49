//! Findings for people: the line of the file with what is meant underlined, as rustc shows it.

mod excerpt;

use std::collections::HashMap;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Mark, Origin, Renderer, Snippet};
use outrigger_api::problem::printable;

use self::excerpt::{Excerpt, Line};
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
struct Lines<'f>(HashMap<&'f str, Vec<Line<'f>>>);

impl<'f> Lines<'f> {
    fn of(files: &[&'f SourceFile]) -> Self {
        Self(files.iter().map(|file| (&*file.name, file.text.lines().map(Line::new).collect())).collect())
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
    // The place as the excerpt has it, and as the file has it.
    let mut moved = None;
    if let Some(name) = finding.file.as_deref() {
        let lines = lines.0.get(name);
        let line = finding.line.and_then(|line| {
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            Some((line, lines?.get(index)?))
        });
        group = match line {
            Some((number, source)) => {
                let column = finding.column.unwrap_or(1);
                let excerpt = Excerpt::of(source, column);
                if excerpt.column != column {
                    let place = |column| format!("{name}:{number}:{column}");
                    moved = Some((place(excerpt.column), place(column)));
                }
                group.element(
                    Snippet::source(excerpt.text)
                        .path(name)
                        .line_start(usize::try_from(number).unwrap_or(1))
                        .annotation(AnnotationKind::Primary.span(excerpt.underlined).label(label)),
                )
            }
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
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let help = finding.hint.as_deref().map(|hint| Group::with_title(Mark::HELP.secondary_title(hint)));
    let text = match (help, &finding.file) {
        // Together they would have a line between them that leads nowhere.
        (Some(help), None) => renderer.render(&[group]) + "\n" + &renderer.render(&[help]),
        (help, _) => renderer.render(&[group].into_iter().chain(help).collect::<Vec<_>>()),
    };
    let text = match moved {
        Some((shown, meant)) => text.replacen(&shown, &meant, 1),
        None => text,
    };
    text + "\n"
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
    // Some letters turn around the order in which a terminal shows the line.
    let turns = |letter| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    printable(label).replace(turns, "\u{fffd}")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(file: Option<&str>, column: u32) -> Finding {
        Finding {
            code: "OUT0000",
            level: Level::Warning,
            message: "what it is".to_owned(),
            hint: Some("what to do".to_owned()),
            kind: None,
            namespace: None,
            name: None,
            file: file.map(Into::into),
            line: Some(1),
            column: Some(column),
            path: "spec".to_owned(),
        }
    }

    fn shown_plain(file: Option<&str>, line: &str, column: u32) -> String {
        let finding = finding(file, column);
        let source = SourceFile::new("a.json", line.as_bytes());
        anstream::adapter::strip_str(&one(&finding, &[&source])).to_string()
    }

    #[test]
    fn a_long_line_is_cut_and_its_column_is_still_that_of_the_file() {
        let line = format!("[{}{{\"ä\": 17}}, {}]", "\"é\", ".repeat(9_000), "\"é\", ".repeat(9_000));
        let text = shown_plain(Some("a.json"), &line, 45_003);
        assert!(text.contains("--> a.json:1:45003\n"), "{text}");
        let lines: Vec<_> = text.lines().collect();
        let source = lines.iter().find(|line| line.starts_with("1 |")).unwrap();
        let marks = lines.iter().find(|line| line.contains('^')).unwrap();
        let marked: String = source
            .chars()
            .zip(marks.chars())
            .filter(|(_, mark)| *mark == '^')
            .map(|(letter, _)| letter)
            .collect();
        assert_eq!(marked, "\"ä\": 17", "{text}");
        assert!(source.contains('…') && source.chars().count() < 140, "{text}");
    }

    #[test]
    fn no_name_gives_a_terminal_orders() {
        let named = Finding {
            kind: Some("Gateway".to_owned()),
            name: Some("a\u{1b}[2J".to_owned()),
            ..finding(Some("a.json"), 1)
        };
        assert_eq!(label(&named), "Gateway /a\\u{1b}[2J: spec");
    }

    #[test]
    fn a_finding_without_a_file_has_no_line_that_leads_nowhere() {
        let text = shown_plain(None, "", 1);
        assert_eq!(text, "warning[OUT0000]: what it is\nhelp: what to do\n");
    }
}
