//! What this engine can't carry out. Nothing is dropped in silence: each becomes a problem that refuses the
//! configuration.

use outrigger_api::path::FieldPath;
use outrigger_api::problem::{ResourceName, code};
use outrigger_api::{Problem, Resource, Severity};

/// A problem of the field at `path` of `resource`.
pub(super) fn refusal(resource: &Resource, path: &str, message: String, hint: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        code: code::UNSUPPORTED,
        message,
        hint: Some(hint.to_owned()),
        path: FieldPath::parse(path),
        position: resource.position(path),
        file: resource.source.file.clone(),
        resource: ResourceName {
            kind: Some(resource.kind.to_string()),
            namespace: Some(resource.meta.namespace.clone()),
            name: Some(resource.meta.name.clone()),
        },
    }
}

/// A field of Istio's that is not carried out yet.
pub(super) fn not_yet(resource: &Resource, path: &str) -> Problem {
    let field = path.rsplit('.').next().unwrap_or(path);
    let field = field.split('[').next().unwrap_or(field);
    refusal(resource, path, format!("`{field}` can't be carried out"), "it is not carried out yet: remove it")
}
