//! YAML to [`Node`] trees, with the position of every value.
//!
//! Scalars are taken as Kubernetes takes them (see [`scalar`]); anchors and merge keys are resolved, within bounds.

mod builder;
mod flow;
mod scalar;

use crate::node::{Node, Position};

/// How deep values may be nested.
const DEEPEST: usize = 100;
/// How many values a text may come to, aliases counted as what they stand for.
const MOST: usize = 2_000_000;

/// Why a text, or a document of it, is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) position: Position,
}

/// Reads a text of any number of documents. One that is broken does not hide the others.
pub(crate) fn parse(text: &str) -> Vec<Result<Node, YamlError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut budget = MOST;
    split(text).into_iter().flat_map(|(line, document)| builder::read(document, line, &mut budget)).collect()
}

/// Cuts a text at its lines `---`, which end a document wherever they stand. With each part comes the number of
/// lines before it.
fn split(text: &str) -> Vec<(u32, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut start_line) = (0, 0);
    let (mut at, mut line) = (0, 0);
    for row in text.split_inclusive('\n') {
        let marker = row
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        // Directives belong to the document which follows them.
        if marker && !only_directives(text.get(start..at).unwrap_or_default()) {
            parts.push((start_line, text.get(start..at).unwrap_or_default()));
            (start, start_line) = (at, line);
        }
        at += row.len();
        line += 1;
    }
    parts.push((start_line, text.get(start..).unwrap_or_default()));
    parts
}

fn only_directives(text: &str) -> bool {
    text.lines().all(|line| line.starts_with(['%', '#']) || line.trim().is_empty())
}

#[cfg(test)]
mod tests;
