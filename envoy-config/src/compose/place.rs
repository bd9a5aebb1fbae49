//! Where things stand in the lines of a compose file.

use std::ops::Range;

/// The lines of a text, each with its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'t, 'l>(pub(super) &'l [&'t str]);

/// A key with its value, as lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of the key.
    pub(super) key: usize,
    /// How far the key is indented.
    pub(super) indent: usize,
    /// The line after the last one of the value.
    pub(super) end: usize,
    /// How far what is inside is indented, if it begins on a line of its own.
    pub(super) inside: Option<usize>,
}

impl Block {
    /// The lines of key and value.
    pub(super) const fn lines(&self) -> Range<usize> {
        self.key..self.end
    }
}

impl Lines<'_, '_> {
    fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).copied()
    }

    /// The value of the key in line `key`, `indent` spaces in.
    pub(super) fn block(&self, key: usize, indent: usize) -> Block {
        let belongs = |line: &str| {
            let depth = depth(line);
            depth > indent || (depth == indent && is_item(line))
        };
        let mut end = key + 1;
        let mut inside = None;
        let mut at = key + 1;
        while let Some(line) = self.get(at) {
            if is_silent(line) {
                at += 1;
                // A comment that is deeper belongs to what is before it, an empty line only if something follows.
                if !line.trim().is_empty() && depth(line) > indent {
                    end = at;
                }
                continue;
            }
            if !belongs(line) || line.starts_with("---") || line.starts_with("...") {
                break;
            }
            if inside.is_none() && self.opens(key) {
                inside = Some(depth(line));
            }
            at += 1;
            end = at;
        }
        Block { key, indent, end, inside }
    }

    /// Whether nothing but a comment follows the colon at the end of this line: no value, no anchor, no tag.
    fn opens(&self, key: usize) -> bool {
        let line = self.get(key).unwrap_or_default();
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        line.ends_with(':')
    }
}

/// By how many spaces a line is indented.
fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line is empty or a comment.
fn is_silent(line: &str) -> bool {
    let content = line.trim();
    content.is_empty() || content.starts_with('#')
}

/// Whether a line is an element of a list.
fn is_item(line: &str) -> bool {
    let content = line.trim();
    content == "-" || content.starts_with("- ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, key: usize, indent: usize) -> Block {
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        Lines(&lines).block(key, indent)
    }

    #[test]
    fn a_value_ends_where_the_next_key_begins() {
        let text = "services:\n  a:\n    image: x\n    # of a\n\n  # of b\n  b:\n    image: y\n\nvolumes:\n";
        assert_eq!(block(text, 0, 0), Block { key: 0, indent: 0, end: 8, inside: Some(2) });
        assert_eq!(block(text, 1, 2), Block { key: 1, indent: 2, end: 4, inside: Some(4) });
        assert_eq!(block(text, 9, 0), Block { key: 9, indent: 0, end: 10, inside: None });
    }

    #[test]
    fn a_list_may_stand_as_far_left_as_its_key() {
        let text = "a:\n- 1\n- 2\nb: {c: d}\n";
        assert_eq!(block(text, 0, 0), Block { key: 0, indent: 0, end: 3, inside: Some(0) });
        assert_eq!(block(text, 3, 0), Block { key: 3, indent: 0, end: 4, inside: None });
    }

    #[test]
    fn an_anchor_closes_a_block() {
        let text = "a: &a\n  b: c\n";
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let lines = Lines(&lines);
        assert_eq!(lines.block(0, 0), Block { key: 0, indent: 0, end: 2, inside: None });
    }
}
