//! Envoy's format strings in header values: `%PROTOCOL%`, `%REQ(x-a?x-b):10%`, `%%`.
//!
//! A value is read once ([`Template::parse`]); an operator that a filter can't carry out is refused by name. A value
//! that is not known is empty, as in Envoy's own header changes, and a header that comes out empty is not written.

mod lookup;
mod operator;
mod parse;
mod property;
mod template;
#[cfg(test)]
mod tests;
mod time;

pub use lookup::Lookup;
pub(crate) use property::RESPONSE_FLAGS;
pub(crate) use template::{Piece, Scene, Template, join};
