//! What is wrong with a resource, where, and what to do about it.

use std::{fmt, sync::Arc};

use crate::{node::Position, path::FieldPath};

/// Codes of problems: Istio's own where it has one (`IST0106`), else Outrigger's (`OUT0001`).
pub mod code {
    /// A field is deprecated.
    pub const DEPRECATED: &str = "IST0002";
    /// A field is not as Istio's schema and validation want it.
    pub const SCHEMA: &str = "IST0106";
    /// A field is valid, and yet surely not meant so.
    pub const WARNING: &str = "IST0133";
    /// The text is not YAML or JSON.
    pub const SYNTAX: &str = "OUT0001";
    /// A resource or field is Istio's, but Outrigger does not carry it out.
    pub const UNSUPPORTED: &str = "OUT0002";
    /// A filter's configuration is not `{"proxy": …, "resources": […], "extensionProviders": […]}`.
    pub const CONFIG: &str = "OUT0003";
}

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The resource can be used.
    Warning,
    /// It can't.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing that is wrong. Prints as `file:line:column: error: message (path)`, the hint on a second line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// One of [`code`].
    pub code: &'static str,
    /// A sentence in lower case without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The field.
    pub path: FieldPath,
    /// Where it stands, if it was read from YAML.
    pub position: Option<Position>,
    /// The file it was read from.
    pub file: Option<Arc<str>>,
    /// The resource it is in, as far as that is known.
    pub resource: ResourceName,
}

/// Which resource a [`Problem`] is in, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct ResourceName {
    /// Its kind.
    pub kind: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

impl Problem {
    /// Whether it makes the resource unusable.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A message without control characters: it may quote a hostile text, and a terminal would obey them.
pub fn printable(message: String) -> String {
    if !message.contains(char::is_control) {
        return message;
    }
    let mut clean = String::with_capacity(message.len());
    for letter in message.chars() {
        if letter.is_control() {
            clean.extend(letter.escape_default());
        } else {
            clean.push(letter);
        }
    }
    clean
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{file}:")?;
        }
        if let Some(position) = self.position {
            write!(formatter, "{position}:")?;
        }
        if self.file.is_some() || self.position.is_some() {
            formatter.write_str(" ")?;
        }
        write!(formatter, "{}: {}", self.severity, self.message)?;
        if !self.path.segments().is_empty() {
            write!(formatter, " ({})", printable(self.path.to_string()))?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
