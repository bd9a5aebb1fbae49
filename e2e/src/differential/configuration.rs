//! Resources that are tried together.

use serde_json::Value;

/// Resources that belong together, under names of their own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration {
    /// What stands in the name of every host and resource, and nowhere else.
    pub(super) tag: String,
    /// The resources.
    pub(super) resources: Vec<Value>,
}

impl Configuration {
    /// The same under other names.
    pub(super) fn renamed(&self, tag: &str) -> Self {
        let rename = |resource: &Value| {
            serde_json::from_str(&resource.to_string().replace(&self.tag, tag)).unwrap_or_default()
        };
        Self { tag: tag.to_owned(), resources: self.resources.iter().map(rename).collect() }
    }

    /// The resources of a kind.
    pub(super) fn kind<'c>(&'c self, kind: &'c str) -> impl Iterator<Item = &'c Value> {
        self.resources.iter().filter(move |resource| resource["kind"] == kind)
    }
}

/// The tag of the configuration with this number. All are equally long, so that one can stand for another in a path.
pub(super) fn tag(number: usize) -> String {
    format!("c{number:06}")
}
