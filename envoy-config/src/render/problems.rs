//! Problems that only show when a configuration is rendered.

use outrigger_api::path::FieldPath;
use outrigger_api::problem::{Problem, ResourceName, Severity, code};
use outrigger_api::resource::Resource;

use crate::credentials;

/// Nothing says where this proxy listens.
pub(super) const NO_LISTENER: &str = "OUT0101";
/// Two listeners on one port.
pub(super) const PORT_CONFLICT: &str = "OUT0102";
/// A subset of a host whose endpoints nobody names.
pub(super) const UNKNOWN_ENDPOINTS: &str = "OUT0103";
/// `--port` for a port that nothing listens on.
pub(super) const NO_SUCH_PORT: &str = "OUT0104";

/// Servers of Gateways that can't share a port.
pub(super) const CONFLICTING_SERVERS: &str = "OUT0111";
/// A certificate of the mesh is needed, and this proxy has none.
pub(super) const NO_IDENTITY: &str = "OUT0112";
/// A certificate has expired.
pub(super) const EXPIRED: &str = "OUT0113";

/// Rules ask for an identity that anyone can claim.
pub(super) const UNVERIFIED_PEERS: &str = "OUT0114";
/// Requests for the application would come back to the sidecar.
pub(super) const LOOP: &str = "OUT0115";
/// What is said depends on where this proxy is, and nothing says that.
pub(super) const UNKNOWN_LOCALITY: &str = "OUT0120";

/// Whether a problem says that the resources, as a whole, are not enough to run this proxy: nothing is wrong with
/// them by themselves.
pub fn is_incomplete(problem: &Problem) -> bool {
    [NO_LISTENER, PORT_CONFLICT, UNKNOWN_ENDPOINTS, NO_IDENTITY, LOOP, UNKNOWN_LOCALITY, credentials::ABSENT]
        .contains(&problem.code)
}

/// Istio has it, Outrigger does not carry it out.
pub(super) fn unsupported(resource: &Resource, path: &str, what: &str) -> Problem {
    resource.error(path, code::UNSUPPORTED, format!("{what} is not carried out yet"))
}

/// Rules ask who the client is, where anyone may say so.
pub(super) fn unverified_peers(listener: &str) -> Problem {
    let message = format!(
        "rules on listener `{listener}` ask for the identity in the client's certificate, which is not verified there"
    );
    let hint = "with `insecureSkipVerify` a client can claim any identity: leave it out, or the rules on \
                `principals`, `namespaces`, `serviceAccounts` and `trustDomains`";
    whole(UNVERIFIED_PEERS, message, hint)
}

/// The same with the reason.
pub(super) fn unsupported_because(resource: &Resource, path: &str, why: String) -> Problem {
    resource.error(path, code::UNSUPPORTED, why)
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
