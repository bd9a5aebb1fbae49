//! What this engine can't carry out. Nothing is dropped in silence: each becomes a problem that refuses the
//! configuration.

use outrigger_api::problem::code;
use outrigger_api::{Problem, Resource};

/// A problem of the field at `path` of `resource`.
pub(super) fn refusal(resource: &Resource, path: &str, message: String, hint: &str) -> Problem {
    Problem { hint: Some(hint.to_owned()), ..resource.error(path, code::UNSUPPORTED, message) }
}

/// A field of Istio's that is not carried out yet.
pub(super) fn not_yet(resource: &Resource, path: &str) -> Problem {
    let field = path.rsplit('.').next().unwrap_or(path);
    let field = field.split('[').next().unwrap_or(field);
    refusal(resource, path, format!("`{field}` can't be carried out"), "it is not carried out yet: remove it")
}
