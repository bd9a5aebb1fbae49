//! Questions to `outrigger explain`.

use serde_json::Value;

use super::{fixture, json};

/// A shop, its policies and a moment at which the token of [`bearer`] is valid.
pub(crate) const SECURE: &[&str] =
    &["-f", "explain/shop.yaml", "-f", "explain/security.yaml", "--now", "2030-01-01T00:00:00Z"];

/// The exit code and the answer.
pub(crate) fn explain(flags: &[&str], request: &[&str]) -> (i32, Value) {
    json(&[&["explain", "-o", "json"], request, flags].concat(), "")
}

/// A header with a token.
pub(crate) fn bearer() -> String {
    format!("Authorization: Bearer {}", std::fs::read_to_string(fixture("explain/token.txt")).unwrap().trim())
}
