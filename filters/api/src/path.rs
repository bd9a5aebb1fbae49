//! The path of a field, as messages print it: `spec.http[0].match[1].uri.regex`.

use std::fmt;

/// A way from the root of a resource (or of a filter's configuration) to one of its values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct FieldPath(Vec<Segment>);

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A field, or a key of a map.
    Field(String),
    /// An element of a list, from 0.
    Index(usize),
}

impl FieldPath {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads what [`FieldPath`] prints. Any text is a path: what is no index is a field.
    pub fn parse(text: &str) -> Self {
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if let Some((key, after)) = rest.strip_prefix("[\"").and_then(|quoted| quoted.split_once("\"]")) {
                path.0.push(Segment::Field(key.to_owned()));
                rest = after;
            } else if let Some((index, after)) = index(rest) {
                path.0.push(Segment::Index(index));
                rest = after;
            } else {
                let end = rest.char_indices().skip(1).find(|(_, letter)| matches!(letter, '.' | '['));
                let (name, after) =
                    rest.split_at_checked(end.map_or(rest.len(), |(at, _)| at)).unwrap_or((rest, ""));
                if !name.is_empty() {
                    path.0.push(Segment::Field(name.to_owned()));
                }
                rest = after;
            }
        }
        path
    }

    /// The steps, from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// This path with a further field.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.with(Segment::Field(name.to_owned()))
    }

    /// This path with a further index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.0.push(segment);
        path
    }

    pub(crate) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// This path, seen from further up.
    #[must_use]
    pub fn below(&self, root: &Self) -> Self {
        Self(root.0.iter().chain(&self.0).cloned().collect())
    }
}

fn index(text: &str) -> Option<(usize, &str)> {
    let (digits, after) = text.strip_prefix('[')?.split_once(']')?;
    Some((digits.parse().ok()?, after))
}

/// Whether a name can't be taken for anything else between the dots of a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '/'))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::Field(name) if !is_plain(name) => {
                    write!(formatter, "[\"{name}\"]")?;
                }
                Segment::Field(name) if at == 0 => formatter.write_str(name)?,
                Segment::Field(name) => write!(formatter, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for text in [
            "",
            "spec",
            "spec.http[0].match[1].uri.regex",
            "[2].x",
            "spec.http[0].match[0].headers.end-user",
            "a[\"b.c\"].d",
            "a[\"\"]",
            "resources[2].spec",
        ] {
            assert_eq!(FieldPath::parse(text).to_string(), text);
        }
    }

    #[test]
    fn reads_any_text() {
        for text in ["[", "]", "[x", "..", "a[b]c", "[[", "[\"", "é[é", "[99999999999999999999]"] {
            let _ = FieldPath::parse(text).to_string();
        }
    }
}
