//! From text to resources.

mod kinds;
#[cfg(feature = "yaml")]
mod mesh_config;
mod reader;

#[cfg(feature = "yaml")]
pub use mesh_config::parse_mesh_config;
pub(crate) use reader::Reader;

use crate::{decode::Decoder, resource::Parsed};
#[cfg(feature = "yaml")]
use crate::{node::Position, path::FieldPath, problem::code};

/// Reads the content of a YAML (or JSON) file: any number of documents, and lists of resources. A resource with
/// errors is left out, the others of the file are not. `default_namespace` is for resources without one.
#[cfg(feature = "yaml")]
pub fn parse_yaml(text: &[u8], file: &str, default_namespace: &str) -> Parsed {
    let mut reader = Reader::new(Some(file.into()), default_namespace, &Decoder::ALL);
    match std::str::from_utf8(text) {
        Ok(text) => {
            for document in crate::yaml::parse(text) {
                match document {
                    Ok(node) => reader.read(node, &FieldPath::root()),
                    Err(error) => reader.unreadable(code::SYNTAX, error.message, Some(error.position)),
                }
            }
        }
        Err(error) => {
            let message = not_utf8(text, error);
            let good = String::from_utf8_lossy(text.get(..error.valid_up_to()).unwrap_or_default());
            reader.unreadable(code::SYNTAX, message, Some(end(&good)));
        }
    }
    reader.parsed
}

/// Reads the documents of a YAML text that are no resources, with the position of each value: trees, or what is wrong
/// and where.
#[cfg(feature = "yaml")]
pub fn parse_yaml_nodes(text: &str) -> Vec<Result<crate::node::Node, (String, Position)>> {
    let documents = crate::yaml::parse(text).into_iter();
    documents.map(|document| document.map_err(|error| (error.message, error.position))).collect()
}

/// What is wrong with a text that is not UTF-8.
#[cfg(feature = "yaml")]
fn not_utf8(text: &[u8], error: std::str::Utf8Error) -> String {
    match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16: save it as UTF-8".to_owned(),
        _ => format!("the file is not UTF-8: byte {} can't be read", error.valid_up_to() + 1),
    }
}

/// The place after the last letter.
#[cfg(feature = "yaml")]
fn end(text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    Position { line: count(text.matches('\n').count()), column: count(last.chars().count()) }
}

/// Reads a JSON text: a resource, or a list of them. There are no positions.
pub fn parse_json(text: &[u8], default_namespace: &str) -> Parsed {
    let mut reader = Reader::new(None, default_namespace, &Decoder::ALL);
    match crate::json::parse(text) {
        Ok(node) => reader.read(node, &crate::path::FieldPath::root()),
        Err(error) => reader.unreadable(crate::problem::code::SYNTAX, error.message, Some(error.position)),
    }
    reader.parsed
}

#[cfg(test)]
mod tests;
