//! The deviations that are meant (the table in `filters/core/src/jwt/mod.rs`), each recognised by what causes it.

mod forwarded;
mod refused;
mod relaxed;
mod sent;

use super::super::answer::Answer;
use super::super::configuration::Configuration;
use super::super::fields;
use super::super::request::Request;
use super::{keys, reference};

/// Why the two answers differ, if all of it is meant: ours is a refusal for a reason that Envoy does not have, or both
/// forward what means the same.
pub(super) fn names(
    configuration: &Configuration,
    request: &Request,
    ours: &Answer,
    native: &Answer,
) -> Option<Vec<&'static str>> {
    match refused::name(configuration, request, ours) {
        Some(name) => Some(vec![name]),
        None => forwarded::names(configuration, request, ours, native),
    }
}

/// What stands in the tokens of `request`.
pub(super) fn told(request: &Request) -> String {
    let objects = sent::tokens(request).into_iter().filter(|sent| sent.header.trim_ascii().starts_with(b"{"));
    let mut lines: Vec<_> = objects
        .map(|sent| format!("token: {} {}\n", sent.header.escape_ascii(), sent.payload.escape_ascii()))
        .collect();
    lines.dedup();
    lines.concat()
}
