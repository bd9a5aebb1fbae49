//! A value together with the way to it, so that whatever is said about it names its place.

use std::fmt::Display;

use super::sink::Sink;
use crate::{
    node::{Node, Position, Value},
    ordered,
    path::{FieldPath, Segment},
    problem::{Severity, code},
};

/// One value of the tree being decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) node: &'a Node,
    pub(crate) sink: &'a Sink,
    /// Where the field's name stands, if it has one.
    key: Option<Position>,
    step: Step<'a>,
}

/// The last step of the way to a value.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a Cursor<'a>, &'a str),
    Index(&'a Cursor<'a>, usize),
}

impl<'a> Cursor<'a> {
    pub(crate) fn root(node: &'a Node, sink: &'a Sink) -> Self {
        Self { node, sink, key: None, step: Step::Root }
    }

    pub(crate) fn field(&'a self, name: &'a str, key: Option<Position>, node: &'a Node) -> Self {
        Self { node, sink: self.sink, key, step: Step::Field(self, name) }
    }

    #[inline(never)]
    pub(crate) fn index(&'a self, index: usize, node: &'a Node) -> Self {
        Self { node, sink: self.sink, key: None, step: Step::Index(self, index) }
    }

    #[inline(never)]
    pub(crate) fn path(&self) -> FieldPath {
        match self.step {
            Step::Root => FieldPath::root(),
            Step::Field(parent, name) => extend(parent, Segment::Field(name.to_owned())),
            Step::Index(parent, index) => extend(parent, Segment::Index(index)),
        }
    }

    /// The namespace of the resource.
    pub(crate) fn namespace(&self) -> &'a str {
        &self.sink.context.namespace
    }

    /// What is wrong is a part of this value that isn't there, or its whole.
    fn whole(&self) -> (FieldPath, Option<Position>) {
        (self.path(), self.key.or(self.node.position))
    }

    /// What is wrong is what the value says.
    fn place(&self) -> (FieldPath, Option<Position>) {
        match self.node.value {
            Value::Mapping(_) | Value::Sequence(_) | Value::Null => self.whole(),
            _ => (self.path(), self.node.position),
        }
    }

    /// Reports that Istio would refuse the name of this entry of a map.
    #[inline(never)]
    pub(crate) fn key_error(&self, name: &str, reason: &str) {
        let message = match name {
            "" => "the name must not be empty".to_owned(),
            _ => format!("`{}` {reason}", shorten(name)),
        };
        self.sink.report(Severity::Error, code::SCHEMA, self.whole(), message, None);
    }

    /// Reports that Istio would refuse this.
    pub(crate) fn error(&self, message: impl Display) {
        self.tell(Severity::Error, code::SCHEMA, &message, None);
    }

    /// The same, and what to do about it.
    pub(crate) fn error_hint(&self, message: impl Display, hint: impl Display) {
        self.tell(Severity::Error, code::SCHEMA, &message, Some(&hint));
    }

    /// Reports that Istio takes this, but that it is surely not meant so. For people: a filter tells nobody.
    pub(crate) fn warn(&self, message: impl Display) {
        if cfg!(feature = "yaml") {
            self.tell(Severity::Warning, code::WARNING, &message, None);
        }
    }

    /// The same, and what to do about it.
    pub(crate) fn warn_hint(&self, message: impl Display, hint: impl Display) {
        if cfg!(feature = "yaml") {
            self.tell(Severity::Warning, code::WARNING, &message, Some(&hint));
        }
    }

    /// Reports that Istio has a newer way for this.
    #[inline]
    pub(crate) fn deprecated(&self, name: &str, instead: &str) {
        if cfg!(feature = "yaml") {
            let (message, hint) = (format_args!("`{name}` is deprecated"), format_args!("use {instead}"));
            self.tell(Severity::Warning, code::DEPRECATED, &message, Some(&hint));
        }
    }

    /// Reports that Istio takes this, and Outrigger can't carry it out.
    pub(crate) fn unsupported(&self, message: impl Display) {
        self.tell(Severity::Error, code::UNSUPPORTED, &message, None);
    }

    // Decoders call this hundreds of times: texts are made here, and not where they are called for.
    #[inline(never)]
    pub(crate) fn tell(
        &self,
        severity: Severity,
        code: &'static str,
        message: &dyn Display,
        hint: Option<&dyn Display>,
    ) {
        let hint = hint.map(ToString::to_string);
        self.sink.report(severity, code, self.place(), message.to_string(), hint);
    }

    /// Reports that the value is of another kind than `expected`, such as `a string`.
    pub(crate) fn wrong_kind<T>(&self, expected: &str) -> Option<T> {
        self.tell_wrong_kind(expected, None);
        None
    }

    /// What is wrong about the kind, and what to write instead where that can't be told from the value.
    #[inline(never)]
    pub(crate) fn tell_wrong_kind(&self, expected: &str, hint: Option<String>) {
        let found = match &self.node.value {
            Value::Number(number) => format!("the number `{number}`"),
            Value::Bool(value) => format!("the boolean `{value}`"),
            Value::String(text) => format!("the string `{}`", shorten(text)),
            _ => self.node.kind().to_owned(),
        };
        let quotes = match (&self.node.value, expected) {
            (Value::Number(_) | Value::Bool(_), "a string") => Some("put it in quotes"),
            (Value::String(_), "a whole number" | "a number" | "a boolean") => {
                Some("write it without quotes")
            }
            _ => None,
        };
        let hint = hint.or_else(|| quotes.map(str::to_owned));
        let message = format!("expected {expected}, found {found}");
        self.sink.report(Severity::Error, code::SCHEMA, self.place(), message, hint);
    }

    /// The elements of a list. A decoder gets `null` elements too.
    pub(crate) fn list<T>(&self, decode: impl Fn(&Cursor<'_>) -> Option<T>) -> Vec<T> {
        match &self.node.value {
            Value::Sequence(items) => {
                // As long as it has to be: `collect` would make room for four at least, of values that are large.
                let mut decoded = Vec::with_capacity(items.len());
                for (index, node) in items.iter().enumerate() {
                    if let Some(value) = decode(&self.index(index, node)) {
                        decoded.push(value);
                    }
                }
                decoded
            }
            _ => self.wrong_kind("a list").unwrap_or_default(),
        }
    }

    /// The element of a list at `index`, if there is one.
    pub(crate) fn element(&self, index: usize) -> Option<Cursor<'_>> {
        match &self.node.value {
            Value::Sequence(items) => items.get(index).map(|node| self.index(index, node)),
            _ => None,
        }
    }

    /// The entries of a map, sorted by key. A decoder gets `null` values too.
    pub(crate) fn map<T>(&self, decode: impl Fn(&str, &Cursor<'_>) -> Option<T>) -> Vec<(String, T)> {
        let Value::Mapping(entries) = &self.node.value else {
            return self.wrong_kind("a mapping").unwrap_or_default();
        };
        let mut decoded = Vec::with_capacity(entries.len());
        decoded.extend(entries.iter().filter_map(|(key, node)| {
            let value = decode(&key.name, &self.field(&key.name, key.position, node))?;
            Some((key.name.clone(), value))
        }));
        ordered::sort_by(&mut decoded, |(one, _), (other, _)| one.cmp(other));
        decoded
    }
}

/// A text for a message: hostile input shall not fill the screen.
pub(crate) fn shorten(text: &str) -> String {
    let mut letters = text.chars();
    let mut short: String = letters.by_ref().take(80).flat_map(char::escape_debug).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

fn extend(parent: &Cursor<'_>, segment: Segment) -> FieldPath {
    let mut path = parent.path();
    path.push(segment);
    path
}
