//! The part of a line that is shown.

use std::borrow::Cow;
use std::ops::Range;

/// The most bytes of a line that is shown as it is. One file can be one line with thousands of findings, and whoever
/// draws them reads all that they get.
const LONGEST: usize = 400;
/// How many characters of a longer one are shown before the column, and how many from there.
const BEFORE: usize = 50;
const AFTER: usize = 70;

/// What stands for the rest.
const CUT: &str = "…";

/// How many characters are between two of which a line knows where they are.
const STEP: usize = 1024;

/// A line of a file.
#[derive(Debug)]
pub(super) struct Line<'l> {
    text: &'l str,
    /// Where every [`STEP`]th character of a long line is, so that no column is searched for from the beginning.
    marks: Vec<usize>,
}

impl<'l> Line<'l> {
    pub(super) fn new(text: &'l str) -> Self {
        let marks = match text.len() > LONGEST {
            true => text.char_indices().step_by(STEP).map(|(at, _)| at).collect(),
            false => Vec::new(),
        };
        Self { text, marks }
    }

    /// From the character `skip` on.
    fn from(&self, skip: usize) -> &'l str {
        let near = skip / STEP;
        match self.marks.get(near).and_then(|at| self.text.get(*at..)) {
            Some(rest) => split(rest, skip.saturating_sub(near.saturating_mul(STEP))).1,
            None => "",
        }
    }
}

/// A line, or a part of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt<'l> {
    pub(super) text: Cow<'l, str>,
    /// Where in `text` the column is that was asked for, counted as that.
    pub(super) column: u32,
    /// The bytes of the value there.
    pub(super) underlined: Range<usize>,
}

impl<'l> Excerpt<'l> {
    pub(super) fn of(line: &Line<'l>, column: u32) -> Self {
        if line.text.len() <= LONGEST {
            let underlined = underlined(line.text, column);
            return Self { text: line.text.into(), column, underlined };
        }
        let skip = usize::try_from(column).unwrap_or(1).saturating_sub(1).saturating_sub(BEFORE);
        let (part, after) = split(line.from(skip), BEFORE.saturating_add(AFTER));
        let front = if skip == 0 { "" } else { CUT };
        let back = if after.is_empty() { "" } else { CUT };
        let within = column.saturating_sub(u32::try_from(skip).unwrap_or(0));
        let Range { start, end } = underlined(part, within);
        Self {
            text: format!("{front}{part}{back}").into(),
            column: within.saturating_add(u32::from(!front.is_empty())),
            underlined: start.saturating_add(front.len())..end.saturating_add(front.len()),
        }
    }
}

/// The first `count` characters, and the rest.
fn split(text: &str, count: usize) -> (&str, &str) {
    let mut rest = text.chars();
    if let Some(last) = count.checked_sub(1) {
        rest.nth(last);
    }
    let at = text.len().saturating_sub(rest.as_str().len());
    text.split_at_checked(at).unwrap_or((text, ""))
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

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let line = "ü".repeat(300);
        let excerpt = |column| {
            let Excerpt { text, column, underlined } = Excerpt::of(&Line::new(&line), column);
            (text.chars().count(), column, text.get(underlined).unwrap().chars().count())
        };
        // A `…` at the end, at both ends, at the beginning.
        assert_eq!(excerpt(1), (121, 1, 120));
        assert_eq!(excerpt(51), (121, 51, 70));
        assert_eq!(excerpt(100), (122, 52, 70));
        assert_eq!(excerpt(300), (52, 52, 1));
        assert_eq!(excerpt(301), (51, 52, 0));
        assert_eq!(excerpt(9_999).2, 0);
        let short = Excerpt::of(&Line::new("  a: b"), 3);
        assert_eq!((&*short.text, short.column, short.underlined), ("  a: b", 3, 2..6));
    }
}
