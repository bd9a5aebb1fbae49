//! One thing that is worth knowing about the resources, as every output format shows it.

use std::sync::Arc;

use outrigger_api::{Problem, Resource, Severity};
use serde::Serialize;

/// How much a [`Finding`] matters. The worst comes first in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Level {
    /// The resources can't be used as they are.
    Error,
    /// They can, but hardly as meant.
    Warning,
    /// Good to know.
    Info,
}

impl Level {
    /// The name in JSON output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Info => "Info",
        }
    }
}

/// One finding. What is not known is `None`, and `null` in JSON. The names of the fields are a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Istio's code (`IST0101`) where Istio has one, else ours (`OUT0201`).
    pub code: &'static str,
    /// How much it matters.
    pub level: Level,
    /// A sentence in lower case without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Kind of the resource.
    pub kind: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The file it stands in, as given.
    pub file: Option<Arc<str>>,
    /// Line of the field, from 1.
    pub line: Option<u32>,
    /// Column of the field, from 1, in characters.
    pub column: Option<u32>,
    /// The field, such as `spec.http[0].route[1]`; empty for the resource or file as a whole.
    pub path: String,
}

impl Finding {
    /// About the field at `path` of `resource`.
    pub fn new(code: &'static str, level: Level, resource: &Resource, path: &str, message: String) -> Self {
        let position = resource.position(path);
        Self {
            code,
            level,
            message,
            hint: None,
            kind: Some(resource.kind.to_string()),
            namespace: Some(resource.meta.namespace.clone()),
            name: Some(resource.meta.name.clone()),
            file: resource.source.file.clone(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            path: path.to_owned(),
        }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl From<&Problem> for Finding {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.code,
            level: match problem.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            message: problem.message.clone(),
            hint: problem.hint.clone(),
            kind: problem.resource.kind.clone(),
            namespace: problem.resource.namespace.clone(),
            name: problem.resource.name.clone(),
            file: problem.file.clone(),
            line: problem.position.map(|position| position.line),
            column: problem.position.map(|position| position.column),
            path: problem.path.to_string(),
        }
    }
}
