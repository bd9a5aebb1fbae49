//! Events of the YAML parser to a tree.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::flow::Indented;
use super::{DEEPEST, YamlError, scalar};
use crate::node::{Key, Node, Position, Value};

/// Reads one document, or what a text without `---` holds. `lines` are before it in the file.
pub(super) fn read(text: &str, lines: u32, budget: &mut usize) -> Vec<Result<Node, YamlError>> {
    let (mut text, whole) = (Indented::new(text), *budget);
    loop {
        *budget = whole;
        let (documents, refused) = attempt(&text, lines, budget);
        if !refused.is_some_and(|error| text.indent(&error)) {
            return documents;
        }
    }
}

/// With what the parser refuses, if it does.
fn attempt(
    text: &Indented<'_>,
    lines: u32,
    budget: &mut usize,
) -> (Vec<Result<Node, YamlError>>, Option<ScanError>) {
    let (open, anchors) = (Vec::new(), HashMap::new());
    let mut builder = Builder { text, lines, budget, open, anchors, document: None };
    let (mut documents, mut refused) = (Vec::new(), None);
    let mut parser = Parser::new_from_str(text.text());
    while let Some(event) = parser.next_event() {
        let read = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => {
                let position = builder.position(error.marker());
                let message = error.info().to_owned();
                refused = Some(error);
                Err(YamlError { message, position })
            }
        };
        match read {
            Ok(true) => documents.extend(builder.document.take().map(Ok)),
            Ok(false) => {}
            Err(error) => {
                documents.push(Err(error));
                break;
            }
        }
    }
    (documents, refused)
}

struct Builder<'b> {
    text: &'b Indented<'b>,
    lines: u32,
    /// How many values may still be made.
    budget: &'b mut usize,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    document: Option<Node>,
}

/// A sequence or mapping whose end has not come yet.
struct Open {
    position: Position,
    anchor: usize,
    /// The budget when it began.
    began: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Key, Node)>, names: HashSet<String>, key: Option<Key>, merges: Vec<Node> },
}

/// The key that brings in the entries of another mapping.
const MERGE: &str = "<<";

impl Builder<'_> {
    fn position(&self, marker: &saphyr_parser::Marker) -> Position {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            line: place(marker.line()).saturating_add(self.lines),
            column: place(self.text.column(marker)).saturating_add(1),
        }
    }

    /// Takes in one event; says whether a document ended with it.
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<bool, YamlError> {
        let position = self.position(&span.start);
        match event {
            Event::DocumentEnd => return Ok(true),
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1, position)?;
                let is_key = self.expects_key() && (style != ScalarStyle::Plain || !text.is_empty());
                let value = match is_key {
                    true => Value::String(text.into_owned()),
                    false => value(&text, style, tag.as_deref())
                        .map_err(|message| YamlError { message, position })?,
                };
                self.add(Node { value, position: Some(position) }, anchor, 1)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(position, anchor, Content::Sequence(Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    names: HashSet::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.begin(position, anchor, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    let message = "this alias stands inside of what it stands for".to_owned();
                    return Err(YamlError { message, position });
                };
                self.spend(size, position)?;
                self.add(Node { position: Some(position), ..node }, 0, size)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Ok(false)
    }

    /// Whether the next value is a key: those are always text, as they are in JSON.
    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn spend(&mut self, values: usize, position: Position) -> Result<(), YamlError> {
        match self.budget.checked_sub(values) {
            Some(left) => {
                *self.budget = left;
                Ok(())
            }
            None => Err(YamlError { message: "the text comes to too many values".to_owned(), position }),
        }
    }

    fn begin(&mut self, position: Position, anchor: usize, content: Content) -> Result<(), YamlError> {
        let began = *self.budget;
        self.spend(1, position)?;
        if self.open.len() >= DEEPEST {
            return Err(YamlError {
                message: format!("values are nested more than {DEEPEST} deep"),
                position,
            });
        }
        self.open.push(Open { position, anchor, began, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, names, merges, .. } => Value::Mapping(merged(entries, names, merges)),
        };
        let size = open.began.saturating_sub(*self.budget);
        self.add(Node { value, position: Some(open.position) }, open.anchor, size)
    }

    /// Puts a finished value where it belongs. `size` is what it and its parts cost.
    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        if self.open.len() + depth(&node) > DEEPEST {
            let position = node.position.unwrap_or(Position { line: 1, column: 1 });
            return Err(YamlError {
                message: format!("values are nested more than {DEEPEST} deep"),
                position,
            });
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.document = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { entries, names, key, merges }) => match key.take() {
                None => *key = Some(new_key(node, names)?),
                Some(name) if name.name == MERGE => merges.push(node),
                Some(name) => entries.push((name, node)),
            },
        }
        Ok(())
    }
}

/// Only an alias can bring depth along; its parts were bounded when they were made, so this ends soon.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Mapping(entries) => 1 + entries.iter().map(|(_, node)| depth(node)).max().unwrap_or_default(),
        _ => 0,
    }
}

fn new_key(node: Node, names: &mut HashSet<String>) -> Result<Key, YamlError> {
    let position = node.position;
    let fail = |message: String| {
        Err(YamlError { message, position: position.unwrap_or(Position { line: 1, column: 1 }) })
    };
    let name = match node.value {
        Value::String(name) => name,
        Value::Null => return fail("a key must not be null".to_owned()),
        _ => return fail("a key must be a single value".to_owned()),
    };
    if !names.insert(name.clone()) && name != MERGE {
        // Two files that were put together, mostly.
        let hint = if name == "apiVersion" { ": between two resources stands a line `---`" } else { "" };
        return fail(format!("key `{name}` is given twice{hint}"));
    }
    Ok(Key { name, position })
}

/// The entries with those of merged mappings after them, as far as they are not given anyway.
fn merged(mut entries: Vec<(Key, Node)>, mut names: HashSet<String>, merges: Vec<Node>) -> Vec<(Key, Node)> {
    for merge in merges {
        let mappings = match merge.value {
            Value::Sequence(items) => items,
            _ => vec![merge],
        };
        for mapping in mappings {
            if let Value::Mapping(further) = mapping.value {
                entries.extend(further.into_iter().filter(|(key, _)| names.insert(key.name.clone())));
            }
        }
    }
    entries
}

/// Quotes and the tag `!!str` make a string of anything.
fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::String(text.to_owned());
    match tag {
        None if style == ScalarStyle::Plain => Ok(scalar::plain(text)),
        None => Ok(string()),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(string()),
            "int" | "float" | "bool" | "null" => Ok(scalar::plain(text)),
            other => Err(format!("tag `!!{other}` is not supported")),
        },
        Some(tag) if tag.suffix.is_empty() => Ok(string()),
        Some(tag) => Err(format!("tag `{}{}` is not supported", tag.handle, tag.suffix)),
    }
}
