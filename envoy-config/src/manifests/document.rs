//! YAML documents with what people should know in front.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use outrigger_api::Resource;
use serde::Serialize;

use super::error::Error;
use crate::modules::Module;
use crate::render;

/// The width of comments.
const WIDTH: usize = 112;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// A name for its file, without an ending.
    pub name: String,
    /// With comments in front.
    pub yaml: String,
}

/// What was rendered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifests {
    /// In the order in which they are to be applied.
    pub documents: Vec<Document>,
    /// What people should know.
    pub notes: Vec<String>,
    /// The modules that they load.
    pub modules: Vec<Module>,
}

impl Document {
    /// `value` below paragraphs of comments.
    pub(super) fn new(
        name: impl Into<String>,
        comments: &[String],
        value: &impl Serialize,
    ) -> Result<Self, Error> {
        let mut yaml = String::new();
        for comment in comments.iter().filter(|comment| !comment.is_empty()) {
            wrap(&mut yaml, comment);
        }
        let body = render::to_yaml(value).map_err(|error| Error::Yaml(error.to_string()))?;
        yaml.push_str(&body);
        Ok(Self { name: name.into(), yaml })
    }
}

impl Manifests {
    /// All of it as one text, below where it comes from.
    pub fn to_yaml(&self, target: &str, resources: &[Resource]) -> String {
        let bodies: Vec<&str> = self.documents.iter().map(|document| document.yaml.as_str()).collect();
        header(target, resources) + &bodies.join("---\n")
    }

    /// A file for each document.
    pub fn files(&self, target: &str, resources: &[Resource]) -> Vec<(String, String)> {
        let file = |document: &Document| {
            (format!("{}.yaml", document.name), header(target, resources) + &document.yaml)
        };
        self.documents.iter().map(file).collect()
    }
}

fn header(target: &str, resources: &[Resource]) -> String {
    let mut text = format!(
        "# Rendered by `outrigger render --to {target}`; a change here is lost when it is rendered again.\n"
    );
    let sources: BTreeSet<_> = resources.iter().filter_map(|one| one.source.file.as_deref()).collect();
    if !sources.is_empty() {
        text.push_str("# From:\n");
        for source in sources {
            let _ = writeln!(text, "#   {}", source.escape_debug());
        }
    }
    text
}

/// A paragraph as comment lines. What comes from resources has no line breaks left.
fn wrap(text: &mut String, paragraph: &str) {
    let mut line = String::from("#");
    for word in paragraph.split_whitespace() {
        if line.len() + word.len() >= WIDTH && line.len() > 1 {
            text.push_str(&line);
            text.push('\n');
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_strings_for_readers_of_yaml_1_1() {
        // Kubernetes reads YAML 1.1, where these would be booleans, numbers, times or nothing.
        for text in [
            "yes",
            "No",
            "on",
            "OFF",
            "y",
            "n",
            "true",
            "~",
            "null",
            "",
            "012",
            "0o17",
            "0x1f",
            "1_000",
            "1e3",
            ".inf",
            ".NaN",
            "12:30:45",
            "2020-01-01",
            "=",
            "<<",
            "- a",
            "a: b",
            "a #b",
            "*",
            "&a",
            "!a",
            "%",
            "@a",
            "`",
            " a",
            "a ",
        ] {
            let document = Document::new("a", &[], &serde_json::json!([text])).unwrap();
            let quoted = document.yaml.contains('"') || document.yaml.contains('\'');
            assert!(quoted, "{text}: {}", document.yaml);
        }
    }

    #[test]
    fn comments_stay_comments() {
        let comment = format!("one\ntwo: {}", "word ".repeat(40));
        let document = Document::new("a", &[comment, String::new()], &serde_json::json!({"a": 1})).unwrap();
        let (comments, rest): (Vec<_>, Vec<_>) =
            document.yaml.lines().partition(|line| line.starts_with("# "));
        assert_eq!(rest, ["a: 1"]);
        assert!(comments.len() == 2 && comments.iter().all(|line| line.len() <= WIDTH), "{comments:?}");
    }
}
