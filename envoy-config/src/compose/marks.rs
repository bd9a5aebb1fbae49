//! The marks around what was added, and how to take it out again.

use super::ComposeError;

/// Begins what was added.
pub(super) const BEGIN: &str = "# >>> outrigger";
/// Ends it.
pub(super) const END: &str = "# <<< outrigger";
/// Before a line of the user's that something else stands for.
pub(super) const WAS: &str = "#outrigger-was:";

/// The text without what was added to it.
pub(super) fn remove(text: &str) -> Result<String, ComposeError> {
    let mut plain = String::new();
    let mut open = None;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim();
        if content.starts_with(BEGIN) {
            open = Some(at);
        } else if content == END {
            if open.take().is_none() {
                return Err(broken(at, &format!("`{END}` without a `{BEGIN}` before it")));
            }
        } else if open.is_none() {
            let indented = line.trim_start_matches(' ');
            match indented.strip_prefix(WAS) {
                Some(rest) => {
                    plain.extend(std::iter::repeat_n(' ', line.len().saturating_sub(indented.len())));
                    plain.push_str(rest);
                }
                None => plain.push_str(line),
            }
        }
    }
    match open {
        Some(at) => Err(broken(at, &format!("`{BEGIN}` without a `{END}` after it"))),
        None => Ok(plain),
    }
}

/// The same line as a comment, from which [`remove`] makes it again.
pub(super) fn was(line: &str) -> String {
    let content = line.trim_start_matches(' ');
    let (indent, _) = line.split_at_checked(line.len().saturating_sub(content.len())).unwrap_or(("", line));
    format!("{indent}{WAS}{content}")
}

fn broken(line: usize, message: &str) -> ComposeError {
    let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
    ComposeError::new(message, Some(outrigger_api::node::Position { line, column: 1 }))
        .hint("take out what `outrigger compose inject` has added by hand, or begin with the file as it was")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_was() {
        for line in ["    networks: [a]\n", "  - x  \n", "\n", "   \n", "a: b\n", "  #outrigger-was:x\n"] {
            assert_eq!(remove(&was(line)).unwrap(), line, "{line:?}");
        }
    }

    #[test]
    fn what_was_added_goes() {
        let text = "a: 1\n  # >>> outrigger: because\n  b: 2\n  # <<< outrigger\nc: 3";
        assert_eq!(remove(text).unwrap(), "a: 1\nc: 3");
        assert!(remove("# >>> outrigger\n").unwrap_err().message.contains("without"));
        assert_eq!(remove("a\n# <<< outrigger\n").unwrap_err().position.unwrap().line, 2);
    }
}
