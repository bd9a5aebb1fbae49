//! A neutral tree of values, whatever it was read from, with the position of each.

use std::fmt;

use crate::path::{FieldPath, Segment};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins; `None` if it was read from JSON.
    pub position: Option<Position>,
}

/// The kinds of values that YAML and JSON have in common.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Sequence(Vec<Node>),
    /// In the order written; keys are unique.
    Mapping(Vec<(Key, Node)>),
}

/// A number, exact if it is a whole one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number which fits.
    Integer(i64),
    /// Any other.
    Float(f64),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Where it stands.
    pub position: Option<Position>,
}

/// A place in a text; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                write!(formatter, "{}", *number as i64)
            }
            // By serde_json, which is there anyway: Rust's own way takes up 14 kB in a module.
            Self::Float(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => write!(formatter, "{number}"),
                None if number.is_nan() => formatter.write_str(".nan"),
                None => formatter.write_str(if *number > 0.0 { ".inf" } else { "-.inf" }),
            },
        }
    }
}

impl Node {
    /// Nothing, from nowhere.
    pub const fn null() -> Self {
        Self { value: Value::Null, position: None }
    }

    /// The value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Mapping(entries) => {
                entries.iter_mut().find(|(name, _)| name.name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The elements of a list, which is empty then.
    pub(crate) fn take_items(&mut self) -> Option<Vec<Self>> {
        match &mut self.value {
            Value::Sequence(items) => Some(std::mem::take(items)),
            _ => None,
        }
    }

    /// A mapping's key with its value.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Self)> {
        match &self.value {
            Value::Mapping(entries) => {
                entries.iter().find(|(name, _)| name.name == key).map(|(key, value)| (key, value))
            }
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// Where the value at `path` stands: at its key if it has one. If there is no such value, where its nearest
    /// ancestor stands.
    pub fn locate(&self, path: &FieldPath) -> Option<Position> {
        let mut node = self;
        let mut found = self.position;
        for segment in path.segments() {
            let (position, next) = match (segment, &node.value) {
                (Segment::Field(name), Value::Mapping(_)) => match node.entry(name) {
                    Some((key, value)) => (key.position, value),
                    None => break,
                },
                (Segment::Index(index), Value::Sequence(items)) => match items.get(*index) {
                    Some(item) => (item.position, item),
                    None => break,
                },
                _ => break,
            };
            found = position;
            node = next;
        }
        found
    }

    /// What kind of value this is, for messages: `a string`.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}
