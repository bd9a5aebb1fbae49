//! Problems that only show when a configuration is rendered.

use outrigger_api::path::FieldPath;
use outrigger_api::problem::{Problem, ResourceName, Severity, code};
use outrigger_api::resource::Resource;

/// Nothing says where this proxy listens.
pub(super) const NO_LISTENER: &str = "OUT0101";
/// Two listeners on one port.
pub(super) const PORT_CONFLICT: &str = "OUT0102";
/// A subset of a host whose endpoints nobody names.
pub(super) const UNKNOWN_ENDPOINTS: &str = "OUT0103";

/// Whether a problem says that the resources, as a whole, are not enough to run this proxy: nothing is wrong with
/// them by themselves.
pub fn is_incomplete(problem: &Problem) -> bool {
    [NO_LISTENER, PORT_CONFLICT, UNKNOWN_ENDPOINTS].contains(&problem.code)
}

/// Istio has it, Outrigger does not carry it out.
pub(super) fn unsupported(resource: &Resource, path: &str, what: &str) -> Problem {
    resource.error(path, code::UNSUPPORTED, format!("{what} is not carried out yet"))
}

/// An error of the whole.
pub(super) fn whole(code: &'static str, message: String, hint: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        code,
        message,
        hint: Some(hint.to_owned()),
        path: FieldPath::root(),
        position: None,
        file: None,
        resource: ResourceName::default(),
    }
}
